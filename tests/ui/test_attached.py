"""The explorer on runs that a real store keeps: another process's, live, and from one to the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from bntui.core.run import Command
from bntui.core.run_request import Follow, RunRequest
from bntui.core.snapshot import Phase
from bntui.store.archive import KeptRuns
from bntui.store.follow import followed
from bntui.store.recorder import StoreRecorder
from bntui.ui.app import BntuiApp
from bntui.ui.explorer.results import Results
from bntui.ui.runs.list import RunList
from bntui.ui.runs.screen import RunsScreen
from tests.store.recorded import journal, state
from tests.ui.user import screen_text
from tests.ui.watching import WATCHED, watched_run

PATIENCE = 30.0


@asynccontextmanager
async def attached(run: str) -> AsyncIterator[tuple[BntuiApp, Callable[[str], Awaitable[None]]]]:
    """Attach to a run; beside the app comes what waits until the screen shows a text."""
    request = RunRequest(KeptRuns().load(run).config, origin=Follow(run))
    app = BntuiApp(followed, request, archive=KeptRuns(), updates_per_second=20.0)

    async def see(text: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while text not in screen_text(app):
                await asyncio.sleep(0.02)

    async with app.run_test(size=(120, 40), notifications=True):
        yield app, see


async def test_a_watched_training_isfollowed_asked_and_left_alone(path: Path) -> None:
    recorder = StoreRecorder(path, clock=count().__next__)  # a second passes between two calls
    asked = watched_run(replace(WATCHED, control=True), run=recorder.run, followed=False)
    recorder.record(asked, journal([1, 2]))
    async with attached(recorder.run) as (app, see):
        await see("running · update 97")
        await see("Running statistics lag behind the weights · 1 more finding")
        await see("every torch momentum")
        recorder.record(replace(asked, update=98, seconds=49.0), journal([3]))
        await see("running · update 98")
        app.simulate_key("c")
        await see("the watched training is asked to recalibrate")
        async with asyncio.timeout(PATIENCE):
            while not (requests := recorder.requested()):
                recorder.record(replace(asked, update=98, seconds=49.0), ())
                await asyncio.sleep(0.1)
        assert requests == (Command.RECALIBRATE,)
    recorder.record(replace(asked, update=99), journal([4]))
    assert recorder.problem == ""
    recorder.close(replace(asked, update=99, phase=Phase.FINISHED))


async def test_another_run_is_opened_from_the_list(path: Path) -> None:
    first, second = StoreRecorder(path), StoreRecorder(path)
    first.record(state(5, run=first.run), journal([1, 5]))
    first.close(state(5, run=first.run, phase=Phase.FINISHED))
    second.record(watched_run(run=second.run, followed=False), journal([1]))
    async with attached(second.run) as (app, see):
        await see("train.py --epochs 90")
        app.simulate_key("o")
        await see("2 runs")
        listed = app.screen.query_one(RunList)
        async with asyncio.timeout(PATIENCE):
            while listed.chosen is None or listed.chosen.id != first.run:
                app.simulate_key("down")
                await asyncio.sleep(0.05)
        assert "R  open" in screen_text(app).replace(" R open", " R  open")
        offered = [one.title for one in app.get_system_commands(app.screen)]
        assert "Open the chosen run" in offered
        app.simulate_key("R")
        await see("■ finished")
        assert not isinstance(app.screen, RunsScreen)
        await see("batch norm on")
        await see("estimator  momentum")
        assert "was" not in [name for name, _ in app.explorer.query_one(Results)._ghosts]
    second.close(watched_run(run=second.run, phase=Phase.FINISHED))


async def test_a_run_that_is_interrupted_says_so(path: Path) -> None:
    recorder = StoreRecorder(path)
    recorder.record(watched_run(run=recorder.run, followed=False), journal([1]))
    async with attached(recorder.run) as (_, see):
        await see("▶ running")
        recorder.close(watched_run(run=recorder.run, phase=Phase.INTERRUPTED))
        await see("■ interrupted")
        await see("It was interrupted: what was recorded until then is shown")
