"""A small sweep whose cells are kept by who runs them, and who looks at it."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.core.sweep import Axis, Cell, Design, EpochOutcome, Standing, SweepView
from bntui.store.claims import Claim, claim
from bntui.store.follow_sweep import FollowedSweep
from tests.store.cells import at
from tests.store.recorded import report as recorded_report

PATIENCE = 60.0
DESIGN = Design(RunConfig(width=0.25, epochs=2), (Axis("batch_size", (16, 64)),), (0, 1))
CELLS = DESIGN.cells()
NAME = "sweep-1"
HINDSIGHT = tuple((name, round(0.01 * place, 2)) for place, name in enumerate(ROWS))
Follow = Callable[[], FollowedSweep]


def until(followed: FollowedSweep, condition: Callable[[SweepView], bool]) -> SweepView:
    """Return the first view seen of which a condition is true."""
    end = time.monotonic() + PATIENCE
    while not condition(view := followed.view):
        assert time.monotonic() < end, f"{view.message!r} {[one.standing for one in view.cells]}"
        time.sleep(0.01)
    return view


def report(epoch: int, **changes: Any) -> EpochReport:
    values = {"val_acc": 0.1 * epoch, "val_acc_fresh": 0.9, "hindsight": HINDSIGHT}
    return recorded_report(epoch, **{**values, **changes})


def outcome(epoch: int) -> EpochOutcome:
    rows = tuple(value for _, value in HINDSIGHT)
    return EpochOutcome(epoch, 16 * epoch, 0.1 * epoch, 0.9, rows)


def take(path: Path, cell: Cell, **how: Any) -> Claim:
    found = claim(path, cell, f"sweep {NAME}", **how)
    assert found is not None
    return found


def write(found: Claim, snapshot: Snapshot) -> None:
    """Write a state of a run now: at a change of phase."""
    found.recorder.record(replace(snapshot, phase=Phase.PAUSED), ())
    found.recorder.record(snapshot, ())
    assert not found.recorder.problem


def keep(path: Path, cell: Cell, phase: Phase, epochs: int = 2, **changes: Any) -> None:
    """Keep a cell's run that has ended so."""
    found = take(path, cell)
    for epoch in range(1, epochs + 1):
        found.recorder.report(report(epoch))
    found.recorder.close(at(cell, 16 * epochs, phase=phase, **changes))
    assert not found.recorder.problem


def standings(view: SweepView) -> list[Standing]:
    return [one.standing for one in view.cells]
