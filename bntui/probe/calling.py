"""What a model is called with of a batch, and which tensor of its outputs counts."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bntui.probe.batches import Batch
from bntui.probe.errors import ProbeError
from bntui.probe.nesting import kind_of

_LOGITS = ("logits", "out")


def call(model: nn.Module, batch: Batch) -> Any:
    """Return what a model puts out for a batch: the `forward` of a user who gives none.

    The model gets the tensor, the first element of a tuple or list, or a dict's items by their names, but
    for those that its `forward` does not take. Raises ProbeError where that can't be.
    """
    inputs = batch
    if isinstance(batch, list | tuple) and batch:
        inputs = batch[0]
    if isinstance(inputs, Mapping):
        return model(**_taken(model, inputs))
    if isinstance(inputs, Tensor) or (isinstance(inputs, list | tuple) and inputs is not batch):
        signature = _signature(model)
        if signature is not None and not _takes(signature, inputs):
            raise ProbeError(
                f"The model takes {', '.join(signature.parameters) or 'nothing'}, and gets one thing, the batch"
                " or its first element: give forward=, a function of the model and the batch."
            )
        return model(inputs)
    raise ProbeError(
        f"A batch is {kind_of(batch)}, which the model can't be called with: give forward=, a function of the"
        " model and the batch."
    )


def output_tensor(output: Any) -> Tensor:
    """Return the tensor that tells a model's predictions: itself, its `logits` or `out`, or the first one.

    An array is one, too: an exported model's runtime gives such.
    """
    named = [output, getattr(output, _LOGITS[0], None)]
    parts: list[Any] = []
    if isinstance(output, Mapping):
        named += [output.get(name) for name in _LOGITS]
        parts = list(output.values())
    elif isinstance(output, list | tuple):
        parts = list(output)
    # A tensor without dimensions is a loss.
    several = [one for one in parts if isinstance(one, Tensor | np.ndarray) and one.ndim]
    for one in (*named, *several):
        if isinstance(one, Tensor | np.ndarray):
            return torch.as_tensor(one)
    raise ProbeError(
        f"The model puts out {kind_of(output)}: give forward=, a function of the model and the batch that"
        " returns one tensor."
    )


def refuse_loss(output: Tensor, samples: int) -> None:
    """Raise ProbeError for outputs that are one number for several samples."""
    if output.numel() == 1 and samples > 1:
        raise ProbeError(
            f"The model puts out one number for a batch of {samples} samples: give forward=, a function of the"
            " model and the batch that returns outputs, not their loss."
        )


def _taken(model: nn.Module, items: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a batch's items that the model's `forward` takes."""
    signature = _signature(model)
    if signature is None:
        return dict(items)
    parameters = signature.parameters.values()
    everything = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = [
        one.name for one in parameters if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}
    ]
    taken = {name: value for name, value in items.items() if everything or name in names}
    if not _takes(signature, **taken):
        raise ProbeError(
            f"A batch has the keys {', '.join(map(str, items))}, and the model takes {', '.join(names)}: give"
            " forward=, a function of the model and the batch."
        )
    return taken


def _takes(signature: inspect.Signature, *inputs: Any, **named: Any) -> bool:
    try:
        signature.bind(*inputs, **named)
    except TypeError:
        return False
    return True


def _signature(model: nn.Module) -> inspect.Signature | None:
    """Return what a model takes; of DDP, compiled and averaged ones what the model inside takes."""
    try:
        signature = inspect.signature(getattr(model, "forward", model))
    except (TypeError, ValueError):
        return None
    if any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values()):
        for name in ("_orig_mod", "module"):
            inner = getattr(model, name, None)
            if isinstance(inner, nn.Module):
                return _signature(inner)
    return signature
