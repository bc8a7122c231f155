"""The normalisation layers that a network can be built with.

Batch norm, ghost batch norm and batch renorm keep running statistics; group norm and layer norm,
torch's own, treat every image by itself and have none. All learn a scale and a shift, and take
(N, C) and (N, C, H, W).

The running buffers hold the last batch's statistics, not a running average (see `statistics.py`).
"""

from typing import Any

import torch
from torch import Tensor, nn

EPSILON = 1e-3
"""Keras's default; torch's is 1e-5."""
MAX_GROUPS = 8
GROUP_CHANNELS = 4
"""Group norm's bounds. The 32 groups of Wu & He (2018, 1803.08494) would be of one channel in the
thread's first layers, which is another norm and, after `Flatten`, leaves nothing of an image."""
R_RAMP, R_MAX = (10, 80), 3.0
D_RAMP, D_MAX = (10, 50), 5.0
"""The updates between which batch renorm's limits open, and what they open to: Ioffe's (2017,
1702.03275) 5,000 to 40,000 and 25,000, five hundred times sooner. On the digits (quarter width,
batch 256, momentum 0.99) validation then recovers after some 80 updates and is at 0.96 after 160,
where plain BN is between 0.12 and 0.40, by the seed; opened at once or later they end within 0.004
of it."""
LONGEST_SUM = 2048
"""Values that one float32 sum of batch statistics adds up, at most: within some 1e-6 of exact."""
CLOSED = (1.0, 0.0)
"""The limits r_max and d_max at which batch renorm is plain BN."""


def make(norm: str, channels: int, ghost_batch: int) -> nn.Module | None:
    """Return a layer of the kind `norm`, None for none. Raises ValueError for an unknown one."""
    match norm:
        case "none":
            return None
        case "batch":
            return BatchNorm(channels)
        case "ghost":
            return GhostBatchNorm(channels, ghost_batch)
        case "renorm":
            return BatchRenorm(channels)
        case "group":
            return nn.GroupNorm(groups(channels), channels, eps=EPSILON)
        case "layer":
            # Over C, H and W with a scale and a shift for each channel. F.layer_norm would learn
            # one for each value, and Keras's LayerNormalization normalises over C alone.
            return nn.GroupNorm(1, channels, eps=EPSILON)
    raise ValueError(f"no normalisation layer is called {norm!r}")


def groups(channels: int) -> int:
    """Return the most groups that divide `channels`: at most 8, each of 4 channels or more."""
    most = min(MAX_GROUPS, channels // GROUP_CHANNELS)
    return max((n for n in range(1, most + 1) if channels % n == 0), default=1)


class Normalise(torch.autograd.Function):
    """Normalise (N, C, …) with its own means and biased variances, each (C,).

    torch's CPU kernel for channels-last batches sums each channel in one float32 after the other:
    at a batch of 4,096 its variances are 2 % off, at 256 still 0.1 %.
    """

    @staticmethod
    def forward(
        ctx: Any,
        batch: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Tensor,
        bias: Tensor,
        epsilon: float,
    ) -> Tensor:
        """Return the output."""
        ctx.epsilon = epsilon
        ctx.save_for_backward(batch, weight, mean, variance)
        return nn.functional.batch_norm(batch, mean, variance, weight, bias, eps=epsilon)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of batch, weight and bias: torch's own, given the statistics."""
        batch, weight, mean, variance = ctx.saved_tensors
        scale = (variance + ctx.epsilon).rsqrt()
        of_batch, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], batch, weight, None, None, mean, scale, True, ctx.epsilon, [True] * 3
        )
        return of_batch, None, None, of_weight, of_bias, None


