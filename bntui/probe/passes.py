"""One pass of a user's model over one of their batches."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any

import torch
from torch import nn

from bntui.probe.batches import Batch, moved
from bntui.probe.calling import call

Forward = Callable[[nn.Module, Batch], Any]
"""A user's own: gets the model and the whole batch, on the model's device."""
ONE_VALUE = "Expected more than 1 value per channel"
"""How torch refuses a batch of one value per channel in training mode."""


def run(
    model: nn.Module,
    batch: Batch,
    forward: Forward | None = None,
    *,
    like: nn.Module | None = None,
) -> Any:
    """Run a copy of a batch through a model as it stands, on its device; return what it puts out.

    It is a copy of the batch: some models work in place. Without a `forward` of the user's the inputs get
    the type of the model's weights, too: half-precision models are mostly fed by the loader that they were
    trained with. `like` is the model whose device and type that is, where `model` is no module.
    """
    like = model if like is None else like
    if forward is not None:
        return forward(model, moved(batch, device_of(like), copied=True))
    return call(model, moved(batch, device_of(like), type_of(like), copied=True))


def as_written() -> AbstractContextManager[object]:
    """Return a context in which compiled models run as they are written.

    Hooks in a compiled one are compiled with it, which some can't be, or they are left out. A process
    that has not loaded the compiler has compiled nothing, and loading it takes seconds.
    """
    return _stance("force_eager")


def as_compiled() -> AbstractContextManager[object]:
    """Return a context in which compiled models run compiled again."""
    return _stance("default")


def _stance(name: str) -> AbstractContextManager[object]:
    set_stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    if set_stance is None or "torch._dynamo" not in sys.modules:
        return nullcontext()
    stance: AbstractContextManager[object] = set_stance(name)
    return stance


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first tensor."""
    tensors = chain(model.parameters(), model.buffers())
    return next((one.device for one in tensors), torch.device("cpu"))


def type_of(model: nn.Module) -> torch.dtype | None:
    """Return the type that a model's inputs must have, None for single precision."""
    types = (one.dtype for one in model.parameters() if one.is_floating_point())
    found = next(types, torch.float32)
    return None if found == torch.float32 else found
