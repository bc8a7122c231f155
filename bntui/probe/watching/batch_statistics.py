"""The statistics of the batches of somebody else's training, recovered from what they did to buffers.

Torch moves running statistics r by r' = (1 − m)·r + m·b, so b = r + (r' − r)/m: nothing but the buffers
is read, a few values a channel. Rounding r' makes an error of some 6e-8·|r'|/m in b: relative to a
variance near its average 6e-7 at torch's momentum 0.1, 6e-6 at 0.01 and 6e-5 at 0.001.

Rows are in each layer's own convention: torch's running variance is that of unbiased ones, Keras's of
biased ones. So a row equals what the same training with that momentum would have in its buffers.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bntui.measure.estimators import LastMove
from bntui.measure.layers import Layers, layers_of
from bntui.probe.watching.rows import Rows
from bntui.probe.watching.tracked_layer import Inputs, TrackedLayer, hook, moves_at_all

RECENT = 8
"""Updates whose batch statistics `recent` is the mean of."""


class Statistics:
    """Follows every layer with running statistics of a model; changes nothing of it but hooks.

    A call of a layer is one move of its statistics. It is taken when the optimiser has stepped, or
    right before the layer is called again: then those of all layers are, at once. No update reads
    anything from the device.
    """

    def __init__(self, model: nn.Module) -> None:
        self.update = 0
        """How often `step` was called."""
        self.calls: tuple[int, ...] = ()
        """Training-mode calls of each layer in the last update."""
        self.last_move: LastMove | None = None
        """Of the own row; None unless every layer moved once, with the same momentum."""
        self.notes: tuple[str, ...] = ()
        """What was not measured and why, a sentence each."""
        self._model = model
        self._asleep = False
        self._recent: deque[list[tuple[int, int, Tensor]]] = deque(maxlen=RECENT)
        self._taken: list[tuple[int, int, Tensor]] = []
        self._pending: list[TrackedLayer] = []
        self._tracked: list[TrackedLayer] = []
        self._find()

    def _find(self) -> None:
        found = layers_of(self._model)
        start = 0
        for place, (name, layer) in enumerate(found):
            self._tracked.append(TrackedLayer(name, layer, place, start))
            start = self._tracked[-1].end
        device = self._tracked[0].mean.device if found else torch.device("cpu")
        self.layers = Layers(
            tuple(name for name, _ in found),
            tuple(layer for _, layer in found),
            (0,) * len(found),
            tuple(one.end - one.start for one in self._tracked),
            device,
        )
        self._before = self._read(self._tracked)
        self._rows = Rows(self._before)
        self.calls = (0,) * len(found)
        for one in self._tracked:
            if moves_at_all(one.layer):
                hook(one, self._called)

    @property
    def momentum(self) -> tuple[float | None, ...]:
        """Torch's momentum of each layer; None where the average is cumulative."""
        return tuple(one.momentum for one in self._tracked)

    @property
    def start_left(self) -> float:
        """The share of the start that is left in the own row, of the layer with most left."""
        moving = [one.left for one in self._tracked if moves_at_all(one.layer)]
        return max(moving, default=0.0)

    def step(self) -> None:
        """Take what the passes since the last step have done: the optimiser has stepped."""
        if self._asleep:
            return
        self.update += 1
        try:
            self._flush()
            self.calls = tuple(one.calls for one in self._tracked)
            for one in self._tracked:
                one.calls = 0
            self._recent.append(self._taken)
            self._taken = []
        except Exception as error:
            self._give_up(error)

    def own(self) -> Tensor:
        """Return the statistics (2, C) that the buffers hold now: a float32 copy."""
        return self.layers.running()

    def row(self, name: str) -> Tensor:
        """Return a copy of the row (2, C) of one of `ROWS`: a replay's buffers."""
        return self._rows[name]

    def recent(self) -> Tensor | None:
        """Return the mean (2, C) of the last updates' batch statistics; None before the first.

        Layers that were not called in these have what their buffers hold.
        """
        taken = [one for update in self._recent for one in update]
        if not taken:
            return None
        total, times = torch.zeros_like(self._before), torch.zeros_like(self._before)
        for start, end, batch in taken:
            total[:, start:end] += batch
            times[:, start:end] += 1.0
        return torch.where(times > 0.0, total / times, self.own()).float()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let passes not count for a while; who makes them puts the buffers back."""
        self._flush()
        asleep, self._asleep = self._asleep, True
        try:
            yield
        finally:
            self._asleep = asleep
            for one in self._tracked:
                one.note()

    def moved_by_user(self) -> None:
        """Begin anew from the buffers as they are: somebody has replaced what they held."""
        for one in self._pending:
            one.pending = None
        self._pending = []
        self._begin(self._tracked)

    def pass_begins(self) -> None:
        """Take the buffers as they are for those that the next calls move: another process has sent them.

        That raises no version. `pass_ended` must have been called after the calls before.
        """
        if not self._asleep and not self._pending:
            self._before = self._read(self._tracked)

    def pass_ended(self) -> None:
        """Take what the calls so far have done: the buffers may be overwritten."""
        if not self._asleep:
            self._flush()

    def detach(self) -> None:
        """Remove every hook."""
        self._asleep = True
        for one in self._tracked:
            one.unhook()

    def _called(self, tracked: TrackedLayer, inputs: Inputs) -> None:
        if self._asleep:
            return
        try:
            if tracked.pending:
                self._flush()
            if tracked.written(moves=1 if tracked.after else 0):
                self._begin([one for one in self._tracked if not one.pending])
                if tracked.after:  # what it was before this call is not known
                    return
            elif tracked.after:
                tracked.note()
            tracked.called()
            self._pending.append(tracked)
        except Exception as error:
            self._give_up(error)

    def _begin(self, layers: Sequence[TrackedLayer]) -> None:
        for one in layers:
            one.begin()
        self._put(self._before, layers, self._read(layers))

    def _read(self, layers: Sequence[TrackedLayer]) -> Tensor:
        return self._flat([one.mean for one in layers], [one.variance for one in layers])

    def _flat(self, means: list[Tensor], variances: list[Tensor]) -> Tensor:
        if not means:
            return torch.zeros(2, 0)
        device = self.layers.device
        both = [one.detach() for one in means + variances]
        if any(one.device != device for one in both):
            both = [one.to(device) for one in both]
        flat = torch.cat(both)
        return (flat if flat.dtype == torch.float64 else flat.float()).view(2, -1)

    def _put(self, row: Tensor, layers: Sequence[TrackedLayer], values: Tensor) -> None:
        place = 0
        for one in layers:
            channels = one.end - one.start
            row[:, one.start : one.end] = values[:, place : place + channels]
            place += channels

    def _flush(self) -> None:
        """Take the moves of all pending calls."""
        pending, self._pending = self._pending, []
        with torch.inference_mode(False), torch.no_grad():
            for layers in _runs(sorted(pending, key=_place)):
                self._take(layers)

    def _take(self, layers: list[TrackedLayer]) -> None:
        """Take the moves of neighbouring layers."""
        moved = [one.take() for one in layers]
        if None in moved:
            self._begin([one for one, each in zip(layers, moved, strict=True) if each is None])
            known = [one for one, each in zip(layers, moved, strict=True) if each is not None]
            for one, each in zip(layers, moved, strict=True):
                one.pending = each
            for run in _runs(known):
                self._take(run)
            return
        now = self._flat([one[0] for one in moved if one], [one[1] for one in moved if one])
        start, end = layers[0].start, layers[-1].end
        before = self._before[:, start:end]
        shares = {one.share for one in layers}
        if len(shares) == 1:
            (share,) = shares
            batch = torch.lerp(before, now, 1.0 / share) if share else before.clone()
        else:
            inverse = torch.tensor([1.0 / one.share if one.share else 0.0 for one in layers])
            channels = torch.tensor([one.end - one.start for one in layers])
            weight = inverse.repeat_interleave(channels).to(now.device, non_blocking=True)
            batch = torch.lerp(before, now, weight)
        batch = batch.float()
        for one in layers:
            one.count_move()
        self._rows.move(layers, batch)
        self._note_move(layers, before, batch, shares)
        if now.shape == self._before.shape:
            self._before = now
        else:
            self._before[:, start:end] = now

    def _note_move(
        self, layers: Sequence[TrackedLayer], before: Tensor, batch: Tensor, shares: set[float]
    ) -> None:
        whole = len(layers) == len(self._tracked) and len(shares) == 1
        kept = 1.0 - next(iter(shares))
        self.last_move = LastMove(before.float(), batch, kept) if whole else None
        self._taken.append((layers[0].start, layers[-1].end, batch))

    def _give_up(self, error: Exception) -> None:
        """Leave the training alone for good."""
        self.detach()
        self.notes += (
            f"Batch statistics were no longer followed after update {self.update}: "
            f"{type(error).__name__}: {error}",
        )


def _place(layer: TrackedLayer) -> int:
    return layer.place


def _runs(layers: list[TrackedLayer]) -> list[list[TrackedLayer]]:
    """Split layers, in the order of their places, where one is left out."""
    runs: list[list[TrackedLayer]] = []
    for one in layers:
        if runs and runs[-1][-1].place + 1 == one.place:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
