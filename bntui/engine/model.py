"""The thread's CNN, read from top to bottom, and its initial weights.

Keras's network rebuilt in torch: the padding comes before BN, so BN sees the zero border and the
border becomes BN(0). `Conv2d(padding=1)` after BN would be a different network.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

BN_EPSILON = 1e-3
"""Keras's default; torch's is 1e-5."""


class Normalise(torch.autograd.Function):
    """Normalise (N, C, …) with its own statistics, which it returns beside the output.

    torch's CPU kernel for channels-last batches sums each channel in one float32 after the other:
    at a batch of 4,096 its variances are 2 % off, at 256 still 0.1 %.
    """

    @staticmethod
    def forward(
        ctx: Any, batch: Tensor, weight: Tensor, bias: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor]:
        """Return the output and its statistics (2, C), the variances biased."""
        statistics = batch_statistics(batch)
        mean, variance = statistics
        ctx.epsilon = epsilon
        ctx.save_for_backward(batch, weight, mean, (variance + epsilon).rsqrt())
        ctx.mark_non_differentiable(statistics)
        return nn.functional.batch_norm(
            batch, mean, variance, weight, bias, eps=epsilon
        ), statistics

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of batch, weight and bias: torch's own, given the statistics."""
        batch, weight, mean, scale = ctx.saved_tensors
        backward = torch.ops.aten.native_batch_norm_backward
        return (
            *backward(
                gradients[0], batch, weight, None, None, mean, scale, True, ctx.epsilon, [True] * 3
            ),
            None,
        )


def batch_statistics(batch: Tensor) -> Tensor:
    """Return the means and biased variances (2, C) of (N, C, …), accurate to float32's last bits.

    On the CPU first over the images at each position by torch's kernel, then over the positions in
    float64: no float32 sum is longer than N.
    """
    channels = batch.shape[1]
    if batch.device.type != "cpu":
        variance, mean = torch.var_mean(batch.movedim(1, -1).reshape(-1, channels), 0, correction=0)
        return torch.stack([mean, variance])
    by_position = batch.movedim(1, -1).reshape(len(batch), -1)
    means, variances = torch.batch_norm_update_stats(by_position, None, None, 0.0)
    means, variances = means.view(-1, channels).double(), variances.view(-1, channels).double()
    mean = means.mean(0)
    return torch.stack([mean, (variances + means**2).mean(0) - mean**2]).to(batch.dtype)


class BatchNorm(nn.BatchNorm2d):
    """BN over (N, C) or (N, C, H, W), also where a batch has one value per channel.

    Torch refuses one value per channel in training mode. Keras normalises it with its own mean and
    a variance of 0, so the output is the bias; the same happens here. `momentum` is torch's and
    fixed at 1: the buffers hold the last batch's statistics (see `statistics.py`).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=BN_EPSILON, momentum=1.0)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (torch's own name)
        if input.dim() not in {2, 4}:
            raise ValueError(f"expected 2 or 4 dimensions, got {input.dim()}")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise `input`, with its own statistics in training mode."""
        n = input.numel() // self.num_features
        if not self.training or (input.device.type != "cpu" and n > 1):
            return super().forward(input)
        self._check_input_dim(input)
        output: Tensor
        output, (mean, variance) = Normalise.apply(input, self.weight, self.bias, self.eps)
        assert self.running_mean is not None
        assert self.running_var is not None
        self.running_mean.copy_(mean)
        self.running_var.copy_(variance * (n / max(1, n - 1)))  # unbiased, as torch keeps it
        return output


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


def activation_bytes(model: nn.Module, images: Tensor) -> int:
    """Return the bytes that one image keeps in memory between forward and backward pass.

    Measured on the few `images` (N, …) in training mode; changes nothing but BN's buffers.
    """
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    model.train()
    own = {tensor.untyped_storage().data_ptr() for tensor in model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(images)
    total = sum(size for pointer, size in kept.items() if pointer not in own)
    del output
    return total // len(images)
