"""The runs that are kept as somebody at the keyboard meets them, over a store of their own."""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bntui.core.cells import cell_len
from bntui.core.config import Knobs, RunConfig
from bntui.core.run_request import Resume
from bntui.core.snapshot import Mark, Phase
from bntui.core.sweep import cell_id
from bntui.core.text import ConfigError
from bntui.core.watched import Found, Watched
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.store.rows import StoredRun
from bntui.store.schema import connect
from bntui.store.writing import State, change_run
from bntui.ui.runs.columns import (
    OURS,
    RUN_COLUMNS,
    about,
    fitting,
    measured,
    when,
    whole_words,
    written,
)
from bntui.ui.runs.comparison import ComparisonScreen
from bntui.ui.runs.list import RunList
from bntui.ui.runs.screen import RunsScreen
from bntui.ui.terminal.glyphs import Glyphs
from tests.store.recorded import CONFIG as STORED
from tests.store.recorded import checkpoint, keep
from tests.store.test_database import HOSTILE
from tests.ui.scripted import facts
from tests.ui.user import CONFIG, FULL, TABS, User, opened

NAN = float("nan")
SIZES = [FULL, TABS, (60, 16)]


def path() -> Path:
    return Path(os.environ["BNTUI_STORE"])


def kept(note: str = "", *, config: RunConfig = STORED, **changes: Any) -> str:
    """Keep a run, and return its id."""
    run = keep(path(), config=config, knobs=config.knobs, **changes)
    with Store() as store:
        store.set_note(run, note)
    return run


def interrupt(run: str) -> None:
    """Leave a run as a killed program does."""
    with closing(connect(path(), patience=1.0)) as connection:
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


class TestWatched:
    def test_a_training_of_others_has_its_script_and_no_settings_of_ours(self) -> None:
        run = stored(watched=WATCHED, val_acc=NAN)
        columns = {column.name: column.text(run) for column in measured([run, stored()])}
        assert columns["script"] == "train.py --epochs 9 · ResNet"
        assert (columns["momentum"], columns["batch_size"]) == ("0.1 (torch's)", "32")
        settings = ("norm", "estimator", "width", "learning_rate")
        assert {columns[name] for name in settings} == {"–"}

    def test_without_one_there_is_no_column_for_scripts(self) -> None:
        assert "script" not in {column.name for column in measured([stored()])}

    def test_what_is_known_of_it_and_what_was_found(self) -> None:
        (first, _), (known, _), (found, _), *_ = about(stored(watched=WATCHED))
        assert "train.py --epochs 9 · ResNet" in first
        assert known == "batch size 32 · momentum 0.1 (torch's) · optimiser SGD"
        assert found == "unsound: lag"


class TestColumns:
    @pytest.mark.parametrize("width", [50, 56, 74, 80, 114, 200])
    def test_they_fill_the_width_and_no_more(self, width: int) -> None:
        shown = fitting(width)
        assert sum(column.width + 1 for column in shown) <= width
        names = [column.name for column in shown]
        assert names == [column.name for column in RUN_COLUMNS if column.name in names]
        assert {"id", "state", "val_acc", "val_acc_fresh"} <= set(names)

    def test_all_are_there_where_there_is_room_and_the_note_takes_the_rest(self) -> None:
        shown = fitting(200)
        assert [column.name for column in shown] == [column.name for column in OURS]
        assert sum(column.width + 1 for column in shown) == 200

    def test_a_run_is_written_as_a_row(self) -> None:
        config = RunConfig(width=0.25, knobs=Knobs(4096, 0.995, "bias-corrected", 0.0005))
        run = stored(config=config, state="interrupted", checkpoint=32, note="a long note about it")
        text = "".join(written(column, column.text(run)) for column in OURS)
        assert text[13:] == (
            "! interrupted digits   batch   4096 0.995 b-cor    0.0005   0.25     160  0.1135"
            "      – a long … "
        )

    @pytest.mark.parametrize(
        ("note", "cells", "shown"),
        [
            ("the control", 11, "the control"),
            ("the control", 10, "the …"),
            ("forgets the start value sooner", 14, "forgets the …"),
            ("unbreakable", 8, "unbreakable"),
            ("数 字字字字", 6, "数 …"),
        ],
    )
    def test_a_note_keeps_whole_words(self, note: str, cells: int, shown: str) -> None:
        assert whole_words(note, cells) == shown

    @pytest.mark.parametrize("width", [50, 80, 200])
    def test_figures_and_usual_names_are_never_cut(self, width: int) -> None:
        config = RunConfig(knobs=Knobs(65536, 0.99999, learning_rate=0.000123), width=0.12345)
        named = replace(facts(), dataset="fashion-mnist")
        run = stored(config=config, updates=1_000_000_000, facts=named)
        shown = fitting(width, measured([stored(), run]))
        assert sum(column.width + 1 for column in shown) <= width
        for column in shown:
            assert written(column, column.text(run)).strip() == column.text(run)

    def test_wide_characters_are_measured_in_cells(self) -> None:
        run = stored(facts=replace(facts(), dataset="数字数字"), note="数字 数字 数字")
        cells = [cell_len(written(column, column.text(run))) for column in RUN_COLUMNS]
        assert cells == [column.width + 1 for column in RUN_COLUMNS]

    def test_without_running_statistics_there_is_no_momentum(self) -> None:
        text = {
            column.name: column.text(stored(config=RunConfig(norm="group")))
            for column in RUN_COLUMNS
        }
        assert (text["norm"], text["momentum"], text["estimator"]) == ("group", "–", "–")

    def test_a_moment_is_told_by_what_matters_of_it(self) -> None:
        now = datetime(2026, 3, 4, 12).astimezone()
        assert when(now - timedelta(hours=2, minutes=30), now) == "09:30"
        assert when(now - timedelta(days=2), now) == "03-02"
        assert when(now - timedelta(days=400), now) == "2025"

    def test_all_about_a_run(self) -> None:
        run = stored(
            config=RunConfig(norm="ghost", seed=7, knobs=Knobs(momentum=0.9)),
            knobs=Knobs(momentum=0.99),
            parent="fedcba987654",
            branched=97,
            note="best so far",
            unknown=("colour",),
            message="out of memory",
            state="failed",
        )
        lines = [line for line, _ in about(run)]
        assert "160 updates in 22 s · digits 4,000+1,000 · cpu" in lines[0]
        assert lines[0].endswith("branched off fedcba after 97 updates")
        assert lines[1:] == [
            "norm=ghost seed=7 momentum=0.9",
            "changed while it ran, in the end: momentum=0.99",
            "this version of bntui does not know its colour",
            "out of memory",
            "best so far",
        ]
        assert about(stored())[1] == ("all settings are at their defaults", "")


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
        path().write_text("not a database at all, but long enough to be taken for one" * 20)
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


