"""Cells of a screen as an SVG of few bytes, still or moving, and as plain text.

Each run of cells that look alike is one text, stretched to its cells, so that any font will do. A style
is a class of one letter or two. A moving picture has each row once for each of its contents, and a
keyframe shows it for as long as it stands: it moves where an SVG is shown as an image, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from string import ascii_letters

from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme

from tools.picture_checks.shown import Cell

Rows = Sequence[Sequence[Cell]]
WIDE, HIGH, BASELINE = 12, 24, 18
"""Pixels of a cell, and from its top down to where letters stand."""
MARGIN = 16
FONT = "'Fira Code','JetBrains Mono',ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace"
VGA = TerminalTheme(
    (0, 0, 0),
    (170, 170, 170),
    [
        *((0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0)),
        *((0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)),
    ],
    [
        *((85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85)),
        *((85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255)),
    ],
)
"""The sixteen colours of a terminal that has no more."""
DIM = 0.4
"""How far a dim letter's colour is from its own towards its ground's."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How a cell looks: colours as "#rrggbb", and what is written as attributes."""

    letter: str
    ground: str
    bold: bool = False
    italic: bool = False
    underline: bool = False


def ink(style: Style, *, sixteen: bool) -> Ink:
    """Return how a style looks, on a terminal of sixteen colours or of all."""
    theme = VGA if sixteen else SVG_EXPORT_THEME
    letter = _rgb(style.color, theme, sixteen=sixteen, letter=True)
    ground = _rgb(style.bgcolor, theme, sixteen=sixteen, letter=False)
    if style.reverse:
        letter, ground = ground, letter
    if style.dim:
        letter = ColorTriplet(
            *(round(a + DIM * (b - a)) for a, b in zip(letter, ground, strict=True))
        )
    attributes = map(bool, (style.bold, style.italic, style.underline))
    return Ink(letter.hex, ground.hex, *attributes)


def _rgb(color: Color | None, theme: TerminalTheme, *, sixteen: bool, letter: bool) -> ColorTriplet:
    color = color or Color.default()
    if sixteen:
        color = color.downgrade(ColorSystem.STANDARD)
    return color.get_truecolor(theme, foreground=letter)


class Sheet:
    """The classes of one picture."""

    def __init__(self, *, sixteen: bool) -> None:
        self._sixteen = sixteen
        self._inks: dict[Style, Ink] = {}
        self._names: dict[str, str] = {}

    def ink(self, style: Style) -> Ink:
        """Return how a style looks."""
        if style not in self._inks:
            self._inks[style] = ink(style, sixteen=self._sixteen)
        return self._inks[style]

    def name(self, declaration: str) -> str:
        """Return the class that declares this."""
        place = len(self._names)
        first, second = divmod(place, len(ascii_letters))
        name = (ascii_letters[first - 1] if first else "") + ascii_letters[second]
        return self._names.setdefault(declaration, name)

    def css(self) -> str:
        """Return the rules."""
        return "".join(f".{name}{{{declared}}}" for declared, name in self._names.items())


def still(rows: Rows, *, sixteen: bool = False) -> str:
    """Return a picture of the rows of a screen."""
    sheet, base = Sheet(sixteen=sixteen), _base(rows, sixteen=sixteen)
    drawn = [*_grounds(rows, sheet, base), *_letters(rows, sheet)]
    return _framed(rows, sheet, base, drawn)


def moving(frames: Sequence[tuple[Rows, float]], *, sixteen: bool = False) -> str:
    """Return a picture of screens one after the other, each for so many seconds, over and over."""
    sheet, base = Sheet(sixteen=sixteen), _base(frames[0][0], sixteen=sixteen)
    ends = [sum(seconds for _, seconds in frames[: n + 1]) for n in range(len(frames))]
    spans: dict[tuple[int, int], list[str]] = {}
    for y in range(len(frames[0][0])):
        contents = ["".join(_row(rows, y, sheet, base)) for rows, _ in frames]
        start = 0
        for content, group in groupby(contents):
            end = start + len(list(group))
            spans.setdefault((start, end), []).append(content)
            start = end
    drawn, rules = [], []
    for number, ((start, end), contents) in enumerate(sorted(spans.items())):
        if not any(contents):
            continue
        if (start, end) == (0, len(frames)):
            drawn += contents
            continue
        first = ends[start - 1] / ends[-1] if start else 0.0
        rules.append(_keyframes(f"k{number}", first, ends[end - 1] / ends[-1]))
        rules.append(f"#k{number}{{animation:k{number} {ends[-1]:g}s step-end infinite}}")
        drawn += [f'<g id="k{number}">', *contents, "</g>"]
    return _framed(frames[0][0], sheet, base, drawn, "".join(rules))


