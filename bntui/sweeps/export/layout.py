"""Where the parts of a phase diagram's picture lie, in pixels from the upper left."""

import math
from dataclasses import dataclass

from bntui.core.estimators import MOMENTA, short
from bntui.core.text import shorten
from bntui.sweeps.phase import MOMENTUM, Diagram, Scale

WIDTH = 760
LEFT, RIGHT, TOP = 132, 136, 84
APART = 6
"""Between the constant momenta and the estimators that are none."""
_LOWEST, _HIGHEST = 14.0, 44.0
"""Of a tile's height."""
SMALL, LARGE = 6.6, 7.8
"""A character's width in small text, and in other: in a wide font."""
_LONGEST = 11
"""Characters of what stands at a place."""
_LINE = 13.0
"""Of a text's height."""


@dataclass(frozen=True, slots=True)
class Span:
    """One axis: where its places begin, from the plot's edge on."""

    scale: Scale
    size: float
    """Of a place."""

    @property
    def length(self) -> float:
        """Of the whole axis."""
        return self.begin(len(self.scale.values) - 1) + self.size

    def begin(self, place: float) -> float:
        """Return where a place begins."""
        constant = self.scale.name != MOMENTUM or place < len(MOMENTA)
        return place * self.size + (0 if constant else APART)

    def touches(self, place: int) -> bool:
        """Tell whether the next place begins where this one ends."""
        return self.scale.name != MOMENTUM or place != len(MOMENTA) - 1

    def centre(self, place: float) -> float:
        """Return the middle of a place, or of a point between two."""
        return self.begin(place) + self.size / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture's axes. The lowest row is the first place of y."""

    x: Span
    y: Span

    @property
    def right(self) -> float:
        """The plot's right edge."""
        return LEFT + self.x.length

    @property
    def bottom(self) -> float:
        """The plot's lower edge."""
        return TOP + self.y.length

    def corner(self, x: int, y: int) -> tuple[float, float]:
        """Return the upper left corner of a tile."""
        return LEFT + self.x.begin(x), self.bottom - self.y.begin(y) - self.y.size

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the middle of a tile, or a point between some."""
        return LEFT + self.x.centre(x), self.bottom - self.y.centre(y)


def layout(diagram: Diagram) -> Layout:
    """Return a layout that fills the width, with tiles as high as fit."""
    across, down = len(diagram.x.values), len(diagram.y.values)
    gap = APART if diagram.x.name == MOMENTUM else 0
    height = min(max(400 / down, _LOWEST), _HIGHEST)
    return Layout(Span(diagram.x, (WIDTH - LEFT - RIGHT - gap) / across), Span(diagram.y, height))


def labelled(span: Span, *, upright: bool, longest: int = 0) -> list[tuple[int, str]]:
    """Return the places that have room for what stands at them, and that.

    Across there also has to be room for `longest` characters of something else.
    """
    momenta = span.scale.name == MOMENTUM
    texts = [shorten(text, _LONGEST) if not momenta else text for text in span.scale.values]
    if momenta and not upright:
        texts = [short(row) for row in texts]
    character = SMALL if momenta else LARGE
    across = max(character * max(map(len, texts)), SMALL * longest) + 4
    every = max(1, math.ceil((_LINE if upright else across) / span.size))
    return [(place, text) for place, text in enumerate(texts) if place % every == 0]
