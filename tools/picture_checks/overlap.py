"""Texts over texts: widgets that share cells, and texts of one row with no blank between them."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from textual.app import App
from textual.widget import Widget
from textual.widgets import Input

from bntui.ui.drawing.canvas import Canvas
from tools.picture_checks.cut import FRAMES
from tools.picture_checks.shown import Placed, has_text, lines_as_dots, lines_of, placed


def overlaps(app: App[None]) -> list[str]:
    """Return a sentence for every two texts on the screen in front that are in each other's way.

    A dialog may lie over the screen behind it, and so may a card in a frame of its own, on the layer
    `above`.
    """
    writing = [one for one in placed(app) if has_text(one.widget)]
    with lines_as_dots(app):
        found = [*shared_cells(writing)]
        for one in writing:
            found += run_together(one)
    return found


def shared_cells(writing: list[Placed]) -> Iterator[str]:
    """Yield the widgets that have cells in common while none is inside the other."""
    for one, other in combinations(writing, 2):
        inside = one.widget in other.widget.ancestors or other.widget in one.widget.ancestors
        common = one.seen.intersection(other.seen)
        over = _is_card(one) != _is_card(other) or _behind(one, other)
        if common and not inside and not over and _says(one) and _says(other):
            yield f"{one.name} and {other.name} share the cells {common}"


def _is_card(one: Placed) -> bool:
    return one.widget.styles.layer == "above" and one.widget.styles.border_top[0] in FRAMES


def _behind(one: Placed, other: Placed) -> bool:
    """Tell whether one can be scrolled out from behind a part of the same box that stands still."""
    return (one.scrolls and _stands_still(other)) or (other.scrolls and _stands_still(one))


def _stands_still(one: Placed) -> bool:
    return any(
        isinstance(widget, Widget) and widget.styles.dock != "none"
        for widget in one.widget.ancestors_with_self
    )


def _says(one: Placed) -> bool:
    lines = lines_of(one)
    return isinstance(one.widget, Input) if lines is None else any(map(str.strip, lines))


def run_together(one: Placed) -> Iterator[str]:
    """Yield the texts of different roles that stand in one row of a canvas without a blank between."""
    canvas = one.widget
    if not isinstance(canvas, Canvas):
        return
    for row in canvas.draw(*one.content.size)[: one.content.height]:
        for (text, role), (following, other) in pairwise([span for span in row if span[0]]):
            if role != other and text[-1].isalnum() and following[0].isalnum():
                yield f"{one.name}: {text[-16:]!r} runs into {following[:16]!r}"
