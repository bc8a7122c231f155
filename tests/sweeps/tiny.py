"""A sweep of small cells with data of its own, and all that a store has of a cell but its times."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bntui.core.config import Knobs, RunConfig
from bntui.core.sweep import Axis, Design
from bntui.store.database import Store

TIMED = {"seconds", "images"}
"""Series whose values are taken when the clock says."""
SECONDS = 100.0
"""How long a test waits for what takes a second: machines differ."""


def data(folder: Path, train: int = 96, validation: int = 24) -> str:
    """Write images of two classes that can be told apart, once, and return the file's path."""
    path = folder / "tiny.npz"
    if path.exists():
        return str(path)
    draws = np.random.default_rng(0)

    def images(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        labels = np.arange(count) % 2
        noise = draws.integers(0, 128, (count, 16, 16))
        return (noise + 96 * labels[:, None, None]).astype(np.uint8), labels

    x_train, y_train = images(train)
    x_test, y_test = images(validation)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return str(path)


def design(
    folder: Path,
    *,
    epochs: int = 3,
    batches: tuple[int, ...] = (8, 32),
    seeds: tuple[int, ...] = (0,),
    pace: float = math.inf,
) -> Design:
    """Return a sweep over batch sizes. `pace` is in updates a second: a limit leaves time to end a run."""
    base = RunConfig(
        dataset=data(folder),
        width=1 / 32,
        device="cpu",
        threads=1,
        epochs=epochs,
        knobs=Knobs(batch_size=batches[0], momentum=0.9, pace=pace),
    )
    return Design(base, (Axis("batch_size", batches),), seeds)


def kept(path: Path, run: str) -> Mapping[str, Any]:
    """Return all that a store has of a run, exactly, but for what depends on the clock."""
    with Store(path) as store:
        stored = store.run(run)
        series = {
            name: (points.updates.tolist(), points.values.tobytes())
            for name, points in store.points(run).items()
            if name not in TIMED
        }
        details = {
            kind: _plain(detail.value)
            for kind, detail in store.details(run).items()
            if kind != "progress"
        }
        reports = [
            _plain(replace(report, seconds=0.0, images_per_s=0.0)) for report in store.reports(run)
        ]
        return {
            "state": (stored.state, stored.updates, stored.epoch, stored.images, stored.checkpoint),
            "figures": (stored.loss, stored.acc, stored.val_acc, stored.val_acc_fresh),
            "made of": (_unhurried(stored.config.knobs), _unhurried(stored.knobs), stored.facts),
            "series": series,
            "details": details,
            "reports": reports,
            "marks": store.marks(run),
        }


def _unhurried(knobs: Knobs) -> Knobs:
    return replace(knobs, pace=math.inf)


def _plain(value: Any) -> Any:
    """Return a value in which equal means equal to the last bit, also NaN."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(one) for name, one in _fields(value).items()}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
