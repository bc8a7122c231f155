"""The picture of one channel, as literal rows."""

from dataclasses import replace

import pytest

from bntui.core.toy import Batch, Statistics, Toy
from bntui.ui.drawing.canvas import Picture
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.toy.bells import HIGH, LOW, channel_picture, column_of

BATCH = Batch(
    (-0.5, 2.0, 2.1, 3.0, 4.0, 4.1, 6.0, 8.5),
    (False, False, True, False, True, True, True, True),
)
STACKED = Batch((1.0, 1.0, 1.0, 3.0, 5.0, 6.0, 7.0, 9.0), (False,) * 4 + (True,) * 4)
TOY = Toy(
    update=8,
    learned=8.0,
    running=Statistics(0.5, 1.5),
    before=Statistics(-1.0, 1.2),
    batch=BATCH,
    momentum=0.75,
    kept=((0.75, 8),),
)


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


def roles(picture: Picture, character: str) -> set[str]:
    return {role for row in picture for characters, role in row if character in characters}


def test_in_little_room() -> None:
    assert text(channel_picture(TOY, 60, 7)) == [
        " ▒ fresh: mean 2.22 σ 1.83    ━ running: mean 0.50 σ 1.23",
        "              ⣀⡴⠞⠛⠳⢦⣀⠎⡋⠍⡋⠕⡢⢄⡀",
        "            ⣠⠞⠉⣀⡤┊⡃⠅⠉⠳⣄⠅⡂⠅⡂⠅⡊⠕⡤⣀",
        "       ⢀⣀⣠⡴⠛⠁⠖⡋⠅⡂┊⡂⠅⡂⠅⠈●⢦⣄⣀⡀⡂⠅●⠅⡋⠖⡤⢄⣀⣀⡀",
        "──────────────○────────○──○───●─────●────────●──────────────",
        " −4     −2      0      2      4     6      8     10     12",
        "            ━━━━╌╌╌╌╌╌╌╌╌╌╌╌▲ batch 3.65: 25 % of the way",
    ]


def test_with_room_it_says_where_validation_cuts() -> None:
    assert text(channel_picture(TOY, 78, 14)) == [
        " ▒ fresh: mean 2.22 σ 1.83             ━ running: mean 0.50 σ 1.23",
        "           answers 0 ◂ ┊ ▸ answers 1",
        "                     ⣠⠞⠛⠳⣄  ⡠⠖⡋⠍⡋⠖⣄",
        "                    ⡰⠁ ┊ ⠈⢆⠎⡂⠅⡂⠅⡂⠅⡂⠕⣄",
        "                   ⡰⠁  ┊⢀⠎⠈⢆⡂⠅⡂⠅⡂⠅⡂⠅⡂⠵⡀",
        "                  ⡰⠁   ┊⡃⠅⡂⠈⢆⠅⡂⠅⡂⠅⡂⠅⡂⠅⡊⢆",
        "                 ⢰⠁  ⢀⡜┊⡂⠅⡂⠅⠈⡆⡂⠅⡂⠅⡂⠅⡂⠅⡂⠅⡣⡀",
        "                ⣠⠃  ⡰⠅⡂┊⡂⠅⡂⠅⡂⠘⣄⠅⡂⠅⡂⠅⡂⠅⡂⠅⡂⠍⣆",
        "               ⡰⠁ ⡠⠎⡂⠅⡂┊⡂⠅⡂⠅⡂⠅⠈⢆⡂⠅⡂⠅⡂⠅⡂⠅⡂⠅⡂⠕⣄",
        "             ⢀⠞⠁⡔⠎⡂⠅⡂⠅⡂┊⡂⠅⡂⠅⡂⠅⡂⠈⠳⡀⡂⠅⡂⠅⡂⠅⡂⠅⡂⠅⡂⠕⡢⣀",
        "        ⣀⣀⣀⣤⠞⠋⡋⠅⡂⠅⡂⠅⡂⠅⡂┊⡂⠅⡂⠅⡂⠅●⠅⡂⠙⠳⣤⣀⣀⡂⠅⡂⠅⡂⠅⡂⠅⡂⠅⡋⠖⡤⢄⣀⣀⣀",
        "──────────────────○───────────○───○───●●───────●───────────●──────────────────",
        "  −4       −2        0        2       4        6        8       10       12",
        "                ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▲ batch 3.65: 25 % of the way",
    ]


