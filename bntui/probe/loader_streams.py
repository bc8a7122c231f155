"""The random streams that a user's loader holds, put back where they stood."""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST_OBJECTS, MOST_PARTS = 2000, 100
"""How many objects are looked at, and of each list or dict how many of its elements: a data set may hold a
million file names."""
_OTHERS = (Tensor, np.ndarray, str, bytes, int, float, complex, type, ModuleType, type(None))
"""What holds no stream."""


@contextmanager
def loader_unchanged(*loaders: Any) -> Iterator[None]:
    """Put the random streams that loaders hold, or what they draw from does, back in the end.

    Also on an error. What draws from torch's global stream is no matter of this: see
    `bntui.measure.unchanged`.
    """
    put_back = [put for one in _held_by(loaders) if (put := _put_back(one))]
    try:
        yield
    finally:
        for put in put_back:
            put()


def _held_by(loaders: Iterable[Any]) -> Iterator[Any]:
    """Yield what loaders hold, and what that holds, and so on: their samplers, data sets and transforms."""
    seen: set[int] = set()
    waiting = list(loaders)
    for holder in waiting:  # it grows: what is near comes first
        if id(holder) in seen or isinstance(holder, _OTHERS):
            continue
        if len(seen) == MOST_OBJECTS:
            return
        seen.add(id(holder))
        yield holder
        parts: Iterable[Any] = ()
        if isinstance(holder, list | tuple | set | frozenset):
            parts = holder
        elif isinstance(holder, dict):
            parts = holder.values()
        waiting += islice(parts, MOST_PARTS)
        attributes = getattr(holder, "__dict__", None)
        waiting += attributes.values() if isinstance(attributes, dict) else ()


def _put_back(stream: Any) -> Callable[[], object] | None:
    """Return what puts a random stream back where it stands; None for anything else."""
    if isinstance(stream, torch.Generator):
        return partial(stream.set_state, stream.get_state())
    if isinstance(stream, np.random.Generator):
        return partial(setattr, stream.bit_generator, "state", stream.bit_generator.state)
    if isinstance(stream, np.random.RandomState):
        return partial(stream.set_state, stream.get_state())
    if isinstance(stream, random.Random):
        return partial(stream.setstate, stream.getstate())
    return None
