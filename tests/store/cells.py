"""Runs of a sweep's cells as their processes would keep them, without a trainer."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bntui.core.config import RunConfig
from bntui.core.snapshot import Checkpoint, Phase, Snapshot
from bntui.core.sweep import Axis, Cell, Design
from bntui.store.claims import Claim, claim
from tests.store.recorded import journal, report, state

DESIGN = Design(RunConfig(width=0.25, epochs=2), (Axis("batch_size", (16, 64, 256)),), (0, 1))
CELL = DESIGN.cells()[1]
Take = Callable[..., Claim | None]


def at(cell: Cell, update: int, **changes: Any) -> Snapshot:
    """Return a cell's run at an update, 16 of them an epoch."""
    knobs = cell.config.knobs
    return state(update, **{"config": cell.config, "knobs": knobs, **changes})


def keep(path: Path, cell: Cell, phase: Phase, update: int = 20, **changes: Any) -> None:
    """Keep a cell's run that has ended so."""
    found = claim(path, cell, "sweep sweep-1")
    assert found is not None
    for epoch in range(1, update // 16 + 1):
        found.recorder.report(report(epoch))
    found.recorder.record(at(cell, update, **changes), journal(range(1, update + 1)))
    found.recorder.close(at(cell, update, phase=phase, **changes))
    assert not found.recorder.problem


def saved(cell: Cell, update: int = 16, **changes: Any) -> dict[str, Any]:
    """Return what keeps a checkpoint of a cell's run, made with two threads."""
    config = replace(cell.config, threads=2, **changes)
    return {"checkpoints": (Checkpoint(update, "epoch 1", config, b"a state", cell.id),)}
