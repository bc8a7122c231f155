"""Runs as a live one would record them, without a trainer."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bntui.core.config import Knobs, RunConfig
from bntui.core.run import Point, Recorder
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from tests.ui.scripted import facts, layers

CONFIG = RunConfig(seed=3, width=0.25, knobs=Knobs(batch_size=64, momentum=0.97))


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def state(update: int, **changes: Any) -> Snapshot:
    """Return a loaded run that trains and is at `update`."""
    values: dict[str, Any] = {
        "phase": Phase.RUNNING,
        "config": CONFIG,
        "facts": facts(),
        "knobs": CONFIG.knobs,
        "update": update,
        "epoch": 1 + update // 16,
        "images": 64 * update,
        "seconds": update / 10,
    }
    return Snapshot(**values | changes)


def loss(update: int) -> float:
    """Return a value that needs every digit of a double."""
    return math.exp(-update / 7)


def journal(updates: Iterable[int]) -> list[Point]:
    """Return what a run writes down at these updates: two series, one of them every fifth."""
    points: list[Point] = []
    for update in updates:
        points.append(("train_loss", update, loss(update)))
        points.append(("seconds", update, update / 10))
        if update % 5 == 0:
            points.append(("val_acc", update, 0.1 + update / 1000))
    return points


def report(epoch: int, **changes: Any) -> EpochReport:
    """Return the figures of an epoch of 16 updates."""
    values: dict[str, Any] = {
        "epoch": epoch,
        "update": 16 * epoch,
        "seconds": 1.6,
        "images_per_s": 640.0,
        "loss": 1 / epoch,
        "acc": 1 - 0.5 / epoch,
        "val_loss": 2.85,
        "val_acc": 0.114,
        "val_loss_fresh": 0.5 / epoch,
        "val_acc_fresh": 0.97,
        "layers": layers(),
        "logits_error": 4.1,
        "hindsight": (("0.9", 0.8), ("0.99", 0.114)),
    }
    return EpochReport(**values | changes)


def checkpoint(update: int, state: bytes = b"", run: str = "") -> Checkpoint:
    """Return a moment that can be returned to, with other knobs than the run began with."""
    knobs = replace(CONFIG.knobs, momentum=0.5)
    return Checkpoint(update, f"update {update}", replace(CONFIG, knobs=knobs), state, run)


def keep(
    path: Path,
    updates: int = 40,
    *,
    end: Phase = Phase.FINISHED,
    run: str = "",
    **changes: Any,
) -> str:
    """Record a whole run of so many updates, and return its id, which may be given."""
    recorder = StoreRecorder(path, run=run)
    feed(recorder, range(1, updates + 1), **changes)
    last = state(updates, **{**changes, "phase": end})
    recorder.record(last, ())
    recorder.close(last)
    assert not recorder.problem
    return recorder.run


def feed(recorder: Recorder, updates: range, **changes: Any) -> None:
    """Record updates as a runner does, ten at a time, with a report at each epoch's end."""
    for first in range(updates.start, updates.stop, 10):
        some = range(first, min(first + 10, updates.stop))
        for update in some:
            if update % 16 == 0:
                recorder.report(report(update // 16))
        snapshot = state(some[-1], **changes)
        seen = tuple(mark for mark in snapshot.marks if mark.update <= some[-1])
        recorder.record(replace(snapshot, marks=seen), journal(some))


def last_update(store: Store, run: str) -> int:
    """Return the last update of which the store has a value; 0 for none."""
    points = store.points(run)
    return int(points["train_loss"].updates[-1]) if points else 0
