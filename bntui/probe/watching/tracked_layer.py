"""One layer with running statistics in somebody else's training: where they are, and how they move.

Momentum is torch's here, the share of the new value, whatever the layer's library calls so.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from bntui.measure.layers import running_statistics

LOST = 1.2e-4
"""The rounding error of a buffer over the momentum, both relative, from which on a batch's statistics
are no longer recovered from the buffers but sampled: float32 at a momentum below 0.001."""


class TrackedLayer:
    """A layer whose statistics are followed; `start` to `end` are its channels in a row (2, C).

    A native kernel moves running buffers without raising their version, and every call raises that of
    `num_batches_tracked`. So a raised version tells that somebody else has written, and versions are known
    without waiting for a device. Layers with a `forward` of their own may write as they like: what they left is noted
    right after each call.
    """

    __slots__ = (
        "batches",
        "biased",
        "calls",
        "count",
        "count_version",
        "counts",
        "end",
        "ended",
        "held",
        "hooks",
        "layer",
        "left",
        "lost",
        "mean",
        "momentum",
        "most_polled",
        "moves",
        "name",
        "native",
        "pending",
        "place",
        "polled",
        "positions",
        "product",
        "repeats",
        "rise",
        "sampled",
        "share",
        "start",
        "variance",
        "versions",
        "whole",
    )

    def __init__(self, name: str, layer: nn.Module) -> None:
        self.name, self.layer = name, layer
        self.place = self.start = self.end = 0
        self.biased = bool(getattr(layer, "biased_variance", False))
        """Whether the variance that it takes in is the batch's biased one."""
        self.native = _is_native(layer)
        """Whether torch's own code moves its buffers."""
        self.moves, self.product = 0, 1.0
        """How often the statistics have moved since watching began, and the product of the shares kept."""
        self.left = 1.0
        """The share of the start that is left in the layer's own buffers."""
        self.calls = 0
        """Training-mode calls since the last step."""
        self.positions = 0
        """Values per channel that one sample brings; 0 where no input was seen."""
        self.share = 0.0
        """Torch's momentum of the move that is pending."""
        self.whole = 0.0
        """The share of new values that all pending moves have taken in: more where several are."""
        self.repeats = 1
        """How many calls the pending move is made of: several only where no hook has seen them."""
        self.sampled = False
        """Whether the pending call's batch is to be sampled, since it moves the buffers too little."""
        self.held = False
        """Whether statistics of an input were sampled."""
        self.polled = self.most_polled = 0
        """How many calls without hooks were found last, together, and at most."""
        self.rise = 0
        """By how much the last of them raised the version of the count."""
        self.lost = 0
        """Moves that somebody overwrote before they were taken."""
        self.pending: tuple[Tensor, Tensor] | None = None
        """The buffers that a call moves, or moved copies of them, until that move was taken."""
        self.ended = False
        """Whether the pending call has come to its end, as far as a hook tells."""
        self.hooks: list[Any] = []
        self.counts = self.native
        """Whether it counts its batches."""
        self.begin()

    def lie(self, place: int, start: int) -> None:
        """Lie in a row as the layer after `place` others, from channel `start` on."""
        self.place, self.start, self.end = place, start, start + self.mean.numel()

    def begin(self) -> None:
        """Take the buffers as they are for not moved; waits for their device.

        Of a layer whose count of batches was set to 0 everything begins anew.
        """
        self.momentum = momentum_of(self.layer)
        self.note()
        self.batches = 0 if self.count is None else int(self.count)
        if self.counts and not self.batches:
            self.moves, self.product, self.left = 0, 1.0, 1.0

    def buffers(self) -> tuple[Tensor, Tensor]:
        """Return the running mean and variance that the layer has now."""
        buffers: Any = self.layer._buffers  # an attribute of the layer takes ten times as long
        if not isinstance(buffers, dict):
            return running_statistics(self.layer)
        mean, variance = buffers.get("running_mean"), buffers.get("running_var")
        if mean is None or variance is None:
            return running_statistics(self.layer)
        return mean, variance

    def note(self) -> None:
        """Remember which buffers there are, and their versions."""
        self.note_buffers()
        count = getattr(self.layer, "num_batches_tracked", None)
        self.count: Tensor | None = count if isinstance(count, Tensor) else None
        self.count_version = 0 if self.count is None else self.count._version

    def note_buffers(self) -> None:
        """Remember which running buffers there are, and their versions."""
        self.mean, self.variance = self.buffers()
        self.versions = (self.mean._version, self.variance._version)

    def replaced(self) -> bool:
        """Tell whether the layer has other buffers than those that were noted."""
        mean, variance = self.buffers()
        return mean is not self.mean or variance is not self.variance

    def written(self) -> bool:
        """Tell whether somebody has replaced or written the buffers since they were noted."""
        mean, variance = self.buffers()
        return (
            mean is not self.mean
            or variance is not self.variance
            or mean._version != self.versions[0]
            or variance._version != self.versions[1]
        )

    def counted(self) -> bool:
        """Tell whether the layer has counted a batch since its buffers were noted."""
        return self.count is not None and self.count._version != self.count_version

    def called(self) -> None:
        """Take note of a call: of the share that it takes in, and of the buffers that it moves."""
        self._take_share()
        self.repeats = 1
        self.sampled = torch.finfo(self.mean.dtype).eps > LOST * self.share
        self.ended = self.native
        self.pending = (self.mean, self.variance)

    def _take_share(self) -> None:
        layer = self.layer
        self.momentum = momentum = momentum_of(layer)
        if not getattr(layer, "track_running_stats", True):
            momentum = 0.0
        self.share = 1.0 / (self.batches + 1) if momentum is None else momentum
        self.whole = self.share

    def take(self) -> tuple[Tensor, Tensor] | None:
        """Return the moved mean and variance of the pending calls; None if they tell nothing.

        They don't where a forward raised, where somebody has written to the buffers since, and where
        the input was to be sampled and was not seen.
        """
        moved, self.pending = self.pending, None
        if self.written():
            self.lost += 1
            return None
        rise = 0
        if self.count is not None:
            rise = self.count._version - self.count_version
            self.count_version = self.count._version
        self.counts = self.counts or rise > 0
        if rise > 1 and self.repeats == 1:  # compiled code was called, too
            self._repeat(max(1, self._counted(1)))
        counted = rise or self.count is None or not (self.native and self.share)
        return moved if self.ended and counted and self.held >= self.sampled else None

    def hidden(self) -> bool:
        """Make calls that no hook has seen pending; return whether there are any that tell something.

        Compiled code runs no hooks. On the CPU the count of batches tells how many there were. Elsewhere
        its version does, and it is read only where that rose by another number than the last time.
        """
        count = getattr(self.layer, "num_batches_tracked", None)
        if not isinstance(count, Tensor):
            return False
        if count is self.count and count._version == self.count_version:
            return False
        same = count is self.count and not self.replaced()
        rise = count._version - self.count_version
        calls = self._counted(self.polled if rise == self.rise else None) if same else 0
        if calls < 1:
            self.begin()
            return False
        self.rise, self.sampled = rise, False
        self._take_share()
        self._repeat(calls)
        self.note_buffers()
        self.pending, self.ended = (self.mean, self.variance), True
        return True

    def _counted(self, otherwise: int | None) -> int:
        """Return how many batches were counted since the last move.

        Off the CPU what is given instead is returned, if anything: to read there is to wait.
        """
        if self.count is None:
            return 0
        if otherwise is not None and waits(self.count):
            return otherwise
        return int(self.count) - self.batches

    def _repeat(self, calls: int) -> None:
        """Let the pending move be made of several calls, of which no hook has seen some or all."""
        self.repeats = calls
        self.polled, self.most_polled = calls, max(calls, self.most_polled)
        if self.momentum is None:
            self.whole = calls / (self.batches + calls)
        else:
            self.whole = 1.0 - (1.0 - self.share) ** calls

    def count_move(self) -> None:
        """Count one of the moves that the pending calls have made."""
        if self.momentum is None and self.share:
            self.share = 1.0 / (self.batches + 1)
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


