"""The losses of somebody else's training: what `backward` is called on, as a program reads it.

Nothing is read from the device here: values are copies that stay where they are.
"""

import weakref
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from bntui.probe.watching.recorded import is_recorded

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
        self._undo: list[Callable[[], None]] = []

    def attach(self) -> None:
        """Begin to take note."""
        self._undo = [
            _wrapped(torch.Tensor, "backward", self._before_backward),
            _wrapped(torch.amp.GradScaler, "scale", self._before_scale, self._after_scale),
        ]

    def detach(self) -> None:
        """Put torch's own functions back."""
        for undo in self._undo:
            undo()
        self._undo = []
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


def _wrapped(
    owner: Any,
    name: str,
    before: Callable[..., None],
    after: Callable[[Any], None] = lambda _: None,
) -> Callable[[], None]:
    """Have `before` see the arguments of a function, and `after` its result; return what undoes it.

    Neither can raise into the caller. If somebody else has wrapped the function since, it stays as it
    is, and what we do there is nothing.
    """
    original = getattr(owner, name)
    active = True

    @wraps(original)
    def watched(*arguments: Any, **named: Any) -> Any:
        if active:
            _quietly(before, *arguments)
        result = original(*arguments, **named)
        if active:
            _quietly(after, result)
        return result

    def undo() -> None:
        nonlocal active
        active = False
        if getattr(owner, name) is watched:
            setattr(owner, name, original)

    setattr(owner, name, watched)
    return undo


def _quietly(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception:  # a loss that can't be copied is not shown; the training goes on
        return
