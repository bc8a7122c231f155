"""The thread's CNN, read from top to bottom, and its initial weights.

Keras's network rebuilt in torch: the padding comes before BN, so BN sees the zero border and the
border becomes BN(0). `Conv2d(padding=1)` after BN would be a different network.
"""

from collections import OrderedDict

import torch
from torch import nn

BN_EPSILON = 1e-3
"""Keras's default; torch's is 1e-5."""


class BatchNorm(nn.BatchNorm2d):
    """BN over (N, C) or (N, C, H, W), also where a batch has one value per channel.

    Torch refuses one value per channel in training mode. Keras normalises it with its own mean and
    a variance of 0, so the output is the bias; the same happens here. `momentum` is torch's and
    fixed at 1: the buffers hold the last batch's statistics (see `statistics.py`).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=BN_EPSILON, momentum=1.0)

    def _check_input_dim(self, input: torch.Tensor) -> None:  # noqa: A002 (torch's own name)
        if input.dim() not in {2, 4}:
            raise ValueError(f"expected 2 or 4 dimensions, got {input.dim()}")

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
        """Normalise `input`, with its own statistics in training mode."""
        if self.training and input.numel() == self.num_features:
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.copy_(input.detach().flatten())
            self.running_var.zero_()
            shape = (1, -1) + (1,) * (input.dim() - 2)
            return (input - input) * self.weight.view(shape) + self.bias.view(shape)
        return super().forward(input)


def build(
    *, batch_norm: bool = True, width: float = 1.0, classes: int = 10, generator: torch.Generator
) -> nn.Sequential:
    """Build the thread's CNN for images of (N, 1, 28, 28); the output is logits (N, classes).

    `width` scales the channels of every hidden layer. Weights are Glorot uniform and biases 0, as
    in Keras; they depend on `generator` alone.
    """

    def bn(channels: int) -> nn.Module | None:
        return BatchNorm(channels) if batch_norm else None

    c1, c2, hidden = (max(1, round(n * width)) for n in (32, 64, 512))
    layers: list[tuple[str, nn.Module | None]] = [
        ("pad1", nn.ZeroPad2d(1)),
        ("conv1", nn.Conv2d(1, c1, 3)),
        ("relu1", nn.ReLU()),
        ("pad2", nn.ZeroPad2d(1)),
        ("conv1_bn", bn(c1)),
        ("conv2", nn.Conv2d(c1, c1, 3)),
        ("relu2", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2)),
        ("pad3", nn.ZeroPad2d(1)),
        ("conv2_bn", bn(c1)),
        ("conv3", nn.Conv2d(c1, c2, 3)),
        ("relu3", nn.ReLU()),
        ("pad4", nn.ZeroPad2d(1)),
        ("conv3_bn", bn(c2)),
        ("conv4", nn.Conv2d(c2, c2, 3)),
        ("relu4", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2)),
        ("flatten", nn.Flatten()),
        ("flatten_bn", bn(c2 * 7 * 7)),
        ("dense1", nn.Linear(c2 * 7 * 7, hidden)),
        ("relu5", nn.ReLU()),
        ("dense1_bn", bn(hidden)),
        ("dense2", nn.Linear(hidden, classes)),
    ]
    model = nn.Sequential(OrderedDict((name, layer) for name, layer in layers if layer))
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return model


def parameter_count(model: nn.Module) -> int:
    """Count parameters as Keras does: the moving statistics included."""
    tensors = [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]
    return sum(tensor.numel() for tensor in tensors)
