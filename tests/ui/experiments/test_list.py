"""The list of guided experiments: what it tells of each, and how one is begun."""

from dataclasses import replace
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.widgets import OptionList

from bntui.experiments.library import built_in, configs_of
from bntui.store.archive import KeptRuns
from bntui.store.rows import StoredRun
from bntui.store.writing import State
from bntui.ui.experiments.progress import Experiments
from bntui.ui.experiments.sheet import THE_THREAD
from bntui.ui.explorer.screen import Explorer
from bntui.ui.words.thread import POSTS
from tests.ui.experiments.course import SMALL, TWO, begin, experiments, finish
from tests.ui.runs.kept_runs import stored
from tests.ui.user import CONFIG, FULL, TABS, User, opened


class TestList:
    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_has_every_experiment_and_says_what_the_chosen_one_is_about(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size, experiments=experiments()) as user:
            await user.press("g")
            for text in ("1 Two momenta", "[red]:smile:", "2 runs · ", "2 One run", "1 run · "):
                assert text in user.part("OptionList")
            assert ("post 1 · 2 runs" in user.part("OptionList")) is (size == FULL)
            sheet = user.part("#sheet")
            assert "post 1 of the thread: batch 4096 breaks validation" in sheet
            assert "Old values stay. Watch the gap between the curves." in sheet
            assert "Runs, each with width 0.25 · epochs 2" in sheet
            assert "m = 0.99 as the thread's run at batch 4096 m = 0.9: momentum 0.9" in sheet
            await user.press("down")
            sheet = user.part("#sheet")
            assert "2. One run" in sheet
            assert "Runs run: epochs 3 · at 4:recalibrate" in sheet

    async def test_esc_leaves_everything_as_it_is(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "escape")
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 1

    async def test_the_sheet_can_be_read_and_begun_from(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "down", "tab", "enter")
            assert "Well?" in user.text

    async def test_without_experiments_it_says_so(self) -> None:
        async with opened() as user:
            await user.press("g")
            assert "there are no experiments here" in user.text


def kept(arm: int, **changes: Any) -> StoredRun:
    """Return a run of the store: the arm of the first experiment in this place, as it ended."""
    run = stored(note=TWO.note(TWO.arms[arm]), config=CONFIG, images=16_000, updates=64)
    return replace(run, **{"seconds": 8.0, **changes})


class Shelf(KeptRuns):
    """A store with these runs."""

    def __init__(self, *runs: StoredRun) -> None:
        self._runs = list(runs)

    def runs(self) -> list[StoredRun]:
        return self._runs


class TestStanding:
    async def listed(self, user: User, *runs: StoredRun) -> str:
        """Open the list, and return what it says once it has read the store."""
        await user.press("g")
        if runs:
            await user.until(lambda: "about 8 s" in user.part("OptionList"))
        return user.part("OptionList")

    async def test_times_are_from_the_run_at_hand(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.see(images=16_000, update=64, seconds=16.0)  # 0.25 s an update
            said = await self.listed(user)
            assert "2 runs · about 16 s" in said  # twice two epochs of 16 updates
            assert "about 16 s on this machine" in user.part("#sheet")

    async def test_where_nothing_was_measured_there_is_no_figure(self) -> None:
        async with opened(experiments=experiments(), loaded=False) as user:
            assert "2 runs · –" in await self.listed(user)
            assert "no run like it was measured here yet" in user.part("#sheet")

    async def test_the_store_knows_more(self) -> None:
        run = kept(0, note="")
        async with opened(experiments=experiments(), loaded=False, archive=Shelf(run)) as user:
            said = await self.listed(user, run)
            assert "2 runs · about 8 s" in said
            assert "done" not in said

    async def test_one_is_done_once_every_run_of_it_is_kept(self) -> None:
        first, second = kept(0), kept(1)
        for runs, done in (
            ((first,), False),
            ((first, replace(second, state=State.STOPPED)), False),
            ((first, second), True),
        ):
            shelf = Shelf(*runs)
            async with opened(experiments=experiments(), loaded=False, archive=shelf) as user:
                assert ("√ done" in await self.listed(user, *runs)) is done
                assert ("√ done" in user.part("#sheet")) is done

    @pytest.mark.parametrize(
        ("answer", "told"),
        [("2", "√ done, as you pred"), ("1", "√ done, not as you pred"), ("enter", "√ done Old")],
    )
    async def test_this_session_knows_the_prediction_too(self, answer: str, told: str) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user, answer)
            await finish(user, 0.2)
            await finish(user, 0.9)
            await user.press("escape", "g", "g", "up")
            assert "√ done · post 1 · 2 runs" in user.part("OptionList")
            sheet = user.part("#sheet")
            assert told in sheet


class TestThread:
    async def test_the_thread_stands_before_the_experiments(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "up")
            assert THE_THREAD in user.part("OptionList").split(" 1 ")[0]
            sheet = user.part("#sheet")
            assert "bntui grew out of a thread on a forum" in sheet
            for post in POSTS:
                assert f"Post {post.number} · " in sheet
            await user.press("enter")
            assert user.app.screen.focused is user.app.screen.query_one(VerticalScroll)
            assert len(user.runs.made) == 1

    async def test_the_first_experiment_is_chosen_to_begin_with(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "enter")
            assert "Which validates better?" in user.text


@pytest.mark.parametrize("size", [FULL, TABS, SMALL])
async def test_no_word_of_the_list_is_cut(size: tuple[int, int]) -> None:
    offered = Experiments(built_in, lambda experiment: configs_of(experiment, {}))
    async with opened(size, experiments=offered) as user:
        await user.press("g")
        listed = user.app.screen.query_one(OptionList)
        known = set(" ".join(one.title for one in built_in()).split())
        for place in range(listed.option_count):
            listed.highlighted = place
            listed.scroll_to_highlight(top=True)
            await user.settle()
            for word in user.part("OptionList").split():
                if word.isalpha() and word[0].isupper():
                    assert word in known | set(THE_THREAD.split())


async def test_the_header_goes_on_telling_of_the_run() -> None:
    async with opened(experiments=experiments()) as user:
        await user.press("g")
        assert "update 97" in user.text.splitlines()[0]
        await user.see(update=98)
        assert "update 98" in user.text.splitlines()[0]


async def test_a_click_chooses_and_another_one_on_the_chosen_opens() -> None:
    async with opened(experiments=experiments()) as user:
        await user.press("g")
        listed = user.app.screen.query_one(OptionList)
        row = next(y for y, line in enumerate(user.text.splitlines()) if "2 One run" in line)
        at = (6, row - listed.region.y)
        await user.pilot.click(listed, offset=at)
        await user.settle()
        assert "2. One run" in user.part("#sheet")
        await user.pilot.click(listed, offset=at)
        await user.settle()
        assert "Well?" in user.text