def _keyframes(name: str, first: float, last: float) -> str:
    """Return the rule by which something is to be seen from one share of the time to another."""
    steps = [(0.0, first == 0.0), (first, True), (last, False)]
    shown = {f"{share:.2%}": "visible" if seen else "hidden" for share, seen in steps if share < 1}
    inside = "".join(f"{share}{{visibility:{seen}}}" for share, seen in shown.items())
    return f"@keyframes {name}{{{inside}}}"


def as_text(rows: Rows) -> str:
    """Return the rows as text, without blanks at their ends."""
    return "\n".join("".join(cell.text for cell in row).rstrip() for row in rows) + "\n"


def _row(rows: Rows, y: int, sheet: Sheet, base: str) -> Iterator[str]:
    """Yield all of one row, its grounds first."""
    for x, count, colour in _runs_of_ground(rows[y], sheet, base):
        yield f'<rect class="{sheet.name(f"fill:{colour}")}"{_box(x, y, count, 1)}/>\n'
    yield from _line(rows[y], y, sheet)


def _base(rows: Rows, *, sixteen: bool) -> str:
    """Return the ground of most cells."""
    sheet = Sheet(sixteen=sixteen)
    grounds = [sheet.ink(cell.style).ground for row in rows for cell in row]
    return max(sorted(set(grounds)), key=grounds.count)


def _framed(rows: Rows, sheet: Sheet, base: str, drawn: Iterable[str], rules: str = "") -> str:
    width, height = len(rows[0]) * WIDE + 2 * MARGIN, len(rows) * HIGH + 2 * MARGIN
    body = "".join(drawn)
    style = f"text{{font:20px {FONT}}}rect{{shape-rendering:crispEdges}}{sheet.css()}{rules}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
        f"<style>{style}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{base}"/>\n'
        f'<g xml:space="preserve" transform="translate({MARGIN} {MARGIN})">\n{body}</g>\n</svg>\n'
    )


def _grounds(rows: Rows, sheet: Sheet, base: str) -> Iterator[str]:
    """Yield the grounds that differ from most: rectangles over as many rows as are alike."""
    above: dict[tuple[int, int, str], int] = {}  # a run of cells, and the row where it began
    for y in range(len(rows) + 1):
        here = set(_runs_of_ground(rows[y], sheet, base)) if y < len(rows) else set()
        for run in [run for run in above if run not in here]:
            x, count, colour = run
            began = above.pop(run)
            name = sheet.name(f"fill:{colour}")
            yield f'<rect class="{name}"{_box(x, began, count, y - began)}/>\n'
        above |= {run: y for run in sorted(here) if run not in above}


def _runs_of_ground(row: Sequence[Cell], sheet: Sheet, base: str) -> list[tuple[int, int, str]]:
    """Return where the ground differs from most: column, cells, colour."""
    runs, x = [], 0
    for colour, group in groupby(sheet.ink(cell.style).ground for cell in row):
        count = len(list(group))
        if colour != base:
            runs.append((x, count, colour))
        x += count
    return runs


def _box(x: int, y: int, columns: int, rows: int) -> str:
    place = f' x="{x * WIDE}"' * bool(x) + f' y="{y * HIGH}"' * bool(y)
    return f'{place} width="{columns * WIDE}" height="{rows * HIGH}"'


def _letters(rows: Rows, sheet: Sheet) -> Iterator[str]:
    for y, row in enumerate(rows):
        yield from _line(row, y, sheet)


def _line(row: Sequence[Cell], y: int, sheet: Sheet) -> Iterator[str]:
    """Yield the texts of one row."""
    x = 0
    for look, group in groupby(row, key=lambda cell: _face(sheet.ink(cell.style))):
        cells = list(group)
        for start, text, count in _words([cell.text for cell in cells]):
            stretched = f' textLength="{count * WIDE}"' if count > 1 else ""
            place = f' x="{(x + start) * WIDE}"' * bool(x + start)
            yield (
                f'<text class="{sheet.name(look)}"{place} y="{y * HIGH + BASELINE}"{stretched}>'
                f"{escape(text, quote=False)}</text>\n"
            )
        x += len(cells)


def _face(look: Ink) -> str:
    """Return how the letters of a cell look, as a declaration."""
    return (
        f"fill:{look.letter}"
        + ";font-weight:bold" * look.bold
        + ";font-style:italic" * look.italic
        + ";text-decoration:underline" * look.underline
    )


def _words(texts: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Yield pieces of a run of cells between wide gaps: where each begins, its text, its cells."""
    gap, x = 3, 0
    filled = [place for place, text in enumerate(texts) if text.strip() or not text]
    while filled:
        x = filled[0]
        last = x
        for place in filled:
            if place - last > gap:
                break
            last = place
        yield x, "".join(texts[x : last + 1]), last + 1 - x
        filled = [place for place in filled if place > last]
