"""Values to draw, and pictures as rows of text."""

import math
from collections.abc import Sequence

from bntui.core.series import Series, SeriesView

NAN = math.nan


def view(*values: float, capacity: int = 1024) -> SeriesView:
    series = Series(capacity)
    for x, value in enumerate(values):
        series.append(x, value)
    return series.view()


def text(picture: Sequence[Sequence[tuple[str, str]]]) -> list[str]:
    return ["".join(characters for characters, _ in row) for row in picture]
