"""A short trial: a few updates and a validation, in processes of their own, to tell how long runs take.

Only those processes import torch.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from subprocess import DEVNULL, PIPE
from typing import TYPE_CHECKING

from bntui.core.config import RunConfig
from bntui.core.parsers import PUBLISHED
from bntui.core.plan import end_of
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, RunFacts, Snapshot
from bntui.core.sweep import OBSERVED
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took

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
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from bntui.sweeps.trial import answer; answer()"
FEW = 250
"""Validation images at first: those of one pass."""


def trial(pairs: Sequence[tuple[RunConfig, RunConfig]], jobs: int, threads: int) -> list[Took]:
    """Return what runs would take, of those of `pairs` that could be tried within a few seconds.

    A pair is runs that differ in batch size, the smaller first. Raises ConfigError for a run that can't
    be, such as one whose data set is missing or that is too large.
    """
    # Those of which data may have to be downloaded are tried by one process, which all others would repeat.
    published = any(config.dataset in PUBLISHED for pair in pairs for config in pair)
    count = 1 if published else min(jobs, MOST_PROCESSES)
    command = [sys.executable, "-c", _CODE, *sys.path]
    question = pickle.dumps((pairs, threads))
    found: list[Took] = []
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
            processes.append(process)
            assert process.stdin
            process.stdin.write(question)
            process.stdin.flush()
        for process in processes:
            told, _ = process.communicate()
            if process.returncode == 0:
                found += _taken(told)
    except OSError:  # no more processes can be had: that shows when the sweep begins
        pass
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return found


def _taken(told: bytes) -> list[Took]:
    """Return what a process has told. Raises ConfigError if it is why a run can't be."""
    took: list[Took] | str = pickle.loads(told)
    if isinstance(took, str):
        raise ConfigError(took)
    return took


def answer() -> None:
    """Try what the standard input asks for, and write what came out, or why it can't be. Of a process."""
    pairs, threads = pickle.load(sys.stdin.buffer)
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what libraries write
        try:
            pickle.dump(try_runs(pairs, threads), out)
        except ConfigError as error:
            pickle.dump(str(error), out)


def try_runs(pairs: Sequence[tuple[RunConfig, RunConfig]], threads: int) -> list[Took]:
    """Return what runs would take from their beginning to their end."""
    from bntui.machine.device import prepare_environment

    prepare_environment()
    until = time.perf_counter() + MOST_SECONDS
    found: list[Took] = []
    for small, large in pairs:
        found += _try_pair(small.knobs.batch_size, replace(large, threads=threads))
        if time.perf_counter() > until:
            break
    return found


def _try_pair(smallest: int, large: RunConfig) -> list[Took]:
    """Return what runs from the smallest to the largest batch size take, as far as that is quickly told."""
    from bntui.train.session import Session

    session = Session(RunRequest(large, OBSERVED))
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
