"""The drift table: marks and order come from exchanged statistics, and no figure is ever cut."""

import math
from dataclasses import replace

import pytest
from textual.app import ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Exchange, Exchanges, LayersWaiting, Score
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.drift_rows import DRIFT_COLUMNS, TABLE_WIDTH, drift_rows
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.explorer.kept import kept_run
from tests.ui.scripted import LAYERS, difference, layers, mid_run

NOTHING = difference(0.0)
ALONE = {
    "conv1_bn": NOTHING,
    "conv2_bn": difference(-0.1, 0.4),
    "conv3_bn": difference(0.01, 0.5),
    "flatten_bn": difference(-0.8, 2.75),
    "dense1_bn": Difference(-0.1, 0.1, 0.1, 0.2, 20, 0.1),
}


def measured() -> Snapshot:
    """Return a run whose layers were exchanged."""
    score = Score(1.0, 0.5, (1,))
    found = tuple(Exchange(name, alone, NOTHING) for name, alone in ALONE.items())
    ahead = (("flatten_bn", 265.0), ("conv2_bn", math.inf), ("conv3_bn", 9.0))
    return replace(
        mid_run(RunConfig()),
        exchanges=Exchanges(97, 200, score, score, NOTHING, found),
        layers_waiting=LayersWaiting(97, 200, ahead),
    )


def drawn(snapshot: Snapshot, width: int) -> list[str]:
    return ["".join(text for text, _ in row) for row in drift_rows(snapshot, width)]


def test_the_most_harmful_come_first_with_what_they_cost() -> None:
    rows = [row.split()[:5] for row in drawn(measured(), 85)[1:]]
    assert rows == [
        ["flatten_bn", "×", "harms", "−0.80", "265"],
        ["conv3_bn", "×", "harms", "loss", "+0.50"],
        ["conv2_bn", "×", "harms", "−0.10", "never"],
        ["conv1_bn", "√", "+0.00", "now", "×4.9"],
        ["dense1_bn", "?", "unsure", "−0.10", "–"],
    ]


def test_drift_without_a_measurement_accuses_nobody() -> None:
    rows = drawn(mid_run(RunConfig()), 85)
    assert [row.split()[0] for row in rows[1:]] == list(LAYERS)
    assert all(row.split()[1:4] == ["–", "–", "–"] for row in rows[1:])


@pytest.mark.parametrize("width", range(20, 125, 7))
def test_columns_without_room_go_whole(width: int) -> None:
    header, *rows = drawn(measured(), width)
    titles = [title for title in DRIFT_COLUMNS if title and title in header]
    assert titles == [title for title in DRIFT_COLUMNS if title][: len(titles)]
    assert all(len(row) == len(header) <= width for row in rows)
    for title, cut in (("channels", "784"), ("worst", "1.9 σ"), ("variance", "×4.9")):
        assert (title in header.split()) is all(cut in row for row in rows[:1])


def test_variances_whose_channels_cancel_out_are_off_both_ways() -> None:
    snapshot = mid_run(RunConfig())
    assert snapshot.validation
    both = layers(log_var_ratio=-0.004, log_var_off=0.45)
    snapshot = replace(snapshot, validation=replace(snapshot.validation, layers=both))
    assert "×÷1.57" in drawn(snapshot, 85)[1]


@pytest.mark.parametrize(
    ("width", "last"),
    [(58, "mean gap"), (78, "worst gap"), (86, "start left"), (TABLE_WIDTH, "trend")],
)
def test_the_widths_that_there_are_show_what_matters(width: int, last: str) -> None:
    header = drawn(measured(), width)[0]
    assert header.rstrip().endswith(last)
    assert all(column in header for column in ("layer", "alone", "sound in"))


