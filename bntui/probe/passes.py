"""One pass of a user's model over one of their batches."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import nn

from bntui.probe.batches import Batch, call, moved

Forward = Callable[[nn.Module, Batch], Any]
"""A user's own: gets the model and the whole batch, on the model's device."""
ONE_VALUE = "Expected more than 1 value per channel"
"""How torch refuses a batch of one value per channel in training mode."""


def run(model: nn.Module, batch: Batch, forward: Forward | None = None) -> Any:
    """Run a copy of a batch through a model as it stands, on its device; return what it puts out.

    Without a `forward` of the user's the inputs get the type of the model's weights, too: half-precision
    models are mostly fed by the loader that they were trained with.
    """
    if forward is not None:
        return forward(model, moved(batch, device_of(model), copied=True))
    return call(model, moved(batch, device_of(model), type_of(model), copied=True))


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first tensor."""
    tensors = chain(model.parameters(), model.buffers())
    return next((one.device for one in tensors), torch.device("cpu"))


def type_of(model: nn.Module) -> torch.dtype | None:
    """Return the type that a model's inputs must have, None for single precision."""
    types = (one.dtype for one in model.parameters() if one.is_floating_point())
    found = next(types, torch.float32)
    return None if found == torch.float32 else found
