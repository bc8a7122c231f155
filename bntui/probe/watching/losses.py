"""The losses of somebody else's training: what `backward` is called on, as a program reads it.

Nothing is read from the device here: values are copies that stay where they are.
"""

import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bntui.probe.watching.own_frames import hidden
from bntui.probe.watching.recorded import is_recorded
from bntui.probe.watching.replacements import Replacements

MOST = 4096
"""Losses kept between two updates, at most: of more, the last ones."""


class Losses:
    """Takes note of every scalar that `Tensor.backward` is called on, while it is `attached`.

    With a gradient scaler it is the loss before scaling.
    """

    def __init__(self) -> None:
        self._waiting: deque[Tensor] = deque(maxlen=MOST)
        self._last: tuple[Tensor, ...] = ()
        self._root: weakref.ref[Tensor] | None = None
        """The last one: a subclass of tensors calls `backward` of torch's twice on it, once within the other."""
        self._scaled: tuple[weakref.ref[Tensor], Tensor] | None = None
        self._replaced = Replacements()

    def attach(self) -> None:
        """Begin to take note."""
        self._replaced.put(torch.Tensor, "backward", self._backward)
        self._replaced.put(torch.amp.GradScaler, "scale", self._scale)

    def detach(self) -> None:
        """Put torch's own functions back."""
        self._replaced.undo()
        self._waiting.clear()
        self._last, self._scaled, self._root = (), None, None

    def take(self) -> tuple[tuple[Tensor, ...], bool]:
        """Return the losses since some optimiser stepped, and whether there are any.

        Where there are none, two optimisers step after one backward pass: the losses are those before.
        """
        self._root = None
        new = bool(self._waiting)
        if new:
            self._last = tuple(self._waiting)
            self._waiting.clear()
        return self._last, new

    @hidden
    def _backward(self, backward: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        _quietly(self._before_backward, *arguments)
        return backward(*arguments, **named)

    @hidden
    def _scale(self, scale: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        _quietly(self._before_scale, *arguments)
        scaled = scale(*arguments, **named)
        _quietly(self._after_scale, scaled)
        return scaled

    def _before_backward(self, loss: Any, *_: Any) -> None:
        if not _is_one(loss) or (self._root is not None and self._root() is loss) or is_recorded():
            return
        self._root = weakref.ref(loss)
        scaled = self._scaled
        if scaled is not None and scaled[0]() is loss:
            self._waiting.append(scaled[1])
        else:
            self._waiting.append(loss.detach().clone())

    def _before_scale(self, _scaler: Any, outputs: Any = None, *_: Any) -> None:
        self._unscaled = (
            outputs.detach().clone() if _is_one(outputs) and not is_recorded() else None
        )

    def _after_scale(self, result: Any) -> None:
        if self._unscaled is not None and isinstance(result, Tensor):
            self._scaled = weakref.ref(result), self._unscaled

    _unscaled: Tensor | None = None


def _is_one(value: Any) -> bool:
    return isinstance(value, Tensor) and value.numel() == 1


def _quietly(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception:  # a loss that can't be copied is not shown; the training goes on
        return