@torch.no_grad()
def batch_statistics(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means and the biased variances, each (C,), of (N, C) or (N, C, H, W).

    On the CPU by torch's kernel for some rows of the images and each of their columns at a time,
    then pooled: no float32 sum is longer than `LONGEST_SUM`, and the kernel is as fast as it gets.
    """
    channels = batch.shape[1]
    if batch.device.type != "cpu":
        variance, mean = torch.var_mean(batch.movedim(1, -1).reshape(-1, channels), 0, correction=0)
        return mean, variance
    columns = batch.shape[3] if batch.dim() == 4 else 1
    rows = batch.movedim(1, -1).reshape(-1, columns * channels)
    if len(rows) <= LONGEST_SUM:
        return _of_rows(rows, columns)
    parts = rows.split(LONGEST_SUM)
    means, variances = map(torch.stack, zip(*(_of_rows(p, columns) for p in parts), strict=True))
    shares = torch.tensor([len(part) / len(rows) for part in parts])[:, None]
    mean = (means * shares).sum(0)
    return mean, ((variances + (means - mean) ** 2) * shares).sum(0)


def _of_rows(rows: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Return the means and the biased variances, each (C,), of rows (n, columns·C)."""
    means, variances = torch.batch_norm_update_stats(rows, None, None, 0.0)
    if columns == 1:
        return means, variances
    between, mean = torch.var_mean(means.view(columns, -1), 0, correction=0)
    return mean, variances.view(columns, -1).mean(0).add_(between)


class BatchNorm(nn.BatchNorm2d):
    """BN over (N, C) or (N, C, H, W), also where a batch has one value per channel.

    Torch refuses one value per channel in training mode. Keras normalises it with its own mean and
    a variance of 0, so the output is the bias; the same happens here. `momentum` is torch's and
    fixed at 1: the buffers hold the last batch's statistics (see `statistics.py`).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPSILON, momentum=1.0)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (torch's own name)
        if input.dim() not in {2, 4}:
            raise ValueError(f"expected 2 or 4 dimensions, got {input.dim()}")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise `input`, with its own statistics in training mode."""
        n = input.numel() // self.num_features
        if not self.training or (input.device.type != "cpu" and n > 1):
            return super().forward(input)
        self._check_input_dim(input)
        input = input.float()  # noqa: A001 - it may be bfloat16
        mean, variance = batch_statistics(input)
        self._hold(mean, variance, n)
        return self._normalised(input, mean, variance, self.weight, self.bias)

    @torch.no_grad()
    def _hold(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Put the biased statistics, each (C,), of n values per channel into the buffers."""
        assert self.running_mean is not None
        assert self.running_var is not None
        self.running_mean.copy_(mean)
        # Unbiased, as torch keeps it.
        torch.mul(variance, n / max(1, n - 1), out=self.running_var)

    def _normalised(
        self, batch: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        output: Tensor = Normalise.apply(batch, mean, variance, weight, bias, self.eps)
        return output


class GhostBatchNorm(BatchNorm):
    """BN whose training mode normalises each `images` of a batch, in their order, by themselves.

    Hoffer et al. 2017, 1705.08741. The last sub-batch may be smaller.
    """

    def __init__(self, channels: int, images: int) -> None:
        super().__init__(channels)
        self.images = images
        self.sub_batches = torch.empty(0, 2, channels)
        """(k, 2, C): the biased statistics of the last training-mode pass's k sub-batches."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise `input`, sub-batch by sub-batch with their own statistics in training mode.

        The buffers then hold the mean of the sub-batches' means and biased variances, each weighted
        by its images: what training normalises with on average, and what Keras's
        `virtual_batch_size` moved its statistics by, once a batch.
        """
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        input = input.float()  # noqa: A001 - it may be bfloat16
        parts = input.split(self.images)
        found = [batch_statistics(part) for part in parts]
        self.sub_batches = torch.stack([torch.stack(each) for each in found])
        shares = self.sub_batches.new_tensor([len(part) / len(input) for part in parts])
        mean, variance = (self.sub_batches * shares[:, None, None]).sum(0)
        self._hold(mean, variance, input.numel() // self.num_features)
        return torch.cat(
            [
                self._normalised(part, *statistics, self.weight, self.bias)
                for part, statistics in zip(parts, found, strict=True)
            ]
        )


class BatchRenorm(BatchNorm):
    """BN whose training mode is corrected towards what eval mode would put out.

    Ioffe 2017, 1702.03275: the batch's own statistics normalise, then r and d, taken for constants
    in the backward pass, put the running ones in their place as far as the limits allow:

        (x − μ_B)/σ_B · r + d    r = σ_B/σ within 1/r_max … r_max    d = (μ_B − μ)/σ within ±d_max

    Within the limits that is (x − μ)/σ. σ² here is a variance plus epsilon, and the running average
    is one of variances, as in BN; Ioffe averages deviations.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.running = torch.stack([torch.zeros(channels), torch.ones(channels)])
        """(2, C): the running means and biased variances, bound to a run's own by
        `Buffers.feed_back`."""
        self.limits = CLOSED

    def open_limits(self, update: int) -> None:
        """Set the limits for the update after `update` ones: first those of plain BN, then wider."""
        self.limits = (
            1.0 + _share(update, R_RAMP) * (R_MAX - 1.0),
            _share(update, D_RAMP) * D_MAX,
        )

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise `input`, with its own statistics and the correction in training mode."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        input = input.float()  # noqa: A001 - it may be bfloat16
        mean, variance = batch_statistics(input)
        self._hold(mean, variance, input.numel() // self.num_features)
        r, d = self._correction(mean, variance)
        scale, shift = self.weight * r, self.bias + self.weight * d
        return self._normalised(input, mean, variance, scale, shift)

    def _correction(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return r and d, each (C,): constants, since no gradient leads through statistics."""
        running_mean, running_variance = self.running
        deviation = (running_variance + self.eps).sqrt()
        r = (variance + self.eps).sqrt() / deviation
        d = (mean - running_mean) / deviation
        r_max, d_max = self.limits
        return r.clamp(1.0 / r_max, r_max), d.clamp(-d_max, d_max)


def _share(update: int, ramp: tuple[int, int]) -> float:
    """Return how far `update` is along a ramp, from 0 to 1."""
    start, stop = ramp
    return min(1.0, max(0.0, (update - start) / (stop - start)))