def waits(tensor: Tensor) -> bool:
    """Tell whether to read a tensor is to wait for a device."""
    return tensor.device.type != "cpu"


def momentum_of(layer: nn.Module) -> float | None:
    """Return torch's momentum of a layer, None where it is cumulative, 0 where it has none."""
    momentum: Any = getattr(layer, "momentum", 0.0)
    return None if momentum is None else float(momentum)


def moves_at_all(layer: nn.Module) -> bool:
    """Tell whether training can move a layer's statistics: not those of `FrozenBatchNorm2d`."""
    return hasattr(layer, "momentum")


def is_unbuilt(layer: nn.Module) -> bool:
    """Tell whether a layer has running statistics without values: lazy ones, and those on `meta`."""
    mean = getattr(layer, "running_mean", None)
    return isinstance(mean, Tensor) and (is_lazy(mean) or mean.is_meta)


def runs(layers: Iterable[TrackedLayer]) -> list[list[TrackedLayer]]:
    """Sort layers by their places; split them where one is left out or has moved another time."""
    found: list[list[TrackedLayer]] = []
    for one in sorted(layers, key=lambda one: one.place):
        last = found[-1][-1] if found else None
        if last and last.place + 1 == one.place and last.repeats == one.repeats:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def alike(layers: Sequence[TrackedLayer]) -> bool:
    """Tell whether layers have moved by the same share, and by what was recovered in all of them."""
    return len({one.whole for one in layers}) == 1 and not any(one.sampled for one in layers)


def _is_native(layer: nn.Module) -> bool:
    """Tell whether a layer runs torch's own code: some libraries put their own before it."""
    if not isinstance(layer, _BatchNorm) or "forward" in vars(layer):
        return False
    home = str(getattr(type(layer).forward, "__module__", ""))
    return home.startswith("torch.nn.modules.")
