"""`bntui run`: a run without a screen, reported epoch by epoch as text or as JSON lines."""

import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from uuid import uuid4

import click

from bntui.cli.crash import save_report
from bntui.cli.ending import Ending, exit_at_once
from bntui.cli.lines import JsonLines, Lines
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.machine.signals import asked_to_end, writing
from bntui.store.archive import recorder
from bntui.train.runner import Runner

POLL_SECONDS = 0.05
OVER = {Phase.FINISHED, Phase.FAILED}


def train(request: RunRequest, *, as_json: bool) -> int:
    """Train to the end and return the exit code: 0, 2 for a bad setting, 1 for a failure."""
    return exit_code(follow(request, JsonLines() if as_json else Lines()))


def follow(request: RunRequest, writer: JsonLines | Lines) -> Snapshot:
    """Train to the end and write what happens; return the last snapshot.

    After a signal that asks for the end the run stops at the next update, and SystemExit is raised. The
    process also ends where nobody reads what is written.
    """
    coming: SimpleQueue[tuple[EpochReport, Snapshot]] = SimpleQueue()
    keeper = recorder(request)
    runner = Runner(request, recorder=lambda: keeper, on_report=lambda *report: coming.put(report))
    run = keeper.run if keeper else uuid4().hex[:12]
    ending = Ending(runner)
    with asked_to_end(ending.ask):
        runner.start()
        started, told = False, [""]
        while True:
            with writing(ending.ask):
                snapshot = runner.snapshot
                if snapshot.facts and not started:
                    started = True
                    writer.start(snapshot, run)
                if started:
                    for report, then in _drain(coming):
                        writer.epoch(report, then)
                    if snapshot.message != told[-1] and snapshot.phase is not Phase.FAILED:
                        told.append(snapshot.message)
                        click.echo(snapshot.message, err=True)
                if ending.status or snapshot.phase in OVER:
                    break
                writer.progress(snapshot)
            time.sleep(POLL_SECONDS)
        ended = ending.leave()
        if ending.status:
            snapshot = runner.snapshot
        with writing(ending.ask):
            if snapshot.facts and not started:
                writer.start(snapshot, run)
            for report, then in _drain(coming):
                writer.epoch(report, then)
            writer.end(snapshot)
            for said in (keeper.notice, keeper.problem) if keeper else ():
                if not any(said in one for one in told):
                    click.echo(said, err=True)
        if not ended:
            exit_at_once(ending.status or exit_code(snapshot))
    if ending.status:
        sys.exit(ending.status)
    return snapshot


def exit_code(snapshot: Snapshot) -> int:
    """Return how a run that is over ends the program, and say why it failed."""
    if snapshot.phase is Phase.FAILED:
        said = (
            save_report(snapshot.traceback) if snapshot.traceback else f"Error: {snapshot.message}"
        )
        click.echo(said, err=True)
        return 1 if snapshot.traceback else 2
    return 0


def _drain(
    reports: SimpleQueue[tuple[EpochReport, Snapshot]],
) -> Iterator[tuple[EpochReport, Snapshot]]:
    while True:
        try:
            yield reports.get_nowait()
        except Empty:
            return