def test_in_ascii_a_0_a_1_and_both_curves_can_be_told_apart_while_a_batch_falls() -> None:
    picture = channel_picture(TOY, 78, 10, falling=STACKED, fallen=0.5, glyphs=Glyphs.ASCII)
    assert text(picture) == [
        " . fresh: mean 2.22 σ 1.83             r running: mean 0.50 σ 1.23",
        "           answers 0 ◂ ┊ ▸ answers 1",
        "                     rrrrr  fffffff",
        "                   rr  ┊ frr . . . fff",
        "                  r   f┊f0. r . . 0 . fff  1   1    1        1",
        "                rr fff ┊ . . rr. . . . . fff",
        "             rrrfff . .┊. . . 1rrr. . . . . fffff",
        "──────────────────0───────────0───0───11───────1───────────1──────────────────",
        "  −4       −2        0        2       4        6        8       10       12",
        "                =====╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▲ batch 3.65: 25 % of the way",
    ]


def test_without_braille() -> None:
    assert text(channel_picture(TOY, 60, 9, glyphs=Glyphs.BLOCKS))[2:7] == [
        "               ▄███▄▄▞▛▀▛▚▄▖",
        "             ▄█▀ ┊▞▀█▄▖▘▖▘▖▀▙▄",
        "           ▗▟▀▗▄▛┊▖▘▖▀▙▖▖▘▖▘▖▘▛▄▖",
        "        ▄▄█▛▘▀▌▘▖┊▖▘▖▘▝●█▄▄▘▖▘●▘▞▀▙▄▄▖",
        "──────────────○────────○──○───●─────●────────●──────────────",
    ]


def test_a_curve_that_moves_by_less_than_a_cell_is_left_alone() -> None:
    def curves(mean: float) -> list[str]:
        toy = replace(TOY, batch=None, running=Statistics(mean, 1.5))
        return text(channel_picture(toy, 60, 12))[2:10]

    assert curves(0.55) == curves(0.6) != curves(0.9)


def test_each_curve_has_its_role() -> None:
    picture = channel_picture(TOY, 60, 7)
    assert roles(picture, "⠞") == roles(picture, "┊") == roles(picture, "━") == {"running"}
    assert roles(picture, "⡢") == roles(picture, "▒") == {"fresh"}
    assert roles(picture, "○") == roles(picture, "●") == {"plain"}


def test_a_batch_falls_from_the_top_onto_the_axis_and_values_of_a_column_on_each_other() -> None:
    def stands(fallen: float) -> list[int]:
        picture = channel_picture(replace(TOY, batch=None), 60, 12, falling=STACKED, fallen=fallen)
        column = column_of(1.0, 60)
        return [row for row, line in enumerate(text(picture)[2:10]) if line[column] == "○"]

    assert stands(0.0) == [0]
    assert stands(1.0) == [5, 6, 7]  # 7 is the axis


def test_without_a_batch_nothing_has_moved() -> None:
    picture = channel_picture(Toy(), 60, 7)
    assert text(picture)[-1] == ""
    assert "○" not in "".join(text(picture))


@pytest.mark.parametrize(
    ("momentum", "before", "row"),
    [
        (0.99, -1.0, "            ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▲ batch 3.65: 1 % of the way"),
        (0.0, -1.0, "            ━━━━━━━━━━━━━━━━▲ batch 3.65: 100 % of the way"),
        (0.5, 8.0, "batch 3.65: 50 % of the way ▲╌╌╌╌╌╌╌━━━━━━━━"),
        (0.5, 3.65, "                            ▲ batch 3.65: 50 % of the way"),
    ],
)
def test_the_way_to_the_batch_s_mean(momentum: float, before: float, row: str) -> None:
    toy = replace(TOY, momentum=momentum, before=Statistics(before, 1.0))
    assert text(channel_picture(toy, 60, 7))[-1] == row


def test_what_is_beyond_the_axis_is_at_its_end() -> None:
    assert [column_of(value, 60) for value in (LOW - 9, LOW, HIGH, HIGH + 9)] == [0, 0, 59, 59]
    far = replace(TOY, running=Statistics(99.0, 1.0), before=Statistics(-99.0, 1.0))
    assert all(len(line) <= 60 for line in text(channel_picture(far, 60, 12)))


@pytest.mark.parametrize("width", [1, 5, 60, 118, 198])
@pytest.mark.parametrize("height", [1, 4, 5, 20, 40])
@pytest.mark.parametrize("glyphs", list(Glyphs))
def test_any_size(width: int, height: int, glyphs: Glyphs) -> None:
    picture = channel_picture(TOY, width, height, falling=STACKED, fallen=0.3, glyphs=glyphs)
    assert len(picture) in {0, height}
