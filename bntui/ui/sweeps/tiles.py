"""Tiles of a phase diagram, each as some lines of text. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bntui.sweeps.phase import Tile
from bntui.sweeps.words import value_words
from bntui.ui.drawing.canvas import Row
from bntui.ui.drawing.ramp import HEAT, STEPS
from bntui.ui.sweeps.shades import Shades
from bntui.ui.terminal.glyphs import Glyphs

GROUND = " " * STEPS
"""The ramp where colours of the ground are the shades."""
FRAMES = {True: ("[", "]", "+|+", "+|+", "-"), False: ("[", "]", "┏┃┗", "┓┃┛", "━")}
"""What frames the chosen tile; the first where there is only ASCII. A tile of one line has brackets, a
taller one a left and a right side from its top to its bottom, and an edge."""
UNLEARNED = "?"
"""What stands in a tile without a shade whose gap tells nothing, as too little is learned."""
HATCH = 3
"""Every how many cells there is a line of the hatching."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of one kind of terminal."""

    ramp: str
    """One a shade, from the worst to the best; blanks where the ground has the colour."""
    hatch: str = "╱"
    failed: str = "×"
    line: str = "━"
    plain: bool = False
    """Whether all is to be ASCII."""


def signs_of(ramp: str, glyphs: Glyphs, *, upright: bool = False) -> Signs:
    """Return the characters that suit a terminal, where shades are those of `ramp`, and a line is `upright`."""
    if glyphs is Glyphs.ASCII:
        return Signs(ramp, hatch="/", failed="x", line="~", plain=True)
    return Signs(ramp, line="┃" if upright else "━")


class Tiles:
    """Draws tiles of one size. What looks the same is drawn once: there are thousands of tiles."""

    def __init__(self, shades: Shades, signs: Signs, across: int, up: int) -> None:
        """Draw tiles of `across` × `up` cells."""
        self.key = shades, signs, across, up
        """What all that it has drawn depends on."""
        self._shades, self._signs, self._across, self._up = self.key
        self._drawn: dict[tuple[float, bool, bool, bool], list[Row]] = {}

    def lines(self, tile: Tile) -> list[Row]:
        """Return the lines of a tile that is not chosen, and that nothing crosses, from its top."""
        median = tile.median if tile.measured else -1.0  # a NaN is no key
        look = median, tile.running, tile.failed, tile.unlearned
        drawn = self._drawn.get(look)
        if drawn is None:
            drawn = self._drawn[look] = self.special(tile, {}, chosen=False)
        return drawn

    def special(self, tile: Tile, crossed: Mapping[int, list[int]], *, chosen: bool) -> list[Row]:
        """Return the lines of a tile that the theory's line crosses in the cells of some lines, or the chosen one."""
        level = -1 if tile.unlearned else self._shades.level(tile.median, len(self._signs.ramp))
        return [
            self._line(tile, level, sub, crossed.get(sub, ()), chosen=chosen)
            for sub in range(self._up)
        ]

    def _line(
        self, tile: Tile, level: int, sub: int, crossed: Collection[int], *, chosen: bool
    ) -> Row:
        signs, across = self._signs, self._across
        fill = signs.ramp[level] if level >= 0 else " "
        cells = [fill] * across
        if tile.running:
            cells = [signs.hatch if (cell + sub) % HATCH == 0 else fill for cell in range(across)]
        for cell in crossed:
            cells[cell] = signs.line
        if sub == self._up // 2:
            text = value_words(self._shades.value, tile.median) if tile.measured else ""
            text = f"{text}{UNLEARNED * tile.unlearned}"
            text = text if len(text) <= across - 2 else UNLEARNED * tile.unlearned
            text = f"{text}{signs.failed * tile.failed}"
            _write(cells, text and f" {text} ")
        if chosen:
            _frame(cells, sub, self._up, signs)
        role = f"{HEAT}{level}" if level >= 0 else "bad" if tile.failed else "axis"
        role = f"{role} strong" if chosen or tile.failed else role
        if not crossed or signs.ramp == GROUND:
            return [("".join(cells), f"{role} strong" if crossed else role)]
        return [(one, "strong" if one == signs.line else role) for one in cells]


def _write(cells: list[str], text: str) -> None:
    """Write a text in the middle of a tile, without its blanks where there is no room for them."""
    text = text if len(text) <= len(cells) else text.strip()
    first = (len(cells) - len(text)) // 2
    cells[first : first + len(text)] = text


def _frame(cells: list[str], sub: int, up: int, signs: Signs) -> None:
    """Draw the frame of the chosen tile."""
    begin, end, left, right, edge = FRAMES[signs.plain]
    if up > 1:
        side = 0 if sub == 0 else 2 if sub == up - 1 else 1
        begin, end = left[side], right[side]
        if up > 2 and side != 1:
            cells[:] = edge * len(cells)
    cells[0], cells[-1] = begin, end
