"""Which of the explorer's panels a terminal has room for, as classes that `app.tcss` goes by. Pure."""

from textual.geometry import Size

FULL = Size(116, 34)
"""From here on several panels are shown at once, else one."""
LARGE = Size(180, 50)
"""From here on accuracy and loss both have a place, and the columns are wider."""
TALL = 50
"""Rows from which on loss has a place of its own."""
KNOBS_FIT = 76
"""Columns in which all knobs fit with their longest values."""
LOW = 20
"""Rows below which a notice takes the place of the hint."""
SMALLEST = Size(60, 16)
TABS = "1 accuracy 2 loss 3 map 4 drift 5 predictions 6 why"
TOO_SMALL = (
    f"bntui needs {SMALLEST.width} columns and {SMALLEST.height} rows: please enlarge the terminal. "
    "The run goes on."
)


def classes(size: Size) -> dict[str, bool]:
    """Return which classes the explorer has in a terminal of so many columns and rows."""
    tiny = not _holds(size, SMALLEST)
    full = _holds(size, FULL)
    return {
        "-full": full,
        "-large": _holds(size, LARGE),
        "-tall": full and size.height >= TALL,
        "-short": full and size.height < TALL,
        "-tabs": not full and not tiny,
        "-narrow": size.width < KNOBS_FIT,
        "-low": size.height < LOW,
        "-tiny": tiny,
    }


def _holds(size: Size, least: Size) -> bool:
    return size.width >= least.width and size.height >= least.height
