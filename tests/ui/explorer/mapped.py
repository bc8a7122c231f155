"""A map of every momentum that is made up."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bntui.core.measured import Hindsight
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.looks import Looks, looks_of

NAMES = (
    *("0", "0.5", "0.8", "0.9", "0.95", "0.97", "0.98", "0.99", "0.995", "0.999"),
    *("bias-corrected", "cumulative", "warm-up"),
)
TOP_DOWN = [*reversed(NAMES[:10]), *NAMES[10:]]
LOW, MIDDLE, HIGH = 0.1, 0.6, 0.951


def hindsight(
    updates: Sequence[float] = (4, 12, 20),
    *,
    rows: Mapping[str, Sequence[float]] | None = None,
    own: Sequence[float] | None = None,
    momentum: float = 0.99,
) -> Hindsight:
    """Return moments at which every row is `LOW` but those given; own is the row of `momentum`."""
    table = {name: [LOW] * len(updates) for name in NAMES}
    table |= {name: list(values) for name, values in (rows or {}).items()}
    return Hindsight(
        names=NAMES,
        images=200,
        updates=np.array(updates, dtype=np.float64),
        accuracy=np.array([table[name] for name in NAMES]),
        own=np.array(table[f"{momentum:g}"] if own is None else own),
        fresh=np.full(len(updates), 0.974),
        momentum=np.full(len(updates), momentum),
    )


def looks(*arguments: Any, **options: Any) -> Looks:
    """Return the looks of such a map."""
    found = looks_of(Snapshot(hindsight=hindsight(*arguments, **options)))
    assert found is not None
    return found
