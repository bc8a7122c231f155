"""The width of text in a terminal's cells, of which 数 takes two. For the screen and for tables.

Each character counts for itself, as in most terminals and in `Canvas`; rich counts some sequences of
characters as one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import get_character_cell_size

FILLER = "\0"
"""Stands for the second cell of a wide character in a row of a canvas; it is never written."""

_BLANKS = re.compile(r"[ \t\n\r\f\v]+")
_UNITS = re.compile(r"(?<=\d) (?=[%σ](?:\W|$)|±\d)")
NO_BREAK = "\xa0"
"""The blank between a number and its unit, at which `wrapped` breaks no line."""


@lru_cache
def drawn(character: str) -> str:
    """Return one character for each cell that `character` takes; combining marks take none.

    A no-break space is a blank: text is wrapped by now.
    """
    if character == NO_BREAK:
        return " "
    if not character.isprintable():
        return "?"
    cells = get_character_cell_size(character)
    return (character + FILLER * (cells - 1)) if cells else ""


def cell_len(text: str) -> int:
    """Return how many cells a text takes."""
    return len(text) if text.isascii() and text.isprintable() else sum(map(_cells, text))


def _cells(character: str) -> int:
    return len(drawn(character))


def pieces(text: str, cells: int) -> Iterator[str]:
    """Cut a text into pieces of at most so many cells, at least two."""
    piece, taken = "", 0
    for character in text:
        if taken + _cells(character) > max(cells, 2):
            yield piece
            piece, taken = "", 0
        piece += character
        taken += _cells(character)
    if piece:
        yield piece


def cut(text: str, cells: int) -> str:
    """Return as much of a text as so many cells have room for."""
    taken = 0
    for place, character in enumerate(text):
        taken += _cells(character)
        if taken > cells:
            return text[:place]
    return text


def shorten(text: str, cells: int) -> str:
    """Return `text` in at most so many cells, one at the least."""
    if cell_len(text) <= cells:
        return text
    return f"{cut(text, cells - 1)}…" if cells > 1 else "…"


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """Return `text` with blanks up to so many cells, in front of it if it is to stand on the right."""
    blanks = " " * (cells - cell_len(text))
    return blanks + text if right else text + blanks


def bound(text: str) -> str:
    """Return `text` with a no-break space between each number and its %, σ or ±."""
    return _UNITS.sub(NO_BREAK, text)


def wrapped(text: str, cells: int) -> list[str]:
    """Return `text` as lines of at most so many cells, broken at blanks, and words only where they must.

    At a no-break space no line is broken, nor between a number and its %, σ or ±.
    """
    text = bound(text)
    lines: list[str] = []
    line = ""
    for word in filter(None, _BLANKS.split(text)):
        if line and cell_len(line) + 1 + cell_len(word) <= cells:
            line += f" {word}"
            continue
        if line:
            lines.append(line)
        *full, line = pieces(word, cells)
        lines += full
    lines += [line] if line else []
    return [line.replace(NO_BREAK, " ") for line in lines]
