"""Runs are opened from a sweep and left again; what goes on is left as the app is."""

from collections.abc import Callable
from typing import Any

import pytest

from bntui.core.run_request import Follow
from bntui.core.sweep import SweepView
from bntui.core.text import ConfigError
from bntui.ui.explorer.screen import Explorer
from bntui.ui.remembered import Memory
from bntui.ui.sweeps import app
from bntui.ui.sweeps.behind import RunsBehindScreen
from tests.ui.scripted import mid_run
from tests.ui.sweeps.scripted import (
    TABS,
    ScriptedLead,
    ScriptedSource,
    Watcher,
    view_of,
    watching,
    words,
)


async def opened(watcher: Watcher) -> Explorer:
    """Open the first run behind the tile."""
    await watcher.press("enter", "enter")
    found = watcher.app.screen
    assert isinstance(found, Explorer)
    return found


@pytest.mark.parametrize("size", [(120, 40), TABS])
async def test_a_run_behind_a_tile_is_followed_in_the_explorer_and_q_comes_back(
    size: tuple[int, int],
) -> None:
    async with watching(view_of(14, running=3), size) as watcher:
        await watcher.press("enter")
        assert type(watcher.app.screen) is RunsBehindScreen
        assert "batch size 16 · momentum 0.99" in watcher.text
        assert "seed 0   finished" in watcher.text
        assert "epoch 4: running 1.000, fresh 1.000" in words(watcher.lines)
        await watcher.press("enter")
        explorer = watcher.app.shown_explorer
        assert explorer
        (run,) = watcher.runs.made
        cell = watcher.source.view.cells[0].cell
        assert run.request.origin == Follow(cell.id)
        assert run.request.config == cell.config
        explorer.follower.poll()
        await watcher.settle()
        assert "back to the sweep" in watcher.lines[-1]
        await watcher.press("q")
        await watcher.settle()
        assert watcher.in_front
        assert run.calls[-1] == "leave"
        assert watcher.lead
        assert watcher.lead.calls == ["start"]
        assert watcher.map.has_focus
        await watcher.press("up")
        assert watcher.map.cursor == (0, 8)


async def test_what_changed_meanwhile_is_shown_at_once() -> None:
    async with watching(view_of(2)) as watcher:
        await opened(watcher)
        watcher.source.view = view_of(24)
        watcher.screen.poll()
        assert "all 24" not in watcher.text
        await watcher.press("q")
        await watcher.settle()
        assert "all 24 runs finished" in watcher.text


async def test_keys_that_lead_a_run_do_nothing_there() -> None:
    async with watching(view_of(2)) as watcher:
        explorer = await opened(watcher)
        run = watcher.runs.made[0]
        run.snapshot = mid_run(run.request.config, followed=True)
        explorer.follower.poll()
        offered = [one.title for one in watcher.app.get_system_commands(explorer)]
        assert "Pause the run" not in offered
        await watcher.press("r", "k")
        assert len(watcher.runs.made) == 1
        await watcher.press("question_mark")
        assert "update 97" in watcher.text


async def test_ctrl_c_comes_back_too_from_a_dialog_over_the_explorer() -> None:
    async with watching(view_of(2)) as watcher:
        await opened(watcher)
        await watcher.press("question_mark", "ctrl+c")
        await watcher.settle()
        assert watcher.in_front


async def test_a_run_that_has_not_begun_is_not_opened() -> None:
    async with watching(view_of(0)) as watcher:
        await watcher.press("enter", "enter")
        assert watcher.in_front
        assert "has not begun yet" in watcher.text
        assert watcher.runs.made == []


async def test_a_run_that_is_gone_is_a_notice() -> None:
    async with watching(view_of(2)) as watcher:

        def gone(request: object) -> object:
            raise ConfigError("that run is no longer kept.")

        watcher.app._make_run = gone  # type: ignore[assignment]
        await watcher.press("enter", "enter")
        assert watcher.in_front
        assert "that run is no longer kept." in watcher.text


@pytest.mark.parametrize("leads", [True, False])
async def test_q_leaves_and_what_goes_on_is_left(leads: bool) -> None:
    async with watching(leads=leads) as watcher:
        await watcher.press("q")
    assert watcher.source.calls == ["start", "leave"]
    if watcher.lead:
        assert watcher.lead.calls == ["start", "leave"]
    assert watcher.app.return_code == 0


async def test_a_signal_leaves_the_lead_as_interrupted() -> None:
    async with watching() as watcher:
        watcher.app.asked_to_end = 143
        watcher.app.exit(return_code=143)
    assert watcher.lead
    assert watcher.lead.calls == ["start", "leave interrupted"]


async def test_leaving_from_the_explorer_by_a_signal_ends_what_follows() -> None:
    async with watching(view_of(2)) as watcher:
        await opened(watcher)
        watcher.app.exit(return_code=1)
    assert watcher.runs.made[0].calls[-1] == "leave"


class TestShow:
    """`show` without a terminal: what remains of it is said."""

    @pytest.fixture
    def shown(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
        monkeypatch.setattr(app, "on_this_terminal", lambda _: None)

        def show(lead: ScriptedLead | None, view: SweepView) -> int:
            source, memory = ScriptedSource(view), Memory()
            how: dict[str, Any] = {"archive": None, "plain": True, "theme": None}
            return app.show(source, lead, memory=memory, **how)

        return show

    def test_what_leads_tells_how_to_go_on(
        self, shown: Callable[..., int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert shown(ScriptedLead(), view_of(3)) == 0
        out, err = capsys.readouterr()
        assert out == (
            "sweep lr-and-batch: 3 of 24 runs are finished; `bntui sweep --resume lr-and-batch` goes on.\n"
        )
        assert err == ""

    def test_what_looks_on_tells_nothing(
        self, shown: Callable[..., int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert shown(None, view_of(3)) == 0
        assert capsys.readouterr() == ("", "")

    def test_why_the_lead_has_given_up_is_told_and_the_code_is_2(
        self, shown: Callable[..., int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        lead = ScriptedLead()
        lead.failure = "the store could not be used for 30 s."
        assert shown(lead, view_of(3)) == 2
        assert capsys.readouterr().err == "Error: the store could not be used for 30 s.\n"
