"""A short trial: a few updates and a validation, in processes of their own, to tell how long runs take.

Only those processes import torch.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe, wait
from subprocess import DEVNULL
from threading import Thread
from typing import TYPE_CHECKING, Any

from bntui.core.config import RunConfig
from bntui.core.parsers import PUBLISHED
from bntui.core.plan import end_of
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, RunFacts, Snapshot
from bntui.core.sweep import OBSERVED
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took
from bntui.sweeps.forecast import Workers

if TYPE_CHECKING:
    from bntui.train.session import Session

UPDATES_SECONDS = 0.3
"""How long updates of one batch size are tried, but for the first, which is longer and not counted."""
SLOWEST_UPDATE = 1.0
"""Seconds that an update may take by what smaller ones took; a larger batch is not tried."""
MOST_SIZES = 3
"""Batch sizes that are tried of runs that differ in nothing else."""
MOST_SECONDS = 4.0
"""Of the trial, data sets' loading included, after which no more runs are tried."""
MOST_PROCESSES = 2
"""That try at the same time what will run at the same time: they slow one another down."""
SILENT_SECONDS = 60.0
"""After so long without a word a trial is ended. Torch's first loading is the longest silence of a sound one."""
SAY_SECONDS = 5.0
"""How often what takes long is told."""
_CODE = (
    "import sys; descriptor, *sys.path = sys.argv[1:]; "
    "from bntui.sweeps.trial import answer; answer(int(descriptor))"
)
FEW = 250
"""Validation images at first: those of one pass."""


def trial(
    pairs: Sequence[tuple[RunConfig, RunConfig]],
    workers: Workers,
    say: Callable[[str], None] = lambda _: None,
) -> list[Took]:
    """Return what runs would take, of those of `pairs` that could be tried within a few seconds.

    A pair is runs that differ in batch size, the smaller first. On a GPU as many processes try as runs
    are under way there. `say` is told what takes long, such as a download, and that a trial does not
    answer: it is ended then. Raises ConfigError for a run that can't be, such as one whose data set is
    missing or that is too large.
    """
    # Those of which data may have to be downloaded are tried by one process, which all others would repeat.
    published = any(config.dataset in PUBLISHED for pair in pairs for config in pair)
    count = 1 if published else min(workers.jobs, MOST_PROCESSES)
    processes: list[_Process] = []
    try:
        for place in range(count):
            processes.append(_Process())
            processes[-1].pipe.send((pairs, workers.threads, place < workers.jobs_on_gpu))
        return _answers({one.pipe for one in processes}, say)
    except OSError:  # no more processes can be had: that shows when the sweep begins
        return []
    finally:
        for process in processes:
            process.end()


def _answers(pipes: set["Connection[Any, Any]"], say: Callable[[str], None]) -> list[Took]:
    """Return what all processes have found. Raises ConfigError if it is why a run can't be."""
    found: list[Took] = []
    said, doing = 0.0, ""
    while pipes:
        ready = wait(list(pipes), SILENT_SECONDS)
        if not ready:
            at = f" ({doing})" if doing else ""
            say(f"The trial was ended: it had said nothing for {SILENT_SECONDS:.0f} s{at}.")
            break
        for pipe in pipes.intersection(ready):
            try:
                told: str | list[Took] | ConfigError = pipe.recv()
            except (EOFError, OSError):  # it has died
                pipes.remove(pipe)
                continue
            if isinstance(told, str):
                doing, now = told, time.monotonic()
                said = said or now  # what is quick is not told
                if now - said >= SAY_SECONDS:
                    said = now
                    say(doing)
                continue
            pipes.remove(pipe)
            if isinstance(told, ConfigError):
                raise told
            found += told
    return found


class _Process:
    """A process that tries runs, as the one that has started it has it."""

    def __init__(self) -> None:
        """Start it. Raises OSError."""
        self.pipe: Connection[Any, Any]
        self.pipe, other = Pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(other.fileno()), *sys.path],
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                pass_fds=[other.fileno()],
            )
        except BaseException:
            self.pipe.close()
            raise
        finally:
            other.close()

    def end(self) -> None:
        self.pipe.close()
        self._process.kill()
        self._process.wait()


