"""Runs of the engine to measure, and the digits that every program trains on."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.parsers import MAX_EPOCHS
from bntui.core.run import Recorder
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.data import sources
from bntui.train.runner import Runner

if TYPE_CHECKING:
    from bntui.train.session import Session

NOTHING = Observation(live=False, epoch_ends=False, epoch_fresh=False)
POLL_SECONDS = 0.02
"""Runs publish 20 times a second; to look more often takes from what is measured."""
LARGEST_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a run did between two of its snapshots."""

    updates: int
    images: int
    seconds: float
    """Of the run's work: all that it did, measuring and keeping included."""
    last: Snapshot


def write_digits(path: Path, images: int | None = None) -> str:
    """Write real digits as an .npz that every program reads; return what they are in words.

    Full MNIST where $BNTUI_DATA has it, else the built-in digits, repeated until there are `images`
    of them, by default two of the largest batch. Their number is a multiple of that batch, so that
    every batch of every program is full.
    """
    if os.environ.get("BNTUI_DATA") and sources.mnist_on_disk(None):
        name, arrays = "MNIST", sources.read("mnist")
        images = images or len(arrays.train_images) // LARGEST_BATCH * LARGEST_BATCH
    else:
        name, arrays = "built-in digits", sources.read("digits")
        images = images or 2 * LARGEST_BATCH
    found = len(arrays.train_images)
    np.savez(
        path,
        x_train=np.resize(arrays.train_images, (images, *arrays.train_images.shape[1:])),
        y_train=np.resize(arrays.train_labels, images),
        x_test=arrays.validation_images[:1000],
        y_test=arrays.validation_labels[:1000],
    )
    repeated = f", repeated from {found:,}" if images > found else ""
    return f"{images:,} {name}{repeated}"


def endless(batch: int, **fields: Any) -> RunConfig:
    """Return a run that goes on until it is stopped."""
    return RunConfig(knobs=Knobs(batch_size=batch), epochs=MAX_EPOCHS, **fields)


def session(about: RunConfig) -> "Session":
    """Return a loaded run that nothing is measured of unless it is asked for."""
    from bntui.train.session import Session

    return Session(RunRequest(about, NOTHING))


def headless(
    config: RunConfig,
    first: int,
    last: int,
    observation: Observation = NOTHING,
    recorder: Recorder | None = None,
) -> Stretch:
    """Run the engine on its thread, without a screen, and measure from one update to another."""
    runner = Runner(RunRequest(config, observation), recorder=lambda: recorder)
    runner.start()
    stretch = _follow(runner, first, last)
    runner.stop()
    runner.join()
    return stretch


def explored(
    config: RunConfig,
    first: int,
    last: int,
    observation: Observation = NOTHING,
    recorder: Recorder | None = None,
) -> Stretch:
    """Run the engine under the explorer, on this process's terminal, and measure likewise."""
    from bntui.ui.app import BntuiApp

    runner = Runner(RunRequest(config, observation), recorder=lambda: recorder)
    app = BntuiApp(lambda _: runner, RunRequest(config))

    def wait() -> Stretch:
        try:
            return _follow(runner, first, last)
        finally:
            app.call_from_thread(app.exit)

    with ThreadPoolExecutor(1) as side:
        waiting = side.submit(wait)
        app.run()
        runner.join()
        return waiting.result()


def _follow(runner: Runner, first: int, last: int) -> Stretch:
    begin, end = _reached(runner, first), _reached(runner, last)
    return Stretch(
        end.update - begin.update, end.images - begin.images, end.seconds - begin.seconds, end
    )


def _reached(runner: Runner, update: int) -> Snapshot:
    """Wait for the first snapshot at `update` or later."""
    while (snapshot := runner.snapshot).update < update:
        if snapshot.phase in {Phase.FAILED, Phase.STOPPED}:
            raise RuntimeError(f"{snapshot.message}\n{snapshot.traceback}")
        time.sleep(POLL_SECONDS)
    return snapshot
