"""A training in one terminal, and `bntui attach` in another below it: the README's picture of watching.

Both are real: the example is run, and the explorer follows it from the store. So no two pictures are the
same, and this one is made only when it is asked for (`python -m tools.pictures attach-beside`).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rich.style import Style

from bntui.core.run_request import Follow, RunRequest
from bntui.store.database import Store
from bntui.store.follow import Followed, which
from bntui.store.schema import StoreError
from bntui.ui.app import BntuiApp
from tools.gallery.page import ROOT
from tools.gallery.svg import Rows, still
from tools.picture_checks.shown import Cell, cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from bntui.core.run import Run
    from bntui.core.snapshot import Snapshot
    from bntui.store.rows import StoredRun

SIZE = (120, 34)
EXAMPLE = ("examples/resnet_on_photos.py", "--epochs", "12")
SEEN_AT = 56
"""The update after which the picture is taken: when three epochs are printed."""
ABOVE = 4
"""Lines of the training's terminal."""
PATIENCE = 900.0
TYPED, PRINTED = Style(bold=True), Style(dim=True)


async def beside() -> str:
    """Return the picture. Raises TimeoutError if the training doesn't come so far."""
    training = subprocess.Popen(
        [sys.executable, "-u", *EXAMPLE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        below = await _attached()
    finally:
        training.kill()
        printed, _ = training.communicate()
    return still([*_terminal(f"python {' '.join(EXAMPLE)}", printed, below), *below])


async def _attached() -> Rows:
    """Return what `bntui attach` shows of the training when it has come far enough."""
    await _until(lambda: _newest() is not None)
    run = _newest()
    assert run
    app = BntuiApp(_followed, RunRequest(run.config, origin=Follow(run.id)))
    async with app.run_test(size=SIZE) as pilot:
        await _until(lambda: _is_far(app.explorer.run.snapshot))
        await pilot.pause(1.0)
        return cells(app)


def _terminal(command: str, printed: str, below: Rows) -> Rows:
    """Return the rows of the terminal above, and the command that was typed in the one below."""
    ground = below[1][-1].style.bgcolor
    lines = [f"$ {command}", *printed.splitlines()]
    lines += [""] * (ABOVE - len(lines))
    rows = [*lines[:ABOVE], "─" * SIZE[0], "$ bntui attach"]
    return [
        [
            Cell(one, (TYPED if row.startswith("$") else PRINTED) + Style(bgcolor=ground))
            for one in row.ljust(SIZE[0])
        ]
        for row in rows
    ]


def _is_far(snapshot: Snapshot) -> bool:
    looks = snapshot.series.get("val_acc")
    mapped = snapshot.hindsight
    return (
        snapshot.update >= SEEN_AT and (looks is not None and len(looks) > 1) and mapped is not None
    )


def _newest() -> StoredRun | None:
    with Store() as store:
        try:
            return which(store, None)
        except StoreError:  # the training still loads
            return None


def _followed(request: RunRequest) -> Run:
    assert isinstance(request.origin, Follow)
    with Store() as store:
        return Followed(store.path, store.run(request.origin.run))


async def _until(come: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not come():
        if time.monotonic() > end:
            raise TimeoutError(f"{EXAMPLE[0]} has not come far enough in {PATIENCE:.0f} s")
        await asyncio.sleep(0.2)
