"""Titles of panels that are never cut: their parts have shorter forms. Pure."""

from collections.abc import Sequence

from bntui.core.cells import cell_len

MARGIN = 4
"""Cells of a panel's inside that its title leaves free: a blank and a piece of the border on either side."""


def fitted_title(parts: Sequence[Sequence[str]], inside: int) -> str:
    """Join parts in the longest forms that a panel `inside` cells wide has room for.

    Each part is its forms, the longest first; an empty one leaves it out. The first part says what
    the panel shows, and shortens first. Then the others do, from the last one on.
    """
    chosen = [0] * len(parts)

    def joined() -> str:
        forms = (part[form] for part, form in zip(parts, chosen, strict=True))
        return " · ".join(form for form in forms if form)

    for place in [0, *range(len(parts) - 1, 0, -1)]:
        while cell_len(joined()) > inside - MARGIN and chosen[place] < len(parts[place]) - 1:
            chosen[place] += 1
    return joined()
