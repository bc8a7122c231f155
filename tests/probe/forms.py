"""Samples in every form that batches have."""

from collections import UserDict
from typing import Any

import numpy as np
import torch
from torch import Tensor


def numbers(count: int, start: int = 0) -> Tensor:
    return torch.arange(start, start + count, dtype=torch.float32)[:, None]


def same(one: Any, other: Any) -> bool:
    """Tell whether two batches have the same values in the same structure and types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor | np.ndarray):
        return one.dtype == other.dtype and np.array_equal(np.asarray(one), np.asarray(other))
    if isinstance(one, dict | UserDict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


X, Y = torch.ones(2, 3), torch.arange(2)
