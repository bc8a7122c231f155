"""The runs that are kept as somebody at the keyboard meets them, over a store of their own."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from bntui.core.run_request import Resume
from bntui.core.snapshot import Mark, Phase
from bntui.core.text import ConfigError
from bntui.machine.places import store_path
from bntui.store.archive import KeptRuns
from bntui.store.rows import StoredRun
from bntui.ui.runs.comparison import ComparisonScreen
from bntui.ui.runs.screen import RunsScreen
from bntui.ui.terminal.glyphs import Glyphs
from tests.store.hostile_notes import HOSTILE
from tests.store.recorded import CONFIG as STORED
from tests.store.recorded import checkpoint
from tests.ui.runs.kept_runs import interrupt, kept, listed, rows, stored
from tests.ui.user import CONFIG, FULL, TABS, opened

SIZES = [FULL, TABS, (60, 16)]


class TestList:
    @pytest.mark.parametrize("size", SIZES)
    async def test_newest_first_with_what_is_known_of_the_chosen_one(
        self, size: tuple[int, int]
    ) -> None:
        ids = [kept(config=replace(STORED, seed=seed)) for seed in range(3)]
        async with listed(size) as user:
            assert rows(user) == [run[:6] for run in reversed(ids)]
            assert "╭─ 3 runs, sorted by when ─" in user.text
            assert f"{ids[2]} · finished" in user.part("#about")
            await user.press("down", "down", "down")
            assert f"{ids[0]} · finished" in user.part("#about")
            await user.press("home")
            assert f"{ids[2]} · finished" in user.part("#about")

    async def test_an_interrupted_run_stands_out_if_it_can_go_on(self) -> None:
        kept()
        interrupt(kept(checkpoints=(checkpoint(32),), end=Phase.STOPPED))
        interrupt(kept())
        async with listed() as user:
            assert "■ interrupted" in user.text
            assert "left no checkpoint to go on from" in user.part("#about")
            await user.press("down")
            assert "! interrupted" in user.text
            assert "R resumes it from update 32" in user.part("#about")
            assert "√ finished" in user.text

    async def test_i_goes_on_with_the_last_run_whose_row_says_that_it_can(self) -> None:
        older = kept(checkpoints=(checkpoint(32),), end=Phase.STOPPED)
        interrupt(older)
        interrupt(kept())
        kept()
        async with opened(archive=KeptRuns()) as user:
            await user.press("i")
            await user.until(lambda: len(user.runs.made) == 2)
            origin = user.run.request.origin
            assert isinstance(origin, Resume)
            assert (origin.checkpoint.run, origin.checkpoint.update) == (older, 32)
            assert f"run {older[:6]} goes on from update 32" in user.text

    async def test_where_i_can_go_on_with_none_it_says_why(self) -> None:
        async with opened(archive=KeptRuns()) as user:
            await user.press("i")
            await user.until(lambda: "no run was interrupted" in user.part())
        runs = [kept(), kept()]
        for run in runs:
            interrupt(run)
        async with opened(archive=KeptRuns()) as user:
            await user.press("i")
            await user.until(lambda: "2 runs were interrupted" in user.part())
            assert f"run {runs[1]} was interrupted and left no checkpoint" in user.part()
            assert len(user.runs.made) == 1

    async def test_without_runs_it_says_so(self) -> None:
        async with listed() as user:
            assert "No run is kept yet." in user.part("#runs")
            for key in ("enter", "space", "equals_sign", "e", "p", "delete", "y", "R", "s", "down"):
                await user.press(key)
            assert "No run is kept yet." in user.part("#runs")

    @pytest.mark.parametrize("size", [FULL, (60, 16)])
    async def test_a_store_that_can_not_be_read_is_one_sentence(
        self, size: tuple[int, int]
    ) -> None:
        store_path().write_text("not a database at all, but long enough to be taken for one" * 20)
        async with listed(size) as user:
            assert "can't be used: file is not a database; name another" in user.part("#runs")
            await user.press("escape")
            assert "accuracy" in user.text

    async def test_a_store_that_is_slow_keeps_nobody_waiting(self) -> None:
        kept()
        go_on = threading.Event()

        class Slow(KeptRuns):
            def runs(self) -> list[StoredRun]:
                go_on.wait(30)
                return super().runs()

        async with opened(archive=Slow()) as user:
            await user.press("o")
            assert "reading the runs that are kept" in user.text
            await user.press("slash", "x", "escape", "escape")
            assert "evidence" in user.text
            await user.press("o")
            go_on.set()
            await user.until(lambda: "1 run, sorted by when" in user.text)

    async def test_a_list_longer_than_the_screen_scrolls_with_the_chosen_run(self) -> None:
        ids = [f"{number:06x}" for number in range(0xABC000, 0xABC064)]

        class Many(KeptRuns):
            def runs(self) -> list[StoredRun]:
                return [stored(id=f"{run}{run}") for run in ids]

        async with listed(TABS, archive=Many()) as user:
            shown = len(rows(user))
            assert 5 < shown < 20
            assert rows(user) == ids[:shown]
            await user.press("end")
            assert rows(user) == ids[-shown:]
            await user.press("pageup", "pageup")
            assert ids[-1] not in rows(user)
            await user.press("home", *["down"] * shown)
            assert rows(user) == ids[1 : shown + 1]
            await user.press("up")
            assert rows(user) == ids[1 : shown + 1]

    async def test_what_others_wrote_is_shown_literally(self) -> None:
        kept(HOSTILE)
        for glyphs in (Glyphs.BRAILLE, Glyphs.ASCII):
            async with listed(glyphs=glyphs) as user:
                assert "[bold]loud[/bold]" in user.part("#about")
                assert r"\x1b[31mred" in user.part("#about")
                assert not any(
                    ord(character) < 32 for line in user.text.splitlines() for character in line
                )
                if glyphs is Glyphs.ASCII:
                    assert user.text.isascii()
                await user.press("e")
                assert r"\x00 \u202eback %s" in user.part("PromptScreen Vertical")

    async def test_a_note_in_any_script_is_shown(self) -> None:
        kept("学習率を下げた")
        async with listed() as user:
            assert "学習率を下げた" in user.part("#about")


class TestTaking:
    async def test_enter_lays_a_run_over_the_charts_and_takes_it_away_again(self) -> None:
        run = kept(updates=60)
        async with listed() as user:
            await user.press("enter")
            await user.until(lambda: not isinstance(user.app.screen, RunsScreen))
            assert f"0.160 {run[:6]} running" in user.part("#panel-1")
            await user.press("r")  # it stays behind runs to come
            await user.see(series={})
            assert f"{run[:6]} running" in user.part("#panel-1")
            await user.press("o")
            await user.until(lambda: "over the charts" in user.text)
            await user.press("enter")
            await user.until(lambda: not isinstance(user.app.screen, RunsScreen))
            assert f"{run[:6]} running" not in user.part("#panel-1")

    async def test_y_gives_the_exact_command_line(self) -> None:
        run = kept(marks=(Mark(30, "momentum 0.97→0.9", "momentum=0.9"),))
        async with listed() as user:
            await user.press("y")
            await user.until(lambda: "to repeat run" in user.text)
            assert KeptRuns().command(run) in user.part()
            assert "--at 30:momentum=0.9" in user.part()

    async def test_an_interrupted_run_is_resumed_where_it_left_off(self) -> None:
        run = kept(end=Phase.STOPPED, checkpoints=(checkpoint(32),))
        interrupt(run)
        async with listed() as user:
            await user.press("R")
            await user.until(lambda: len(user.runs.made) == 2)
            origin = user.run.request.origin
            assert isinstance(origin, Resume)
            assert (origin.checkpoint.run, origin.checkpoint.update) == (run, 32)
            old, new = user.runs.made
            assert "stop" in old.calls
            assert new.calls == ["start"]
            assert not isinstance(user.app.screen, RunsScreen)

    async def test_a_run_with_nothing_to_resume_from_says_so(self) -> None:
        kept()
        async with listed() as user:
            await user.press("R")
            await user.until(lambda: "left no checkpoint" in user.part())
            assert len(user.runs.made) == 1

    async def test_a_run_that_can_not_be_resumed_after_all_leaves_the_other_alone(self) -> None:
        kept(end=Phase.STOPPED, checkpoints=(checkpoint(32),))
        async with listed() as user:
            made = user.runs

            def refuse(*_: object) -> Any:
                raise ConfigError("run x is under way in another bntui.")

            user.app.explorer.current.make_run = refuse
            await user.press("R")
            await user.until(lambda: "under way in another bntui" in user.part())
            assert made.made[0].calls == ["start"]
            assert user.app.explorer.run is made.made[0]


class TestComparing:
    async def test_two_marked_runs_are_compared(self) -> None:
        one = kept("first", updates=60)
        kept()
        other = kept(config=replace(STORED, norm="ghost", seed=4), updates=90)
        async with listed() as user:
            await user.press("space", "end", "space", "equals_sign")
            await user.until(lambda: isinstance(user.app.screen, ComparisonScreen))
            assert f"A: run {other[:6]} B, faint: run {one[:6]} first" in user.part("#differences")
            assert "norm ghost batch" in user.part("#differences")
            await user.press("escape")
            assert isinstance(user.app.screen, RunsScreen)
            assert "marked B" in user.part("#about")
            await user.press("space")
            assert "marked" not in user.part("#about")

    async def test_without_marks_the_chosen_run_is_compared_with_the_one_under_way(self) -> None:
        kept()
        async with listed() as user:
            await user.press("equals_sign")
            await user.until(lambda: isinstance(user.app.screen, ComparisonScreen))
            assert "B, faint: this run" in user.part("#differences")
            assert "0.114 B running" in user.part("#panel-1")


class TestKeys:
    async def test_the_help_opens_from_the_list(self) -> None:
        async with listed() as user:
            await user.press("question_mark")
            assert "val_acc: Keras's name for validation accuracy" in user.text
            await user.press("2")
            assert "write a note; pin a run to the top" in user.text

    async def test_all_keys_are_named_below_where_there_is_room(self) -> None:
        async with listed() as user:
            last = user.text.splitlines()[-1]
            for name in ("overlay", "find", "sort", "mark", "compare", "note", "pin", "delete"):
                assert name in last
            assert last.rstrip().endswith("y repeat  R resume  ? help  esc close")

    async def test_where_nothing_is_kept_o_says_so(self) -> None:
        async with opened() as user:
            await user.press("o")
            assert "no runs are kept here" in user.text
            assert user.run.snapshot.config == CONFIG
