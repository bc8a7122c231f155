"""What cases share: the built-in digits as loaders, tiny models, and a plain training loop."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, repeat
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from bntui.data.built_in import DIGITS

Loader = DataLoader[tuple[Tensor, ...]]


@cache
def tensors(split: str = "training") -> tuple[Tensor, Tensor]:
    """Return images (N, 1, 28, 28) with mean 0 and variance 1, and labels (N,). N: 4000, 1000."""
    arrays = DIGITS.read()
    training = split == "training"
    images = arrays.train_images if training else arrays.validation_images
    labels = arrays.train_labels if training else arrays.validation_labels
    pixels = torch.from_numpy(images.copy()).float().unsqueeze(1) / 255
    return (pixels - 0.1307) / 0.3081, torch.from_numpy(labels.copy()).long()


def loader(
    *columns: Tensor, batch: int = 64, shuffle: bool = False, seed: int = 0, drop_last: bool = False
) -> Loader:
    """Return a DataLoader of the columns whose order follows from the seed."""
    order = torch.Generator().manual_seed(seed)
    return DataLoader(
        TensorDataset(*columns), batch, shuffle=shuffle, generator=order, drop_last=drop_last
    )


def digits(
    split: str = "training",
    batch: int = 64,
    shuffle: bool | None = None,
    seed: int = 0,
    count: int | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
) -> Loader:
    """Return the first `count` digits of a split; training is shuffled if nothing else is said."""
    images, labels = tensors(split)
    images, labels = images[:count], labels[:count]
    training = split == "training"
    shuffled = training if shuffle is None else shuffle
    inputs = images if change is None else change(images)
    return loader(inputs, labels, batch=batch, shuffle=shuffled, seed=seed, drop_last=training)


def small_cnn(
    width: int = 8,
    momentum: float | None = 0.1,
    dropout: float = 0.0,
    seed: int = 0,
    pooled: bool = False,
) -> nn.Sequential:
    """Return three blocks of convolution, BatchNorm2d and ReLU (14, 7, 4 pixels), and a head.

    The head sees every position, or, `pooled`, their mean: that one learns and settles later.
    """
    torch.manual_seed(seed)
    blocks: list[nn.Module] = []
    channels = 1
    for block in range(3):
        wide = width * 2**block
        blocks += [
            nn.Conv2d(channels, wide, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide, momentum=momentum),
            nn.ReLU(),
        ]
        blocks += [nn.Dropout(dropout)] if dropout else []
        channels = wide
    if pooled:
        blocks.append(nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(channels * (1 if pooled else 16), 10))


def mlp(
    inputs: int = 784,
    hidden: tuple[int, ...] = (64, 64),
    classes: int = 10,
    momentum: float | None = 0.1,
    seed: int = 0,
) -> nn.Sequential:
    """Return layers of Linear, BatchNorm1d and ReLU, and a head; images are flattened."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width, momentum=momentum), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


def endless(training: Iterable[Any]) -> Iterator[Any]:
    """Go through the loader again and again."""
    return chain.from_iterable(repeat(training))


def train(
    model: nn.Module,
    training: Iterable[Any],
    updates: int,
    rate: float = 0.1,
    optimizer: str = "sgd",
    after: Callable[[int], None] | None = None,
) -> nn.Module:
    """Train in training mode with cross-entropy; `after` is called with the number of updates made."""
    torch.manual_seed(1)
    weights = [one for one in model.parameters() if one.requires_grad]
    steps: torch.optim.Optimizer = (
        torch.optim.SGD(weights, lr=rate, momentum=0.9)
        if optimizer == "sgd"
        else torch.optim.Adam(weights, lr=rate)
    )
    model.train()
    for update, (inputs, labels) in zip(range(1, updates + 1), endless(training), strict=False):
        steps.zero_grad()
        functional.cross_entropy(model(inputs), labels).backward()
        steps.step()
        if after is not None:
            after(update)
    return model
