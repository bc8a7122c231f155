"""The screen of a sweep on a real store: what another process keeps shows, and its runs are opened."""

import asyncio
from pathlib import Path

from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep
from bntui.ui.sweeps.app import SweepApp
from tests.store.cells import at
from tests.store.followed import NAME, keep, report, take
from tests.store.recorded import journal
from tests.ui.user import screen_text

PATIENCE = 60.0
DESIGN = Design(RunConfig(width=0.25, epochs=2), (Axis("batch_size", (16, 64)),), (0, 1))


async def test_it_fills_and_a_run_is_followed_and_left(
    path: Path,
) -> None:
    cells = DESIGN.cells()
    with Store(path) as store:
        store.put_sweep(NAME, DESIGN)
    app = SweepApp(FollowedSweep(path, NAME), None, archive=KeptRuns(), updates_per_second=20.0)

    async def see(text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in screen_text(app):
                await asyncio.sleep(0.02)

    async with app.run_test(size=(120, 40), notifications=True):
        await see("0 of 4 runs finished · 4 waiting")
        keep(path, cells[0], Phase.FINISHED)
        await see("1 of 4 runs finished · 3 waiting")
        await see("epoch 2, the newest")
        found = take(path, cells[1])
        found.recorder.report(report(1))
        found.recorder.record(at(cells[1], 16), journal([1, 16]))
        await see("1 running")
        await see("╱")
        app.simulate_key("enter")
        await see("seed 0   finished")
        app.simulate_key("enter")
        await see("back to the sweep")
        await see("■ finished")
        app.simulate_key("q")
        await see("1 of 4 runs finished")
        found.recorder.close(at(cells[1], 32, phase=Phase.FINISHED))
        await see("2 of 4 runs finished")
    assert app.all_ended