def answer(descriptor: int) -> None:
    """Try what comes from a pipe, and send there what came out, or why it can't be. Of a process.

    The process ends when the other end of the pipe is gone.
    """
    os.set_inheritable(descriptor, False)
    pipe: Connection[Any, Any] = Connection(descriptor)
    pairs, threads, on_gpu_too = pipe.recv()
    Thread(target=_end_with, args=(pipe,), daemon=True).start()
    try:
        pipe.send(try_runs(pairs, threads, pipe.send, on_gpu_too=on_gpu_too))
    except ConfigError as error:
        pipe.send(ConfigError(str(error)))
    os._exit(0)  # at once: a data set's threads may hang


def _end_with(pipe: "Connection[Any, Any]") -> None:
    with suppress(EOFError, OSError):
        pipe.recv()
    os._exit(1)


def try_runs(
    pairs: Sequence[tuple[RunConfig, RunConfig]],
    threads: int,
    say: Callable[[str], None] = lambda _: None,
    *,
    on_gpu_too: bool = True,
) -> list[Took]:
    """Return what runs would take from their beginning to their end; nothing on a GPU unless `on_gpu_too`."""
    from bntui.machine.device import prepare_environment, resolve

    prepare_environment()
    until = time.perf_counter() + MOST_SECONDS
    found: list[Took] = []
    for small, large in pairs:
        if not on_gpu_too and resolve(large.device)[0].type != "cpu":
            break
        found += _try_pair(small.knobs.batch_size, replace(large, threads=threads), say)
        if time.perf_counter() > until:
            break
    return found


def _try_pair(smallest: int, large: RunConfig, say: Callable[[str], None]) -> list[Took]:
    """Return what runs from the smallest to the largest batch size take, as far as that is quickly told."""
    from bntui.train.session import Session

    session = Session(RunRequest(large, OBSERVED), say=say)
    facts = session.snapshot(Phase.PAUSED).facts
    assert facts
    largest = session.knobs.batch_size
    times: dict[int, float] = {}
    size = min(smallest, largest)
    while size not in times and len(times) < MOST_SIZES:
        times[size] = _seconds_of_update(session, size)
        if times[size] < SLOWEST_UPDATE / 2:
            size = min(largest, int(SLOWEST_UPDATE / times[size] * size))
    epoch_end = _seconds_of_epoch_end(session)
    return [_whole(session.config, facts, *at, epoch_end) for at in times.items()]


def _whole(config: RunConfig, facts: RunFacts, size: int, update: float, epoch_end: float) -> Took:
    """Return what a run takes of which an update and the end of an epoch take so many seconds."""
    config = replace(config, knobs=replace(config.knobs, batch_size=size))
    whole = Snapshot(config=config, facts=facts, knobs=config.knobs, epochs=config.epochs)
    end = end_of(whole)
    if end is None:
        return Took(config, facts, 1, size, update)
    epochs = max(1.0, end.images / facts.train)
    seconds = end.update * update + epochs * epoch_end
    return Took(config, facts, end.update, end.images, seconds)


def _seconds_of_update(session: "Session", size: int) -> float:
    trainer, knobs = session.trainer, replace(session.knobs, batch_size=size)

    def step() -> None:
        if trainer.epoch_over:
            trainer.begin_epoch()
        trainer.step(knobs)

    step()
    session.catch_up()
    begun, before = time.perf_counter(), trainer.update
    while time.perf_counter() - begun < UPDATES_SECONDS:
        step()
        session.catch_up()
    return (time.perf_counter() - begun) / (trainer.update - before)


def _seconds_of_epoch_end(session: "Session") -> float:
    """Return what the measurements of an epoch's end take, from those on some of the images."""
    from bntui.measure.subject import stratified
    from bntui.measure.subsets import draw_subsets
    from bntui.measure.validation import Validator

    trainer = session.trainer
    subsets = draw_subsets(trainer.subject, session.config.seed)
    validation = trainer.subject.validation

    def seconds(images: int) -> float:
        validator = Validator(trainer, subsets, lambda: None).at_these_weights()
        samples = stratified(validation, images)
        begun = time.perf_counter()
        validator.validate(samples)
        if trainer.has_hindsight:
            validator.moment(samples)
        return time.perf_counter() - begun

    whole, few = len(validation), min(FEW, len(validation))
    first = seconds(few)
    if whole <= few or first > SLOWEST_UPDATE:
        return first * whole / few
    more = min(whole, 2 * few)
    second = seconds(more)
    return second + max(0.0, second - first) / (more - few) * (whole - more)