def lines(table: DriftTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


class TableApp(DiffApp):
    CSS = "DriftTable { border: round red; }"
    glyphs = Glyphs.BRAILLE

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.opened: list[int] = []

    def compose(self) -> ComposeResult:
        yield DriftTable()

    def on_mount(self) -> None:
        self.query_one(DriftTable).show(self.snapshot)

    def on_drift_table_opened(self, message: DriftTable.Opened) -> None:
        self.opened.append(message.index)


class TestWidget:
    async def test_a_click_chooses_a_layer_and_one_more_opens_it(self) -> None:
        app = TableApp(measured())
        async with app.run_test(size=(88, 9)) as pilot:
            table = app.query_one(DriftTable)
            await pilot.click(DriftTable, offset=(5, 3))  # the second row
            assert table.chosen == list(LAYERS).index("conv3_bn")
            assert app.opened == []
            await pilot.click(DriftTable, offset=(5, 3))
            assert app.opened == [list(LAYERS).index("conv3_bn")]
            await pilot.click(DriftTable, offset=(5, 1))  # the header
            await pilot.click(DriftTable, offset=(5, 8))  # the frame
            assert len(app.opened) == 1

    async def test_the_wheel_chooses_layers(self) -> None:
        app = TableApp(mid_run(RunConfig()))
        async with app.run_test(size=(88, 9)) as pilot:
            table = app.query_one(DriftTable)
            for events, chosen in ((MouseScrollDown, 1), (MouseScrollDown, 2), (MouseScrollUp, 1)):
                await pilot._post_mouse_events([events], DriftTable, offset=(5, 3))
                assert table.chosen == chosen

    async def test_more_layers_than_rows_scroll_with_the_chosen_one(self) -> None:
        app = TableApp(mid_run(RunConfig()))
        async with app.run_test(size=(88, 5)) as pilot:
            table = app.query_one(DriftTable)
            table.focus()
            for name in LAYERS:
                assert any(name in row for row in lines(table)[1:])
                await pilot.press("down")

    async def test_the_title_says_what_the_marks_are_of_where_that_fits(self) -> None:
        for width, fits in ((88, True), (60, False)):
            app = TableApp(measured())
            async with app.run_test(size=(width, 9)):
                title = app.query_one(DriftTable)._border_title
                assert title
                assert title.plain.endswith("marks: 200 images, update 97") is fits
                assert len(title.plain) <= width - 4

    async def test_with_rows_to_spare_the_chosen_layers_channels_stand_below(self) -> None:
        app = TableApp(kept_run())
        async with app.run_test(size=(120, 33)) as pilot:
            table = app.query_one(DriftTable)
            table.focus()
            await pilot.pause()
            rows = lines(table)
            assert rows[7].startswith("─ conv1_bn: mean gap, in σ; a channel a bar, 0 to 7 ─")
            assert any(row.startswith("─ the worst channels") for row in rows)
            await pilot.press("down")
            assert lines(table)[7].startswith("─ conv2_bn: ")

    async def test_a_wide_table_has_them_beside_it(self) -> None:
        app = TableApp(kept_run())
        async with app.run_test(size=(152, 12)):
            rows = lines(app.query_one(DriftTable))
            assert "─ conv1_bn: mean gap, in σ; a channel a bar ─" in rows[0][103:]
            assert "─ conv1_bn: variance, running / fresh ─" in rows[4][103:]
            assert rows[0].split()[-20:].count("channels") == 1
            assert rows[1].startswith(" conv1_bn ")

    async def test_with_few_rows_to_spare_its_variances_do(self) -> None:
        app = TableApp(kept_run())
        async with app.run_test(size=(80, 16)):
            rows = lines(app.query_one(DriftTable))
            assert rows[7].startswith("─ conv1_bn: variance, running / fresh; a channel a bar")
            assert not any("mean gap, in σ" in row for row in rows)

    async def test_in_little_room_there_is_the_table_alone(self) -> None:
        app = TableApp(kept_run())
        async with app.run_test(size=(88, 8)):
            assert len(lines(app.query_one(DriftTable))) == 6
            assert "mean gap, in" not in "".join(lines(app.query_one(DriftTable)))
