"""From running buffers to the statistics of the batch that moved them, for several layers at once.

Torch moves running statistics r by r' = (1 − m)·r + m·b, so b = r + (r' − r)/m. Rounding r' makes an
error of up to 6e-8·|r'|/m in b: relative to a variance near its average 6e-7 at torch's momentum 0.1,
6e-6 at 0.01 and 6e-5 at 0.001; seen were 1e-6, 1e-5 and 1e-4. Of the mean that is relative to the mean.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from bntui.measure.norms import batch_statistics
from bntui.probe.watching.tracked_layer import TrackedLayer

Both = tuple[Tensor, Tensor]


def flat(buffers: Sequence[Both], device: torch.device) -> Tensor:
    """Join layers' means and variances to (2, channels) on a device: float32, or float64 if any is."""
    if not buffers:
        return torch.zeros(2, 0, device=device)
    parts = [one.detach() for at in (0, 1) for one in (both[at] for both in buffers)]
    if any(one.device != device for one in parts):
        parts = [one.to(device) for one in parts]
    joined = torch.cat(parts)
    return (joined if joined.dtype == torch.float64 else joined.float()).view(2, -1)


def recovered(layers: Sequence[TrackedLayer], before: Tensor, now: Tensor) -> Tensor:
    """Return the batch statistics (2, channels) that moved neighbouring layers' buffers, as float32.

    Where nothing was taken in, they are those before.
    """
    before, shares = before.to(now.dtype), {one.whole for one in layers}
    if len(shares) > 1:
        inverse = per_channel(layers, [1.0 / one.whole if one.whole else 0.0 for one in layers])
        return torch.lerp(before, now, inverse.to(now)).float()
    (share,) = shares
    return (torch.lerp(before, now, 1.0 / share) if share else before.clone()).float()


def per_channel(layers: Sequence[TrackedLayer], values: Sequence[Any]) -> Tensor:
    """Repeat values a layer over its channels: (channels, …)."""
    channels = torch.tensor([one.end - one.start for one in layers], device="cpu")
    return torch.tensor(values, device="cpu").repeat_interleave(channels, 0)


class Batches:
    """The batch statistics of one update, layers called several times among them: sums and numbers."""

    def __init__(self) -> None:
        self._sums: dict[tuple[int, int], tuple[Tensor, int]] = {}

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._sums)

    def add(self, start: int, end: int, batch: Tensor) -> None:
        """Add those of channels `start` to `end`: (2, channels)."""
        place = (start, end)
        total, times = self._sums.get(place, (None, 0))
        self._sums[place] = (batch if total is None else total + batch, times + 1)

    @staticmethod
    def mean(updates: Iterable["Batches"], otherwise: Tensor) -> Tensor:
        """Return the mean (2, C) over all calls of all updates; `otherwise` (2, C) where there are none."""
        total, times = torch.zeros_like(otherwise), torch.zeros_like(otherwise)
        for update in updates:
            for (start, end), (batches, count) in update._sums.items():
                total[:, start:end] += batches
                times[:, start:end] += count
        return torch.where(times > 0.0, total / times, otherwise)


def of_input(batch: Tensor, biased: bool) -> Tensor:
    """Return the statistics (2, C) of an input (N, C, …), its variance biased or not."""
    plain = batch.device.type == "cpu" and batch.shape[2:].numel() > 1 and batch.is_contiguous()
    batch = batch.detach().float()
    if plain:  # for these the kernel sums in float64, and `batch_statistics` would copy them
        mean, variance = torch.batch_norm_update_stats(batch, None, None, 0.0)
    else:
        mean, variance = batch_statistics(batch)
    n = batch.numel() // batch.shape[1]
    return torch.stack([mean, variance if biased else variance * (n / max(1, n - 1))])
