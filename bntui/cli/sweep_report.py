"""Runs a sweep: on the screen, or reported as it goes."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from bntui.cli import output
from bntui.cli.crash import save_report
from bntui.cli.ending import Ending, exit_at_once
from bntui.cli.lines import write_json
from bntui.cli.sweep_lines import (
    SweepJson,
    SweepLines,
    axes_in_words,
    listing,
    standings_in_words,
    values_of_run,
)
from bntui.cli.sweep_plan import Plan, Sweep, keep, left, plan, plan_on_cluster, standing
from bntui.cli.terminal import refuse_without_terminal
from bntui.core.run import LEAVE_SECONDS
from bntui.core.sweep import (
    Design,
    Standing,
    SweepLead,
    SweepSource,
    SweepView,
    tried_again,
)
from bntui.core.text import ConfigError
from bntui.machine.places import store_path
from bntui.machine.signals import asked_to_end, writing
from bntui.store.follow_sweep import FollowedSweep, read_sweep

POLL_SECONDS = 0.1
MOST_REPORTS = 3
"""Bugs that are reported of one sweep, each in a file."""


@dataclass(frozen=True, slots=True)
class How:
    """How a sweep is run and shown."""

    jobs: int | None = None
    """Runs at once; None for as many as fit."""
    address: str | None = None
    """Of a Ray cluster; None for this machine."""
    gpus_per_run: float | None = None
    retry_failed: bool = False
    as_json: bool = False
    on_screen: bool = False
    plain: bool = False
    theme: str | None = None


def has_terminal() -> bool:
    """Tell whether there is a terminal that the screen can be drawn on."""
    try:
        refuse_without_terminal("the screen")
    except ConfigError:
        return False
    return True


def list_runs(sweep: Sweep, how: How) -> int:
    """Write every run of a sweep and how long all take, and keep nothing. Raises ConfigError."""
    view = standing(store_path(), sweep)
    with ExitStack() as ends:
        _planned(view, sweep, how, ends)
    if how.as_json:
        for state in view.cells:
            write_json(**values_of_run(view, state))
    else:
        output.console().print(listing(view))
    return 0


def run(sweep: Sweep, how: How) -> int:
    """Run what is left of a sweep, and return the exit status. Raises ConfigError."""
    path = store_path()
    theme = _known_theme(how.theme) if how.on_screen and how.theme is not None else None
    view = standing(path, sweep)
    with ExitStack() as ends:
        planned = _planned(view, sweep, how, ends)
        failed = [one for one in view.cells if one.standing is Standing.FAILED]
        writer = SweepJson(failed if how.retry_failed else ()) if how.as_json else SweepLines()
        if planned is not None:
            return _run(path, sweep, planned, how, writer, theme)
        if not sweep.kept:
            view = replace(view, name=_kept(path, sweep, sweep.design))
        writer.end(view)
        return exit_status(view)


def _run(
    path: Path,
    sweep: Sweep,
    planned: Plan,
    how: How,
    writer: SweepJson | SweepLines,
    theme: str | None,
) -> int:
    """Run what is left of a sweep as it is planned, and return the exit status. Raises ConfigError."""
    from bntui.sweeps.driver import Driver

    name = _kept(path, sweep, planned.design)
    lead = Driver(path, name, planned.design, planned.executor, retry_failed=how.retry_failed)
    source = FollowedSweep(path, name)
    if how.on_screen:
        shown = _show(lead, source, plain=how.plain, theme=theme)
        status = shown or exit_status(read_sweep(path, name))
    else:
        status = follow(lead, source, lambda: read_sweep(path, name), writer)
    bugs = dict.fromkeys(one.traceback for one in lead.failures if one.traceback)
    for trace in list(bugs)[:MOST_REPORTS]:
        click.echo(save_report(trace), err=True)
    return status


def _kept(path: Path, sweep: Sweep, design: Design) -> str:
    """Keep a sweep, and return the name that it got; say so if it is another. Raises ConfigError."""
    name = keep(path, sweep, design)
    if name != sweep.name:
        said = f"this sweep is {name}: another has taken the name {sweep.name} since."
        click.echo(said, err=True)
    return name


def _planned(view: SweepView, sweep: Sweep, how: How, ends: ExitStack) -> Plan | None:
    """Say what a sweep has and how long it takes; return with what it is run, which `ends` closes.

    None if nothing is left. Raises ConfigError.
    """

    def say(sentence: str, *, error: bool = how.as_json) -> None:
        click.echo(sentence, err=error)

    def remark(sentence: str) -> None:
        say(sentence, error=True)

    runs = f"{len(view.cells):,} runs" if len(view.cells) > 1 else "1 run"
    say(f"{view.name}: {runs} of {axes_in_words(view.design)}: {standings_in_words(view)}")
    states = left(view, retry_failed=how.retry_failed)
    if not states:
        return None
    if how.address is None:
        planned = plan(store_path(), sweep, states, how.jobs, remark)
    else:
        planned = plan_on_cluster(sweep, states, how.address, how.gpus_per_run or 0.0, remark)
    ends.callback(planned.executor.close)
    say(planned.forecast.words)
    return planned


def _known_theme(name: str) -> str:
    """Return the theme of --theme. Raises ConfigError."""
    from bntui.ui.terminal import capabilities

    capabilities.prepare()  # before textual is imported
    from bntui.ui.themes import known_theme

    return known_theme(name)


def _show(lead: SweepLead, source: SweepSource, *, plain: bool, theme: str | None) -> int:
    """Show the sweep on this terminal while it runs; return the exit status."""
    from bntui.ui.terminal import capabilities

    capabilities.prepare()  # before textual is imported
    from bntui.machine.places import config_path
    from bntui.store.archive import KeptRuns
    from bntui.ui.remembered import Memory
    from bntui.ui.sweeps.app import show

    memory = Memory(config_path())
    return show(source, lead, archive=KeptRuns(), plain=plain, memory=memory, theme=theme)


def follow(
    lead: SweepLead,
    source: SweepSource,
    read: Callable[[], SweepView],
    writer: SweepJson | SweepLines,
) -> int:
    """Run a sweep until nothing is left, and return the exit status: 1 if a run has failed.

    After a signal that asks for the end the runs under way stop after their updates, to go on later, and
    SystemExit is raised. `read` returns how all stand once it is over.
    """
    ending = Ending(lead)
    with asked_to_end(ending.ask):
        source.start()
        lead.start()
        told = {""}
        while True:
            over = lead.over
            with writing(ending.ask):
                writer.progress(tried_again(source.view, lead.retrying))
                for said in (lead.message, source.view.message):
                    if said not in told:
                        told.add(said)
                        click.echo(said, err=True)
            if ending.status or over:
                break
            time.sleep(POLL_SECONDS)
        ended = ending.leave()
        source.leave(LEAVE_SECONDS)
        view = read()
        with writing(ending.ask):
            writer.end(view)
            if lead.failure:
                click.echo(f"Error: {lead.failure}", err=True)
        status = ending.status or (2 if lead.failure else exit_status(view))
        if not ended:
            exit_at_once(status)
    if ending.status:
        sys.exit(status)
    return status


def exit_status(view: SweepView) -> int:
    """Return how a sweep that is over ends the program."""
    return 1 if view.count(Standing.FAILED) else 0
