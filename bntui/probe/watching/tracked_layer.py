"""One layer with running statistics in somebody else's training: where they are, and how they move.

Momentum is torch's here, the share of the new value, whatever the layer's library calls so.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from bntui.measure.layers import running_statistics
from bntui.probe.keras_model import BatchNormalization

LOST = 1.2e-4
"""The rounding error of a buffer over the momentum, both relative, from which on a batch's statistics
are no longer recovered from the buffers but sampled: float32 at a momentum below 0.001."""
Inputs = tuple[Any, ...]


class TrackedLayer:
    """A layer whose statistics are followed; `start` to `end` are its channels in a row (2, C).

    A native kernel moves running buffers without raising their version, and every call raises that of
    `num_batches_tracked`. So a raised version tells that somebody else has written, and reading it waits
    for no device. Layers with a `forward` of their own may write as they like: what they left is noted
    right after each call.
    """

    __slots__ = (
        "after",
        "batches",
        "biased",
        "calls",
        "count",
        "count_version",
        "end",
        "hooks",
        "layer",
        "left",
        "mean",
        "momentum",
        "moves",
        "name",
        "native",
        "pending",
        "place",
        "product",
        "share",
        "start",
        "values",
        "variance",
        "versions",
    )

    def __init__(self, name: str, layer: nn.Module, place: int, start: int) -> None:
        self.name, self.layer, self.place, self.start = name, layer, place, start
        self.biased = bool(getattr(layer, "biased_variance", False))
        """Whether the variance that it takes in is the batch's biased one."""
        self.after = isinstance(layer, BatchNormalization)
        """Whether it is called when its statistics have moved, and not before."""
        self.native = isinstance(layer, _BatchNorm) and _is_torch(type(layer).forward)
        """Whether torch's own code moves its buffers."""
        self.moves = 0
        """How often the statistics have moved since watching began."""
        self.product = 1.0
        """Of the shares kept by those moves."""
        self.left = 1.0
        """The share of the start that is left in the layer's own buffers."""
        self.calls = 0
        """Training-mode calls since the last step."""
        self.values = 0
        """Values per channel of the last call's input; 0 where it was not seen."""
        self.share = 0.0
        """Torch's momentum of the call that is pending."""
        self.pending: tuple[Tensor, Tensor] | None = None
        """The buffers that a call moves, or moved copies of them, until that move was taken."""
        self.hooks: list[Any] = []
        self.begin()
        self.end = start + self.mean.numel()

    def begin(self) -> None:
        """Take the buffers as they are for not moved; reads the count of batches where it matters."""
        self.momentum = momentum_of(self.layer)
        self.note()
        self.batches = 0
        if self.count is not None and (self.momentum is None or self.count.device.type == "cpu"):
            self.batches = int(self.count)

    def note(self) -> None:
        """Remember which buffers there are, and their versions."""
        self.mean, self.variance = running_statistics(self.layer)
        self.versions = (self.mean._version, self.variance._version)
        count = getattr(self.layer, "num_batches_tracked", None)
        self.count: Tensor | None = count if isinstance(count, Tensor) else None
        self.count_version = 0 if self.count is None else self.count._version

    def written(self, moves: int = 0) -> bool:
        """Tell whether somebody has replaced or written the buffers since they were noted.

        `moves` is how often the layer itself has written to them by operations that are counted.
        """
        mean, variance = running_statistics(self.layer)
        return (
            mean is not self.mean
            or variance is not self.variance
            or mean._version != self.versions[0] + moves
            or variance._version != self.versions[1] + moves
        )

    def called(self) -> None:
        """Take note of a call: of the share that it takes in, and of the buffers that it moves."""
        layer = self.layer
        self.momentum = momentum = momentum_of(layer)
        self.share = 1.0 / (self.batches + 1) if momentum is None else momentum
        if not getattr(layer, "track_running_stats", True):
            self.share = 0.0
        if self.after:
            self.pending = (self.mean.clone(), self.variance.clone())
        else:
            self.pending = (self.mean, self.variance)

    def take(self) -> tuple[Tensor, Tensor] | None:
        """Return the moved mean and variance of the pending call; None if they tell nothing.

        They don't where its forward raised before it had counted the batch, and where somebody has
        written to the buffers since.
        """
        moved, self.pending = self.pending, None
        if moved is None or self.after:
            return moved
        if self.written():
            self.begin()
            return None
        if self.count is not None and self.share:
            before, self.count_version = self.count_version, self.count._version
            if self.count_version == before:
                return None
        return moved

    def sampled(self) -> bool:
        """Tell whether the buffers' change tells too little of the pending call's batch."""
        return torch.finfo(self.mean.dtype).eps > LOST * self.share

    def count_move(self) -> None:
        """Count one move of the statistics."""
        self.calls += 1
        self.moves += 1
        self.batches += 1
        self.product *= 1.0 - self.share
        self.left *= 1.0 - self.share

    def unhook(self) -> None:
        """Remove the hooks."""
        for hook in self.hooks:
            hook.remove()
        self.hooks = []


class _Hook(partial[None]):
    """A hook that neither copies nor files of a model take along: there it is one that does nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (getattr, (nullcontext(), "__exit__"))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()

    def __deepcopy__(self, memo: object) -> Any:
        return nullcontext().__exit__


def hook(tracked: TrackedLayer, before: Callable[[TrackedLayer, Inputs], None]) -> None:
    """Call `before` ahead of every training-mode call of a layer; compiled code has nothing of it."""
    layer = tracked.layer
    tracked.hooks.append(layer.register_forward_pre_hook(_Hook(_before_call, tracked, before)))
    if not tracked.native and not tracked.after:
        tracked.hooks.append(layer.register_forward_hook(_Hook(_after_call, tracked)))


def _before_call(
    tracked: TrackedLayer,
    before: Callable[[TrackedLayer, Inputs], None],
    layer: nn.Module,
    inputs: Inputs,
) -> None:
    if torch.compiler.is_compiling():
        return
    if (
        layer.training and layer is tracked.layer
    ):  # replicas have the hooks of what they are made of
        before(tracked, inputs)


def _after_call(tracked: TrackedLayer, layer: nn.Module, _inputs: Inputs, _output: object) -> None:
    if torch.compiler.is_compiling():
        return
    if tracked.pending and layer is tracked.layer:
        tracked.mean, tracked.variance = tracked.pending = running_statistics(layer)
        tracked.versions = (tracked.mean._version, tracked.variance._version)


def momentum_of(layer: nn.Module) -> float | None:
    """Return torch's momentum of a layer, None where it is cumulative, 0 where it has none."""
    momentum: Any = getattr(layer, "momentum", 0.0)
    return None if momentum is None else float(momentum)


def moves_at_all(layer: nn.Module) -> bool:
    """Tell whether training can move a layer's statistics: not those of `FrozenBatchNorm2d`."""
    return hasattr(layer, "momentum")


def is_unbuilt(layer: nn.Module) -> bool:
    """Tell whether a layer gets its running statistics at its first call."""
    mean = getattr(layer, "running_mean", None)
    return isinstance(mean, Tensor) and is_lazy(mean)


def _is_torch(forward: object) -> bool:
    return str(getattr(forward, "__module__", "")).startswith("torch.nn.modules.")
