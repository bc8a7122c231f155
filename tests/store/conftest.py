"""A store that is open, cells that are claimed of it, and who follows a sweep there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bntui.core.snapshot import Snapshot
from bntui.core.sweep import Cell
from bntui.store.claims import Claim, claim
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep
from tests.store.cells import CELL, Take
from tests.store.followed import DESIGN, NAME, PATIENCE, Follow


@pytest.fixture
def take(path: Path) -> Iterator[Take]:
    """Claim cells as a sweep's process does, and leave them at the test's end."""
    taken: list[Claim] = []

    def take(cell: Cell = CELL, **how: Any) -> Claim | None:
        found = claim(path, cell, "sweep sweep-1", **how)
        if found is not None:
            taken.append(found)
        return found

    yield take
    for one in taken:
        one.recorder.close(Snapshot())


@pytest.fixture
def sweep_is_kept(path: Path) -> None:
    """Have the store keep the sweep that is followed."""
    with Store(path) as store:
        store.put_sweep(NAME, DESIGN)


@pytest.fixture
def follow(path: Path) -> Iterator[Follow]:
    """Follow the sweep that is kept there, until the test's end."""
    begun: list[FollowedSweep] = []

    def begin() -> FollowedSweep:
        followed = FollowedSweep(path, NAME)
        begun.append(followed)
        followed.start()
        return followed

    yield begin
    assert all(followed.leave(PATIENCE) for followed in begun)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """Open the store until the test's end."""
    with Store(path) as store:
        yield store
