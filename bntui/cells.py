"""Text measured in the terminal's cells, of which 数 takes two. For the screen and for tables."""

from rich.cells import cell_len, chop_cells, set_cell_size

__all__ = ["cell_len", "padded", "shorten", "wrapped"]


def shorten(text: str, cells: int) -> str:
    """Return `text` in at most so many cells, one at the least."""
    if cell_len(text) <= cells:
        return text
    return f"{set_cell_size(text, cells - 1)}…" if cells > 1 else "…"


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """Return `text` with blanks up to so many cells, in front of it if it is to stand on the right."""
    blanks = " " * (cells - cell_len(text))
    return blanks + text if right else text + blanks


def wrapped(text: str, cells: int) -> list[str]:
    """Return `text` as lines of at most so many cells, broken at blanks, and words only where they must."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and cell_len(line) + 1 + cell_len(word) <= cells:
            line += f" {word}"
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, max(cells, 2))
        lines += full
    return [*lines, line] if line else lines
