"""Runs that are kept, and the list of them on a screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import Any

from bntui.core.config import Knobs, RunConfig
from bntui.core.watched import Found, Watched
from bntui.machine.places import store_path
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.store.rows import StoredRun
from bntui.store.schema import connect
from bntui.store.writing import State, change_run
from bntui.ui.runs.list import RunList
from tests.store.recorded import CONFIG as STORED
from tests.store.recorded import keep
from tests.ui.scripted import facts
from tests.ui.user import FULL, User, opened

NAN = float("nan")


def kept(note: str = "", *, config: RunConfig = STORED, **changes: Any) -> str:
    """Keep a run, and return its id."""
    run = keep(store_path(), config=config, knobs=config.knobs, **changes)
    with Store() as store:
        store.set_note(run, note)
    return run


def interrupt(run: str) -> None:
    """Leave a run as a killed program does."""
    with closing(connect(store_path(), patience=1.0)) as connection:
        change_run(connection, run, "state = 'running'")


@asynccontextmanager
async def listed(size: tuple[int, int] = FULL, **options: Any) -> AsyncIterator[User]:
    """Open the list of what is kept."""
    async with opened(size, archive=options.pop("archive", KeptRuns()), **options) as user:
        await user.press("o")
        await user.until(lambda: "reading the runs that are kept" not in user.text)
        yield user


WATCHED = Watched(
    "train.py --epochs 9",
    "ResNet",
    momentum=0.1,
    batch_size=32,
    optimizer="SGD",
    findings=(Found("lag", "unsound", "lag"),),
)


def rows(user: User) -> list[str]:
    """Return how the ids in sight begin, row by row."""
    area = user.app.screen.query_one(RunList).region
    lines = user.text.splitlines()[area.y + 2 : area.bottom - 1]
    ids = [line[area.x + 6 : area.x + 12].strip() for line in lines]
    return [run for run in ids if run]


def stored(**changes: Any) -> StoredRun:
    values: dict[str, Any] = {
        "id": "0123456789ab",
        "state": "finished",
        "started": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        "ended": datetime(2026, 3, 4, 5, 7, tzinfo=UTC),
        "config": RunConfig(),
        "unknown": (),
        "knobs": Knobs(),
        "facts": facts(),
        "versions": {},
        "parent": None,
        "branched": None,
        "message": "",
        "updates": 160,
        "epoch": 10,
        "images": 40_000,
        "seconds": 21.5,
        "loss": 0.1,
        "acc": 0.98,
        "val_acc": 0.1135,
        "val_acc_fresh": NAN,
        "checkpoint": None,
        "note": "",
        "pinned": False,
        "deleted": None,
    }
    values |= changes
    return StoredRun(**values | {"state": State(values["state"])})
