"""A phase diagram as literal rows of text, and where its tiles lie."""

import math
from dataclasses import replace

import pytest

from bntui.sweeps.phase import NO_AXIS, Choice, Diagram, Scale, Tile
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.ramp import HEAT
from bntui.ui.sweeps.layout import laid_out, line_cells
from bntui.ui.sweeps.picture import phase_picture
from bntui.ui.sweeps.shades import shades_of
from bntui.ui.sweeps.tiles import GROUND, Signs, Tiles, signs_of
from bntui.ui.terminal.glyphs import Glyphs

NAN = math.nan
ASCII = signs_of(".:-=+*#@", Glyphs.ASCII)
SHADED = signs_of(GROUND, Glyphs.BRAILLE)


def tile(median: float, *, running: bool = False, failed: bool = False) -> Tile:
    measured = 0 if math.isnan(median) else 1
    return Tile(median, median, median, measured, ("5f7498aa0000",), running, failed)


def diagram(*rows: tuple[Tile, ...], line: tuple[float, ...] = (), over: str = "x") -> Diagram:
    """Return a diagram; the rows from the highest one down."""
    x = Scale("batch_size", "batch size", ("16", "64", "1024")[: len(rows[0])])
    y = Scale("hindsight", "momentum (Keras's)", ("0.9", "0.99", "0.999")[: len(rows)])
    side = over if line else ""
    return Diagram(
        Choice(x.name, y.name),
        x,
        y,
        tuple(reversed(rows)),
        (1,),
        1,
        (),
        line,
        side,  # type: ignore[arg-type]
    )


def drawn(
    shown: Diagram, width: int, height: int, cursor: tuple[int, int] = (0, 0), signs: Signs = ASCII
) -> list[str]:
    shape = len(shown.x.values), len(shown.y.values)
    layout = laid_out(shape, (width, height), shown.y.values, cursor)
    assert layout
    tiles = Tiles(shades_of(shown), signs, layout.across, layout.up)
    picture = phase_picture(shown, layout, tiles, cursor)
    return texts(picture)


def texts(picture: Picture) -> list[str]:
    return ["".join(text for text, _ in row).rstrip() for row in picture]


SMALL = diagram(
    (tile(0.0), tile(0.5), tile(0.9, failed=True)),
    (tile(0.02), tile(NAN, running=True), tile(NAN, failed=True)),
    (tile(0.04, running=True), tile(NAN), tile(0.06)),
)


class TestTiles:
    def test_a_line_each_where_there_is_no_room_for_values(self) -> None:
        assert drawn(SMALL, 13, 3, (1, 0)) == [
            " 0.999│@@==x.",
            "  0.99│@@/ x",
            "   0.9│/@[]##",
            "         64",
        ]

    def test_values_where_there_is_room(self) -> None:
        assert drawn(SMALL, 28, 3, (2, 1)) == [
            " 0.999│@ .00 @= .50 = .90x .",
            "  0.99│@ .02 @/  /  /[  x  ]",
            "   0.9│/ .04 /       # .06 #",
            "         16     64    1024",
        ]

    def test_tall_tiles_have_their_value_in_the_middle_and_the_chosen_one_a_frame(self) -> None:
        assert drawn(SMALL, 28, 9, (1, 1)) == [
            "      │@@@@@@@=======.......",
            " 0.999│@ .00 @= .50 = .90x .",
            "      │@@@@@@@=======.......",
            "      │@@@@@@@+-----+",
            "  0.99│@ .02 @| /  /|   x",
            "      │@@@@@@@+-----+",
            "      │/@@/@@/       #######",
            "   0.9│@ .04 @       # .06 #",
            "      │@/@@/@@       #######",
            "         16     64    1024",
        ]

    def test_shades_of_the_ground_are_in_the_roles(self) -> None:
        layout = laid_out((3, 3), (28, 3), SMALL.y.values, (0, 0))
        assert layout
        tiles = Tiles(shades_of(SMALL), SHADED, layout.across, layout.up)
        top, *_ = phase_picture(SMALL, layout, tiles, (0, 0))
        roles = [role for text, role in top if text.strip() or HEAT in role]
        assert roles == ["axis", "axis", f"{HEAT}19", f"{HEAT}10", f"{HEAT}1 strong"]

    def test_labels_that_have_no_room_are_left_out_but_for_the_chosen_one(self) -> None:
        wide = Scale("hindsight", "momentum", ("0.9", "0.99", "bias-corrected"))
        shown = replace(SMALL, x=wide, choice=Choice("hindsight", NO_AXIS))
        assert drawn(shown, 20, 3, (0, 0))[-1].split() == ["0.9", ".99"]
        assert drawn(shown, 20, 3, (2, 0))[-1].split() == ["0.9", "b-cor"]


