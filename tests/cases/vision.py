"""Published architectures on the built-in digits, made as large and as colourful as these expect."""

import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import Loader, digits
from tests.cases.fit import fit


def colour(images: Tensor) -> Tensor:
    """Return (N, 3, 32, 32) of (N, 1, 28, 28), with a frame of the background."""
    frame = float(images.min())
    padded = functional.pad(images, (2, 2, 2, 2), value=frame)
    return padded.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def _digits(split: str, batch: int) -> Loader:
    return digits(split, batch=batch, change=colour)


def _case(model: nn.Module, updates: int, batch: int, rate: float) -> Case:
    # Depthwise convolutions take half the time with channels last.
    fit(model.to(memory_format=torch.channels_last), _digits("training", batch), updates, rate)
    return Case(model, _digits("validation", batch), _digits("training", batch))


def torchvision_case(name: str, updates: int, batch: int = 32, rate: float = 0.003) -> Case:
    """Train a model of torchvision, from weights drawn with seed 0."""
    torch.manual_seed(0)
    return _case(torchvision.models.get_model(name, num_classes=10), updates, batch, rate)


def timm_case(name: str, updates: int, batch: int = 32, rate: float = 0.003) -> Case:
    """Train a model of timm, from weights drawn with seed 0."""
    torch.manual_seed(0)
    return _case(timm.create_model(name, num_classes=10), updates, batch, rate)
