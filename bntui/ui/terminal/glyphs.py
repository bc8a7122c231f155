"""What characters pictures are made of: braille, block elements, or nothing but ASCII."""

import unicodedata
from enum import StrEnum
from functools import lru_cache

import numpy as np
from rich.cells import cell_len


class Glyphs(StrEnum):
    """What the terminal's font and encoding can show: all, no braille, ASCII only."""

    BRAILLE = "braille"
    BLOCKS = "blocks"
    ASCII = "ascii"


DOTS = {Glyphs.BRAILLE: (2, 4), Glyphs.BLOCKS: (2, 2), Glyphs.ASCII: (1, 1)}
"""Dots of a cell, across and up."""

_BITS = (6, 2, 1, 0, 7, 5, 4, 3)
"""Unicode's bit of each braille dot, up the left column, then up the right one."""
_BRAILLE = [
    chr(0x2800 + sum(1 << bit for place, bit in enumerate(_BITS) if dots >> place & 1))
    for dots in range(1, 256)
]
CELLS = {
    Glyphs.BRAILLE: np.array([" ", *_BRAILLE]),
    Glyphs.BLOCKS: np.array([*" ▖▘▌▗▄▚▙▝▞▀▛▐▟▜█"]),
}
"""What a cell shows for each pattern of its dots: bits up the left column, then up the right one.

In ASCII a cell is one dot, and the line's letter."""

ASCII = {
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺–—−", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻‖", "|"),
    **dict.fromkeys("▲△↑", "^"),
    **dict.fromkeys("▼▽↓√✓✔", "v"),
    **dict.fromkeys("◂◀◁←≤", "<"),
    **dict.fromkeys("▸▶▷→≥", ">"),
    **dict.fromkeys("×✖✗✘", "x"),
    **dict.fromkeys("·…", "."),
    **dict.fromkeys("○●◦", "o"),
    **dict.fromkeys("≈∼", "~"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    **dict(zip("σεµμ÷±°•", "seuu/~o*", strict=True)),
    **dict(zip("▁▂▃▄▅▆▇█", "_:-=+*%#", strict=True)),  # a ramp, for sparklines and maps
    **dict(zip("░▒▓", ".+%", strict=True)),
    **dict(zip("▏▎▍▌▋▊▉", "---####", strict=True)),  # the end of a bar, rounded to a cell
    **dict.fromkeys("■▀▐▖▗▘▙▚▛▜▝▞▟", "#"),
}
"""What stands for a character where there is only ASCII."""


def cell(fraction: float, cells: int, dots: int) -> int:
    """Return which of so many cells of `dots` dots lies at a fraction (0 to 1) of the way."""
    return round(fraction * (dots * cells - 1)) // dots


def ascii_only(text: str) -> str:
    """Return `text` in ASCII, a character for a character: "│ 4.2 σ →" becomes "| 4.2 s >"."""
    return text if text.isascii() else "".join(map(_ascii, text))


def ascii_cells(text: str) -> str:
    """Return `text` in ASCII, a character for every cell: "数 σ" becomes "?? s"."""
    return text if text.isascii() else "".join(_ascii(one) * cell_len(one) for one in text)


def fit(app: object, text: str) -> str:
    """Return `text` as the terminal of `app` can show it."""
    return ascii_only(text) if getattr(app, "glyphs", None) is Glyphs.ASCII else text


@lru_cache(maxsize=1024)
def _ascii(character: str) -> str:
    if character.isascii():
        return character
    if character in ASCII:
        return ASCII[character]
    if "\u2500" <= character <= "\u257f":  # corners and crossings of lines
        return "+"
    if "\u2800" <= character <= "\u28ff":
        return "*" if character > "\u2800" else " "
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() else "?"
