"""Texts that are cut: a row too long for its widget, a title for its frame, a word for its line.

A word counts as cut if what is on the screen is the beginning of a longer word which stands in the same
widget's text where that has room, and is no word of that text itself: "runni" of "running". It does not
matter how it was cut, or whether "…" or "." stands for the rest.
"""

import re
from collections.abc import Iterator, Set
from itertools import pairwise

from rich.cells import cell_len
from textual.app import App
from textual.widgets import Input

from bntui.ui.drawing.canvas import Canvas
from tools.picture_checks.shown import (
    Placed,
    cells,
    has_text,
    lines_as_dots,
    lines_of,
    placed,
    source_of,
    text_of,
)

CORNERS = 6
"""Cells of a frame's upper or lower edge that its title can't have."""
MORE = "…"
"""In the last row that is shown it says that there are more, and with which key."""
FRAMES = frozenset({"round", "solid", "ascii", "double", "heavy"})
"""Borders that are drawn as lines."""
COMMON = frozenset(
    {
        *("a", "all", "an", "at", "be", "for", "in", "is", "it", "new", "no", "not", "now", "of"),
        *("on", "one", "or", "other", "so", "the", "to", "we"),
        "est",
    }
)
"""Words that other words begin with, and a name that is short by intention: the knob's, for estimator."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_CURVES = re.compile(r"[^aeiouyAEIOUY]*(.)\1[^aeiouyAEIOUY]*|[^aeiouyAEIOUY]{2}")
_FIGURE_AT_END = re.compile(r"(?:^|\s)[×÷±+−-]?\d[\d.,]*\s*$")
_UNIT_AT_START = re.compile(r"^\W{0,2}(?:σ|%|×\s?\d|±|ms\b|s\b)")


def cut_texts(app: App[None]) -> list[str]:
    """Return a sentence for each text on the screen that is cut."""
    found = [*touching(app)]
    with lines_as_dots(app):
        shown = placed(app)
        words = {one: set(_WORD.findall(source_of(one))) for one in shown}
        everywhere = COMMON.union(*words.values())
        for one in shown:
            found += long_titles(one)
            lines = lines_of(one) if has_text(one.widget) else None
            if lines is not None:
                found += [*hidden(one, lines), *long_rows(one, lines), *parted_units(one, lines)]
                found += broken_words(one, lines, words[one], everywhere)
            elif isinstance(one.widget, Input):
                found += long_placeholder(one, one.widget)
    return found


def long_titles(one: Placed) -> Iterator[str]:
    """Yield the titles of a frame that are longer than its edge."""
    widget = one.widget
    for edge, label in (("top", widget._border_title), ("bottom", widget._border_subtitle)):
        drawn = getattr(widget.styles, f"border_{edge}")[0] not in {"", "none", "hidden"}
        room = one.region.width - CORNERS
        if drawn and label is not None and label.cell_length > room:
            yield f"{one.name}: its title {label.plain!r} has {room} cells"


def long_placeholder(one: Placed, field: Input) -> Iterator[str]:
    """Yield what stands in an empty field, if it is longer than the field."""
    if not field.value and cell_len(field.placeholder) > one.content.width:
        yield f"{one.name}: {field.placeholder!r} is longer than its field"


def hidden(one: Placed, lines: list[str]) -> Iterator[str]:
    """Yield what lies outside of what is to be seen of a widget, and can't be scrolled to."""
    region, clip, content = one.region, one.clip, one.content
    if (region.x < clip.x or region.right > clip.right) and any(map(str.strip, lines)):
        yield f"{one.name}: {region} sticks out of {clip} sideways"
    if (region.y < clip.y or region.bottom > clip.bottom) and not one.moves:
        yield f"{one.name}: {region} sticks out of {clip}"
    if one.scrolls:
        return
    below = [line.strip() for line in lines[content.height :] if line.strip()]
    last = lines[content.height - 1] if 0 < content.height <= len(lines) else ""
    if below and MORE not in last:
        yield f"{one.name}: {len(below)} rows have no room, first {below[0]!r}"


def long_rows(one: Placed, lines: list[str]) -> Iterator[str]:
    """Yield the rows of a canvas that are longer than it is wide: they are cut off there."""
    if not isinstance(one.widget, Canvas):
        return
    width = one.content.width
    for line in lines[: one.content.height]:
        if cell_len(line.rstrip()) > width:
            kept = line[: max(0, width - 8)][-16:]
            yield f"{one.name}: {line.strip()!r} is cut after {width} cells, at …{kept!r}"


def broken_words(
    one: Placed, lines: list[str], own: Set[str], everywhere: Set[str]
) -> Iterator[str]:
    """Yield the words of which only the beginning is shown. Curves in ASCII, "fffrr", are none.

    `own` are the words of the widget where there is room for all of them, `everywhere` those of the
    whole screen: what is a word elsewhere is one here.
    """
    shown = {word for line in lines for word in _WORD.findall(line) if not _CURVES.fullmatch(word)}
    for word in sorted(shown - everywhere):
        longer = sorted(other for other in own if other.startswith(word))
        if longer:
            yield f"{one.name}: {word!r} is the beginning of {longer[0]!r}"


def parted_units(one: Placed, lines: list[str]) -> Iterator[str]:
    """Yield the figures that stand at the end of a line while their unit begins the next."""
    if not isinstance(one.widget, Canvas) or one.content.height > 1:
        for line, following in pairwise(lines):
            unit = _UNIT_AT_START.match(following.strip())
            if unit and _FIGURE_AT_END.search(line.rstrip()):
                yield f"{one.name}: {line.strip()!r} is parted from its unit {unit[0]!r}"


def touching(app: App[None]) -> Iterator[str]:
    """Yield the rows in which a text runs into the frame around it: "accuracy│"."""
    shown = cells(app)
    for one in placed(app):
        region = one.seen
        sides = (one.widget.styles.border_left, one.widget.styles.border_right)
        if region != one.region or not all(kind in FRAMES for kind, _ in sides):
            continue
        for y in range(region.y + 1, region.bottom - 1):
            row = shown[y][region.x : region.right]
            # The figures of an axis may stand at the left: a cut there would leave no whole one.
            if row[-2].text.isalnum() or row[1].text.isalpha():
                yield f"{one.name}: a text touches its frame: {text_of(row).strip()!r}"
