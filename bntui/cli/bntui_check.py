"""Put your model and your loaders in here, then: bntui check bntui_check.py:parts."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from bntui.data.built_in import DIGITS


def block(inputs: int, outputs: int) -> nn.Module:
    """Return a convolution with its batch norm."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
    bn = nn.BatchNorm2d(outputs, momentum=0.01)
    return nn.Sequential(OrderedDict(conv=convolution, relu=nn.ReLU(), bn=bn))


def parts() -> dict[str, object]:
    """Return what to check: a trained model, and loaders that yield (inputs, labels)."""
    digits = DIGITS.read()  # instead: your loaders
    sets = (
        (digits.train_images, digits.train_labels),
        (digits.validation_images, digits.validation_labels),
    )
    tensors = [(torch.from_numpy(x)[:, None] / 255, torch.from_numpy(y).long()) for x, y in sets]
    training, validation = (
        DataLoader(TensorDataset(x, y), batch_size=256, shuffle=True) for x, y in tensors
    )
    torch.manual_seed(2)
    blocks = [block(*channels) for channels in pairwise((1, 8, 16, 32, 64))]
    model = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(256, 10))  # instead: yours, trained
    optimizer = torch.optim.Adam(model.parameters())  # instead: nothing
    for x, y in (batch for _ in range(3) for batch in training):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return {"model": model, "validation": validation, "training": training}
