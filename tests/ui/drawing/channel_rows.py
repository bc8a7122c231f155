"""Channels of a layer, and pictures of them as rows of text."""

import math

import numpy as np
import numpy.typing as npt

from bntui.core.measured import Channels
from bntui.ui.drawing.canvas import Picture

INF = math.inf
Row = npt.NDArray[np.float32]


def row(*values: float) -> Row:
    return np.array(values, dtype=np.float32)


def channels(
    mean: Row, ratio: Row | None = None, *, start: float = 1.0, quiet: Row | None = None
) -> Channels:
    """Return channels of which the start value makes the share `start` of every error."""
    ratio = np.zeros_like(mean) if ratio is None else ratio
    with np.errstate(all="ignore"):
        off: Row = np.expm1(ratio).astype(np.float32)
    return Channels(
        mean_gap=mean,
        log_var_ratio=ratio,
        mean_start=start * mean,
        variance_start=start * off,
        variance_rest=(1 - start) * off,
        quiet=np.zeros_like(mean) if quiet is None else quiet,
    )


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]
