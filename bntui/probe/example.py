"""What `bntui check --example` checks: digits, and a network that batch norm fails after few updates."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from bntui.data.built_in import DIGITS

Loader = DataLoader[tuple[Tensor, ...]]


def loaders() -> tuple[Loader, Loader]:
    """Return loaders of the built-in digits, for training and for validation: (images, labels)."""
    digits = DIGITS.read()
    sets = (
        (digits.train_images, digits.train_labels),
        (digits.validation_images, digits.validation_labels),
    )
    tensors = [(torch.from_numpy(x)[:, None] / 255, torch.from_numpy(y).long()) for x, y in sets]
    training, validation = (
        DataLoader(TensorDataset(x, y), batch_size=256, shuffle=True) for x, y in tensors
    )
    return training, validation


def trained(training: Loader) -> nn.Module:
    """Return a small network after three epochs, at torch's momentum 0.01: too few updates for it."""
    torch.manual_seed(2)
    blocks = [_block(*channels) for channels in pairwise((1, 8, 16, 32, 64))]
    model = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(256, 10))
    optimizer = torch.optim.Adam(model.parameters())
    for images, labels in (batch for _ in range(3) for batch in training):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return model


def _block(inputs: int, outputs: int) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
    bn = nn.BatchNorm2d(outputs, momentum=0.01)
    return nn.Sequential(OrderedDict(conv=convolution, relu=nn.ReLU(), bn=bn))