class TestFinding:
    async def test_words_and_settings_narrow_the_list_as_they_are_typed(self) -> None:
        one = kept("slow", config=replace(STORED, norm="group"))
        kept(config=replace(STORED, norm="ghost"))
        async with listed() as user:
            await user.press("slash", *"norm=group")
            assert rows(user) == [one[:6]]
            assert "1 of 2 runs" in user.text
            assert f"{one} " in user.part("#about")
            await user.press("enter")
            assert isinstance(user.app.focused, RunList)
            await user.press("slash", "x")
            assert "No run has all of 'x'" in user.part("#runs")
            await user.press("escape")
            assert len(rows(user)) == 2
            await user.press("escape")
            assert not isinstance(user.app.screen, RunsScreen)

    async def test_s_sorts_by_the_next_column_and_pinned_runs_stay_on_top(self) -> None:
        ids = {
            size: kept(config=replace(STORED, knobs=Knobs(batch_size=size)))
            for size in (64, 512, 8)
        }
        async with listed() as user:
            for _ in range(4):  # state, data, norm, batch
                await user.press("s")
            assert "3 runs, sorted by batch" in user.text
            assert rows(user) == [ids[size][:6] for size in (512, 64, 8)]
            await user.press("home", "end", "p")
            await user.until(lambda: "pinned" in user.part("#about"))
            assert rows(user) == [ids[size][:6] for size in (8, 512, 64)]
            await user.press("p")
            await user.until(lambda: "pinned" not in user.part("#about"))
            assert rows(user) == [ids[size][:6] for size in (512, 64, 8)]

    async def test_runs_of_sweeps_are_counted_and_found(self) -> None:
        def cell(seed: int) -> str:
            config = replace(STORED, seed=seed)
            return kept("sweep big", config=config, run=cell_id(config))

        cells = {cell(seed)[:6] for seed in range(3)}
        async with listed() as user:
            assert "All runs that are kept are of sweeps: / and sweep list them" in user.text
            assert "╭─ 0 runs, sorted by when · 3 of sweeps: / sweep ─" in user.text
        own = kept()
        async with listed() as user:
            assert "╭─ 1 run, sorted by when · 3 of sweeps: / sweep ─" in user.text
            assert rows(user) == [own[:6]]
            await user.press("slash", *"sweep")
            assert "╭─ 3 of 4 runs, sorted by when ─" in user.text
            assert set(rows(user)) == cells


class TestEditing:
    async def test_a_note_is_written_and_kept(self) -> None:
        run = kept("old")
        async with listed() as user:
            await user.press("e")
            assert user.part("Input") == "old"
            await user.press("escape", "e", *"new", "enter")
            await user.until(lambda: "new" in user.part("#about"))
            with Store() as store:
                assert store.run(run).note == "new"

    async def test_deleting_is_undone_one_by_one(self) -> None:
        one, two = kept(), kept()
        async with listed() as user:
            await user.press("delete")
            await user.until(lambda: rows(user) == [one[:6]])
            assert "u brings it back" in user.text
            await user.press("delete")
            await user.until(lambda: "No run is kept yet" in user.text)
            with Store() as store:
                assert store.runs() == []
            await user.press("u")
            await user.until(lambda: rows(user) == [one[:6]])
            await user.press("u")
            await user.until(lambda: rows(user) == [two[:6], one[:6]])
            await user.press("u")
            assert "nothing has been deleted" in user.text

    async def test_quick_changes_are_made_in_their_order(self) -> None:
        ids = [kept() for _ in range(4)]
        async with listed() as user:
            first = user.app.screen.query_one(RunList).chosen
            assert first is not None
            for key in ("p", "delete"):
                user.app.simulate_key(key)
            await user.until(lambda: rows(user) == [run[:6] for run in ids[2::-1]])
            with Store() as store:
                assert [run.id for run in store.runs()] == ids[2::-1]
                assert store.run(first.id).pinned

    async def test_what_can_not_be_written_is_told_and_the_list_stays(self) -> None:
        run = kept()

        class Full(KeptRuns):
            def pin(self, run: str, *, pinned: bool) -> None:
                raise ConfigError("the disk [b]is[/b] full.")

        async with listed(archive=Full()) as user:
            await user.press("p")
            await user.until(lambda: "the disk [b]is[/b] full." in user.part())
            assert rows(user) == [run[:6]]

    async def test_a_change_is_made_though_the_list_is_closed_at_once(self) -> None:
        run = kept()
        async with listed() as user:
            user.app.simulate_key("p")
            user.app.simulate_key("escape")
            await user.settle()

            def pinned() -> bool:
                with Store() as store:
                    return store.run(run).pinned

            await user.until(pinned)


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
