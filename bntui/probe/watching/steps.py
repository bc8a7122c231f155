"""The steps of torch's and Keras's optimisers, told to whoever watches one of their models."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from bntui.probe.watching import keras_updates
from bntui.probe.watching.keras_updates import KerasOptimizer
from bntui.probe.watching.losses import Losses

AnyOptimizer = Optimizer | KerasOptimizer


class Listener(Protocol):
    """Who is told of steps."""

    def stepped(self, optimizer: AnyOptimizer, losses: tuple[Tensor, ...], *, new: bool) -> None:
        """Take note of a step after `backward` on these losses; not `new`, another step came between."""
        ...


_listeners: list[Listener] = []
_losses = Losses()
_handle: RemovableHandle | None = None
_undo_keras: Callable[[], None] | None = None


def listen(listener: Listener) -> None:
    """Tell `listener` of every step of every optimiser of torch's from now on, and of Keras's if it is loaded."""
    global _handle, _undo_keras
    if _handle is None:
        _handle = register_optimizer_step_post_hook(_after_step)
        _losses.attach()
    if _undo_keras is None:
        _undo_keras = keras_updates.attach(_after_step)
    _listeners.append(listener)


def leave(listener: Listener) -> None:
    """Tell `listener` no more; with the last one torch is as it was."""
    global _handle, _undo_keras
    if listener in _listeners:
        _listeners.remove(listener)
    if not _listeners and _handle is not None:
        _handle.remove()
        _handle = None
        _losses.detach()
        if _undo_keras:
            _undo_keras()
        _undo_keras = None


def listeners() -> tuple[Listener, ...]:
    """Return all who are told of steps."""
    return tuple(_listeners)


def since_last_step() -> tuple[Tensor, ...]:
    """Return the losses since the last step, for an optimiser that isn't torch's."""
    return _losses.take()[0]


def _after_step(optimizer: AnyOptimizer, *_: Any) -> None:
    losses, new = _losses.take()
    for listener in listeners():
        listener.stepped(optimizer, losses, new=new)


def _wrapped(optimizer: Optimizer) -> Iterator[Optimizer]:
    """Return an optimiser and those within it, such as accelerate's: the inner one's steps are seen."""
    inner: object = optimizer
    while isinstance(inner, Optimizer):
        yield inner
        inner = getattr(inner, "optimizer", None)


class Updates:
    """Tells which steps are updates of one model, of which several optimisers may train parts."""

    def __init__(self, model: nn.Module, only: Iterable[Optimizer] = ()) -> None:
        """Count steps of `only`, where it names any; else of whoever holds a parameter of the model."""
        self._model = model
        self._only = tuple(one for each in only for one in _wrapped(each))
        self._known: WeakKeyDictionary[AnyOptimizer, tuple[int, bool]] = WeakKeyDictionary()
        self._made: set[int] = set()
        """Optimisers that have stepped in the update under way."""

    def begins(self, optimizer: AnyOptimizer, *, new: bool) -> bool:
        """Tell whether this step is a new update, and not of the one that another optimiser has begun.

        It is after a `new` backward pass, and where an optimiser has come around again.
        """
        if not self._holds(optimizer):
            return False
        key = id(optimizer)
        new = new or not self._made or key in self._made
        self._made = {key} if new else self._made | {key}
        return new

    def _holds(self, optimizer: AnyOptimizer) -> bool:
        if self._only:
            return any(optimizer is one for one in self._only)
        number = sum(len(group["params"]) for group in optimizer.param_groups)
        known = self._known.get(optimizer)
        if known is None or known[0] != number:
            theirs = {id(one) for group in optimizer.param_groups for one in group["params"]}
            held = any(id(one) in theirs for one in self._model.parameters())
            known = self._known[optimizer] = number, held
        return known[1]