class TestLine:
    def test_it_goes_from_middle_to_middle_and_spares_the_values(self) -> None:
        shown = replace(SMALL, line=(2.0, 1.0, 0.0), line_over="x")
        assert drawn(shown, 34, 6, signs=SHADED) == [
            "      │",
            " 0.999│━━ .00 ━━   .50     .90×",
            "      │         ━━━━  ╱",
            "  0.99│   .02     ╱ ━━━━━    ×",
            "      │┏  ╱  ╱ ┓         ━━━━",
            "   0.9│┗  .04  ┛            .06 ━━",
            "          16       64      1024",
        ]

    def test_where_it_is_not_known_there_is_none(self) -> None:
        layout = laid_out((3, 3), (30, 3), ("0.9",), (0, 0))
        assert layout
        assert line_cells((NAN, NAN, NAN), "x", layout) == {}
        assert line_cells((), "", layout) == {}
        cells = line_cells((NAN, 1.0, 5.0), "x", layout)
        assert set(cells) == {0, 1}
        assert min(cells[1]) == layout.across

    def test_over_the_other_axis_it_is_upright(self) -> None:
        layout = laid_out((3, 3), (30, 3), ("0.9",), (0, 0))
        assert layout
        middle = layout.across // 2
        cells = line_cells((0.0, 1.0, 2.0), "y", layout)
        assert cells == {row: [(2 - row) * layout.across + middle] for row in range(3)}


class TestLayout:
    def test_tiles_take_all_the_room(self) -> None:
        found = laid_out((4, 13), (100, 28), ("0.99", "warm-up"), (0, 0))
        assert found
        assert (found.margin, found.across, found.up) == (9, 22, 2)
        assert (found.columns, found.rows) == (4, 13)

    def test_a_diagram_larger_than_the_screen_scrolls_as_little_as_it_can(self) -> None:
        room, labels = (43, 10), ("0.001",)
        first = laid_out((50, 40), room, labels, (0, 0))
        assert first
        assert (first.columns, first.rows, first.left, first.bottom) == (18, 10, 0, 0)
        right = laid_out((50, 40), room, labels, (18, 12), first)
        assert right
        assert (right.left, right.bottom) == (1, 3)
        back = laid_out((50, 40), room, labels, (2, 5), right)
        assert back
        assert (back.left, back.bottom) == (1, 3)
        last = laid_out((50, 40), room, labels, (49, 39), back)
        assert last
        assert (last.left, last.bottom) == (32, 30)

    def test_another_size_keeps_the_cursor_in_sight(self) -> None:
        for size in ((20, 3), (43, 10), (120, 40)):
            found = laid_out(
                (50, 40), size, ("0.1",), (30, 30), laid_out((50, 40), (99, 9), (), (9, 9))
            )
            assert found
            assert 30 in range(found.left, found.left + found.columns)
            assert 30 in range(found.bottom, found.bottom + found.rows)

    def test_there_is_none_without_room_or_tiles(self) -> None:
        assert laid_out((3, 3), (6, 3), ("0.99",), (0, 0)) is None
        assert laid_out((3, 3), (20, 0), ("0.99",), (0, 0)) is None

    @pytest.mark.parametrize(("x", "column"), [(5, None), (6, 0), (12, 0), (13, 1), (27, None)])
    def test_a_pointer_finds_its_tile(self, x: int, column: int | None) -> None:
        found = laid_out((3, 3), (27, 6), ("0.99",), (0, 0))
        assert found
        assert (found.margin, found.across, found.up) == (6, 7, 2)
        assert found.column_at(x) == column
        assert [found.row_at(y) for y in (0, 1, 2, 5, 6)] == [2, 2, 1, 0, None]


def test_a_small_gap_where_little_is_learned_has_a_sign_and_no_shade() -> None:
    told = tile(0.0)._replace(unlearned=True)
    tiles = Tiles(shades_of(SMALL), SHADED, 7, 1)
    assert tiles.lines(told) == [[(" .00?  ", "axis")]]
    assert tiles.lines(tile(0.0)) != tiles.lines(told)
    assert Tiles(shades_of(SMALL), ASCII, 3, 1).lines(told) == [[(" ? ", "axis")]]
