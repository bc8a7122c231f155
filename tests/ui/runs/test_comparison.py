"""Two runs beside each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.snapshot import Mark, Snapshot
from bntui.core.watched import Watched
from bntui.ui.drawing.curves import compared
from bntui.ui.drawing.view import Axis, View
from bntui.ui.runs.comparison import ComparisonScreen, Differences, Side
from bntui.ui.runs.differences import differing
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.scripted import diverged, histories, history, mid_run
from tests.ui.user import CONFIG, FULL, TABS, User, opened


def run(config: RunConfig = CONFIG, **changes: Any) -> Snapshot:
    return mid_run(config, **changes)


@asynccontextmanager
async def comparing(
    one: Snapshot, other: Snapshot, size: tuple[int, int] = FULL, **options: Any
) -> AsyncIterator[User]:
    async with opened(size, **options) as user:
        user.app.push_screen(ComparisonScreen(Side("one", one), Side("two", other)))
        await user.settle()
        yield user


class TestDiffering:
    def test_settings_are_named_and_written_as_on_their_knobs(self) -> None:
        one = run(replace(CONFIG, norm="ghost", norm_layers=3, batch_schedule="x2/1", device="cpu"))
        other = run(replace(CONFIG, data_dir="/data", knobs=Knobs(64, 0.9, pace=5.0)))
        assert differing(one, other) == [
            ("data dir", "–", "/data"),
            ("norm", "ghost", "batch"),
            ("norm layers", "3", "all"),
            ("batch growth", "x2/1", "none"),
            ("device", "cpu", "auto"),
            ("batch size", "256", "64"),
            ("momentum", "0.99", "0.9"),
        ]

    def test_changes_on_the_way_are_told_as_they_are_typed(self) -> None:
        planned = (Change(97, "momentum", 0.9), Change(120, "recalibrate"))
        one = run(replace(CONFIG, at=planned))
        marks = (Mark(40, "diverged"), Mark(97, "momentum 0.99→0.9", "momentum=0.9"))
        other = run(marks=marks)
        assert differing(one, other) == [
            ("at", "97:momentum=0.9, 120:recalibrate", "–"),
            ("turned", "–", "97:momentum=0.9"),
        ]

    def test_equal_runs_differ_in_nothing(self) -> None:
        assert differing(run(), run()) == []

    def test_of_a_watched_training_what_is_known_is_compared(self) -> None:
        watched = Watched("train.py", "ResNet", momentum=0.1, batch_size=256, learning_rate=0.001)
        other = replace(run(), watched=watched)
        assert differing(run(), other) == [
            ("script", "bntui", "train.py"),
            ("model", "thread", "ResNet"),
            ("momentum", "0.99 (Keras's)", "0.1 (torch's)"),
            ("optimiser", "adam", "–"),
        ]
        assert differing(other, other) == []


class TestCurves:
    def test_each_line_runs_by_its_own_clock(self) -> None:
        slow = histories() | {"seconds": history([float(n) for n in range(1, 98)])}
        fast = histories() | {"seconds": history([n / 10 for n in range(1, 98)])}
        lines = compared(
            "acc", ("A", run(series=slow)), ("B", run(series=fast)), View(axis=Axis.SECONDS)
        )
        assert [line.label for line in lines] == [
            *("A train", "A fresh", "A running"),
            *("B train", "B fresh", "B running"),
        ]
        assert [line.view.x[-1] for line in lines] == [97.0, 97.0, 95.0, 9.7, 9.7, 9.5]
        assert [line.ghost for line in lines] == [False] * 3 + [True] * 3


class TestScreen:
    @pytest.mark.parametrize("size", [FULL, TABS, (60, 16)])
    async def test_differences_come_first_and_then_both_runs_curves(
        self, size: tuple[int, int]
    ) -> None:
        other = run(
            replace(CONFIG, norm="none"), series=histories() | {"val_acc": history([0.5], every=90)}
        )
        async with comparing(run(), other, size) as user:
            assert "A: one B, faint: two norm batch none" in user.part("#differences")
            for words in ("0.114 A running", "0.500 B running", "0.993 A train", "0.993 B train"):
                assert words in user.part("#panel-1")
            await user.press("2")
            assert "2.850 A running" in user.part("#panel-2")
            assert "2.850 B running" in user.part("#panel-2")

    async def test_both_charts_are_shown_where_there_is_room_else_one(self) -> None:
        async with comparing(run(), run()) as user:
            assert "none: both have the same settings" in user.text
            assert "─ accuracy ─" in user.text
            assert "─ loss, log ─" in user.text
            await user.resize(TABS)
            assert "1 accuracy  2 loss" in user.text
            assert "─ loss, log ─" not in user.text
            await user.press("2")
            assert "─ loss, log ─" in user.text
            assert "─ accuracy ─" not in user.text

    async def test_x_counts_updates_images_or_seconds_for_both(self) -> None:
        clocks = {
            "images": history([256.0 * n for n in range(1, 98)]),
            "seconds": history([0.1 * n for n in range(1, 98)]),
        }
        both = run(series=histories() | clocks)
        async with comparing(both, both) as user:
            for unit in ("updates", "images", "time", "updates"):
                assert user.part("#panel-1").count(unit) == 1
                await user.press("x")

    async def test_the_crosshair_moves_over_the_longer_run(self) -> None:
        longer = run(update=200, series={"train_acc": history([0.5] * 200)})
        async with comparing(run(), longer) as user:
            await user.press("comma")
            assert "at update 200" in user.text
            await user.press("comma")
            assert "at update 199" in user.text
            await user.press("0", "s")
            assert "smoothed" in user.text

    async def test_the_many_differences_of_a_small_screen_can_be_scrolled(self) -> None:
        other = replace(
            CONFIG, norm="ghost", depth=3, width=1.0, optimizer="sgd", lr_rule="sqrt", seed=9,
            epochs=20, lr_warmup=16, base_batch=128, ghost_batch=64, ghost_updates="once",
        )  # fmt: skip
        async with comparing(run(), run(other), TABS) as user:
            assert "epochs" not in user.part("#differences")
            await user.press("end")
            await user.pilot.wait_for_animation()
            await user.settle()
            assert "epochs 10 20" in user.part("#differences")

    async def test_a_diverged_run_and_one_without_measurements_are_drawn(self) -> None:
        async with comparing(diverged(CONFIG), run(series={}, update=0)) as user:
            assert "nan A running" in user.part("#panel-1")
            assert "– B running" in user.part("#panel-1")

    async def test_it_is_plain_where_the_terminal_is(self) -> None:
        async with comparing(run(), run(replace(CONFIG, seed=1)), glyphs=Glyphs.ASCII) as user:
            assert user.text.isascii()
            assert "seed" in user.part("#differences")


def test_long_and_hostile_values_are_wrapped_and_shown_literally() -> None:
    path = "/home/somebody/\x1b[31m/" + "a folder " * 6
    sides = Side("one", run(replace(CONFIG, dataset=path))), Side("[b]two[/b]", run())
    rows = ["".join(text for text, _ in row) for row in Differences(*sides).draw(60, 0)]
    assert rows[0].rstrip() == f"{'':<16}{'A: one':<21}B, faint: [b]two[/b]"
    assert rows[1].startswith(r" data set       /home/somebody/\x1b")
    assert len(rows) > 3
    assert all(len(row) <= 60 for row in rows)
