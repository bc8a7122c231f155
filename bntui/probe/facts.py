"""What a model's state tells without any data: its layers' buffers, momenta, counters and modes."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from bntui.measure.layers import has_statistics, running_statistics

OTHER_NORMS = ("InstanceNorm", "GroupNorm", "LayerNorm", "RMSNorm", "LocalResponseNorm")


@dataclass(frozen=True, slots=True)
class LayerState:
    """One layer with running statistics, as it was found."""

    name: str
    kind: str
    momentum: float | None
    """torch's; None for a cumulative average, or a layer without momentum."""
    updates: int | None
    dtype: torch.dtype
    training: bool
    """Whether it was found in training mode."""
    trains: bool
    """Whether it is in training mode while the model trains."""
    fixed: bool
    """Whether it learns a scale or shift that takes no gradient."""
    untouched: bool
    """Whether mean and variance are exactly 0 and 1."""
    non_finite: int
    """Channels whose statistics are not finite, or whose variance is negative."""
    least_variance: float
    """The least running variance of its channels."""

    @property
    def start_left(self) -> float | None:
        """The share of the start values (0 and 1) that is still in the statistics; None where unknown.

        (1 − momentum)^updates, had momentum been the same all along: not where a channel's variance is
        less than what would be left of its start value 1.
        """
        if self.updates is None:
            return None
        left = 0.0 if self.updates else 1.0
        if self.momentum is not None:
            left = float(max(0.0, 1.0 - self.momentum) ** self.updates)
        return left if left <= 1.01 * self.least_variance else None


def state_of(name: str, layer: nn.Module, *, trains: bool) -> LayerState:
    """Read one layer's state."""
    mean, variance = running_statistics(layer)
    bad = ~(mean.isfinite() & variance.isfinite()) | (variance < 0)
    learned = list(layer.parameters(recurse=False))
    counter = getattr(layer, "num_batches_tracked", None)
    momentum = getattr(layer, "momentum", None)
    return LayerState(
        name=name,
        kind=type(layer).__name__,
        momentum=float(momentum) if isinstance(momentum, int | float) else None,
        updates=int(counter) if isinstance(counter, Tensor) else None,
        dtype=mean.dtype,
        training=layer.training,
        trains=trains,
        fixed=bool(learned) and not any(one.requires_grad for one in learned),
        untouched=bool((mean == 0).all() and (variance == 1).all()),
        non_finite=int(bad.sum()),
        least_variance=float(variance.min()),
    )


def untracked_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the BN layers without running statistics, which normalise by the batch in eval mode, too."""
    return [
        (name, layer)
        for name, layer in model.named_modules()
        if isinstance(layer, _NormBase)
        and "Instance" not in type(layer).__name__
        and not has_statistics(layer)
    ]


def other_norms(model: nn.Module) -> Counter[str]:
    """Count the norm layers that have nothing to check, by the names of their classes."""
    names = (type(module).__name__ for module in model.modules())
    return Counter(name for name in names if name.startswith(OTHER_NORMS))
