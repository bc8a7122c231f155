"""Tensors of a state that was kept, put to use again."""

import torch
from torch import Tensor

from bntui.core.border import BorderError


def like(own: Tensor, kept: Tensor, what: str) -> Tensor:
    """Return what was kept of `own`, laid out in memory as that is. Raises BorderError for another shape."""
    if kept.shape != own.shape or kept.dtype != own.dtype:
        raise BorderError(f"{what}: {tuple(kept.shape)} instead of {tuple(own.shape)}")
    return torch.empty_like(own).copy_(kept)
