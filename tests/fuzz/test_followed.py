"""Stored runs whose measurements somebody has changed, in the screens in which they are followed."""

import random
import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.snapshot import Phase, Snapshot
from bntui.store.database import Store
from bntui.store.schema import StoreError
from bntui.store.stored_snapshot import load_snapshot
from tests.fuzz import mutations
from tests.store.measured import WATCHED, everything
from tests.store.recorded import keep
from tests.ui.user import FULL, TABS, User, opened

FEW, PART = 12, 6
"""Files that `make test` tries, and so many in each test."""
PER_SITTING = 30
"""Files that one app looks at."""
KEYS = (
    *("1", "2", "3", "4", "5", "6", "tab", "up", "right", "down"),
    *("3", "up", "left", "m", "enter", "escape", "escape"),
    *("4", "down", "enter", "down", "enter", "escape", "escape"),
    *("w", "up", "down", "escape", "question_mark", "escape", "6", "pagedown"),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of ours and a watched training, of which all was measured."""
    path = tmp_path_factory.mktemp("sound") / "runs.sqlite"
    measured = everything(40)
    del measured["divergence"]
    keep(path, updates=40, **measured | {"watched": None})
    keep(path, updates=40, end=Phase.STOPPED, **measured | {"watched": WATCHED})
    return path


def changed(sound: Path, path: Path, seed: int) -> tuple[str, Snapshot | None]:
    """Return what was done to the store, and what can be read of one of its runs then."""
    rng = random.Random(seed)
    for file in path.parent.glob(f"{path.name}*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    shutil.copy(sound, path)
    tables = ("details",) if rng.random() < 0.8 else mutations.TABLES
    done = mutations.store(rng, path, tables)
    try:
        with Store(path) as store:
            run = rng.choice(store.runs() or [None])
            return done, replace(load_snapshot(store, run.id), followed=True) if run else None
    except StoreError:
        return done, None


async def look(user: User, snapshot: Snapshot) -> None:
    """Have a run shown, and go through the screens."""
    await user.see(snapshot)
    await user.press(*KEYS)
    while len(user.app.screen_stack) > 2:
        await user.press("escape")
    user.app.clear_notifications()
    assert user.app._exception is None


async def followed(sound: Path, path: Path, seeds: range) -> None:
    """Have stores looked at; a failure says what was in the last."""
    done = ""
    for first in range(seeds.start, seeds.stop, PER_SITTING):
        try:
            size = FULL if first % (2 * PER_SITTING) else TABS
            async with opened(size, follow="a" * 12) as user:
                for seed in range(first, min(first + PER_SITTING, seeds.stop)):
                    done, snapshot = changed(sound, path, seed)
                    done = f"file {seed}: {done}"
                    if snapshot is not None:
                        await look(user, snapshot)
        except Exception as error:
            raise AssertionError(f"{done}\n{traceback.format_exc()}") from error


@pytest.mark.parametrize("first", range(0, FEW, PART))
async def test_no_measurement_of_some_breaks_a_screen(
    sound: Path, tmp_path: Path, first: int
) -> None:
    await followed(sound, tmp_path / "runs.sqlite", range(first, first + PART))


@pytest.mark.long
@pytest.mark.timeout(0)
async def test_no_measurement_breaks_a_screen(
    sound: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    number = request.config.getoption("--files") // 10
    await followed(sound, tmp_path / "runs.sqlite", range(FEW, number))
