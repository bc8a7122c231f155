"""Snapshots of trainings by other code, as `bntui watch` makes them."""

from dataclasses import replace
from typing import Any

import numpy as np

from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import ROWS
from bntui.core.measured import NOT_COMPARED, Hindsight, Score, Validation
from bntui.core.snapshot import Phase, RunFacts, Snapshot
from bntui.core.watched import Found, Watched
from tests.ui.scripted import NAN, difference, history, layers

LAG = Found(
    "lag",
    "unsound",
    "running statistics lag behind the weights",
    ("Validation is 0.114 with running and 0.974 with fresh statistics (512 samples).",),
    ("set momentum=0.1 in every BatchNorm layer",),
)
FEW = Found(
    "few-values",
    "warning",
    "few values per channel",
    ("The batch of 4 gives layer4.1.bn2 16 values per channel.",),
    ("raise the batch size",),
)
SOUND = Found("sound", "remark", "running statistics are sound", ("0.93 and 0.93.",))
WATCHED = Watched(
    script="train.py --epochs 90",
    model="ResNet",
    momentum=0.001,
    optimizer="SGD",
    learning_rate=0.1,
    batch_size=32,
    score="accuracy",
    findings=(LAG, FEW),
    looked=90,
    notes=("layer1.0.bn1 is frozen: its statistics were not recovered.",),
    share=0.012,
)
BLIND = replace(WATCHED, score="", findings=(replace(LAG, evidence=("Variances are ×4.9 off.",)),))
"""A training that was given no validation data."""


def hindsight(*, distance: bool) -> Hindsight:
    """Return looks back at two updates: momentum 0.9 is best, the run's own 0.999 is not."""
    rows = list(ROWS)
    good = np.array([0.9 if name == "0.9" else 0.2 for name in rows])
    values = np.stack([1.2 - good, 1.0 - good] if distance else [good - 0.1, good], axis=1)
    if distance:
        values = np.round(values, 3)
    own = values[rows.index("0.999")]
    zero = np.zeros(2) if distance else np.full(2, 0.974)
    return Hindsight(
        names=tuple(rows),
        images=0 if distance else 512,
        updates=np.array([40.0, 90.0]),
        accuracy=values,
        own=own,
        fresh=zero,
        momentum=np.full(2, 0.999),
        recommended=0.9,
        distance=distance,
    )


def watched_run(watched: Watched = WATCHED, **changes: Any) -> Snapshot:
    """Return a followed training by other code after 97 updates; blind, where it has no score."""
    blind = not watched.score
    shown: dict[str, Any] = {
        "train_loss": history([2.3 * 0.95**update for update in range(97)]),
        "smooth_loss": history([2.3 * 0.96**update for update in range(97)]),
    }
    running, fresh = Score(2.85, 0.114, ()), Score(0.09, 0.974, ())
    if blind:  # a score that is not known is NaN, and so are its histories
        names = ("val_acc", "fresh_acc", "val_loss", "fresh_loss")
        shown |= {name: history([NAN] * 9, every=10) for name in names}
        running = fresh = Score(NAN, NAN, ())
    else:
        shown |= {
            "val_acc": history([0.114] * 9, every=10),
            "fresh_acc": history([0.1 * n for n in range(9)], every=10),
            "val_loss": history([2.85] * 9, every=10),
            "fresh_loss": history([2.0 * 0.8**n for n in range(9)], every=10),
        }
    shown |= {f"drift:{layer.name}": history([1.0] * 9, every=10) for layer in layers()}
    nan = {"network_error": NAN, "output_error": NAN} if blind else {}
    values: dict[str, Any] = {
        "phase": Phase.RUNNING,
        "run": "5c1e0ac1d2b3",
        "config": RunConfig(knobs=Knobs(batch_size=32, momentum=0.999, learning_rate=0.1)),
        "knobs": Knobs(batch_size=32, momentum=0.999, learning_rate=0.1),
        "facts": RunFacts("cpu", "", 1, 0, 11_689_512, (), 0),
        "update": 97,
        "images": 97 * 32,
        "seconds": 48.5,
        "validation": Validation(
            90,
            0 if blind else 512,
            running,
            fresh,
            layers(**nan),
            difference=NOT_COMPARED if blind else difference(-0.86, 2.76),
        ),
        "hindsight": hindsight(distance=blind),
        "watched": watched,
        "followed": True,
        "series": shown,
    }
    return Snapshot(**values | changes)
