"""What of a model and of the random streams must be as it was found, to be compared with ==."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def as_found(model: nn.Module) -> dict[str, Any]:
    """Return every bit of a model that measuring may not change, and which objects hold them."""
    found: dict[str, Any] = {"torch": torch.get_rng_state().tolist(), "python": random.getstate()}
    found["numpy"] = str(np.random.get_state(legacy=False))  # noqa: NPY002
    for device in range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0):
        found[f"cuda {device}"] = torch.cuda.get_rng_state(device).tolist()
    for name, module in model.named_modules():
        found[f"{name} mode"] = module.training
        found[f"{name} registered"] = [
            (kind, key, id(value))
            for kind, entries in vars(module).items()
            if isinstance(entries, dict) and (kind in {"_modules", "_buffers"} or "hooks" in kind)
            for key, value in entries.items()
        ]
        for key, tensor in (*module._parameters.items(), *module._buffers.items()):
            found[f"{name} {key}"] = tensor if tensor is None else (id(tensor), bits(tensor))
            if tensor is not None:
                gradient = tensor.grad
                found[f"{name} {key} gradient"] = (id(gradient), bits(gradient))
                found[f"{name} {key} learns"] = tensor.requires_grad
    return found


def bits(tensor: Tensor | None) -> Any:
    """Return where a tensor lies, and what is in it: NaN and −0 are told apart from others."""
    if tensor is None:
        return None
    values = tensor.detach()
    held = values.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes()
    return (values.data_ptr(), values.stride(), values.dtype, values.device, held)
