"""The statistics of the batches of somebody else's training, recovered from what they did to buffers.

Nothing but running buffers is read, a few values a channel (`recovered.py` says how exactly), and an
input only where these tell too little. Rows are in each layer's own convention: torch's running
variance is that of unbiased ones, Keras's of biased ones. So a row equals what the same training with
that momentum would have in its buffers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bntui.measure.estimators import LastMove
from bntui.measure.layers import Layers
from bntui.probe.watching.forked import asleep_when_forked
from bntui.probe.watching.hooks import Inputs, hook, hook_first_call
from bntui.probe.watching.last_updates import LastUpdates
from bntui.probe.watching.layout import Layout, built_layers
from bntui.probe.watching.not_measured import impossible, not_measured
from bntui.probe.watching.recorded import is_captured, is_recorded
from bntui.probe.watching.tracked_layer import TrackedLayer, is_unbuilt, moves_at_all, runs

SAMPLED = 4
"""Every so many updates inputs are sampled, in layers whose buffers tell too little: in all of ResNet-18's
that takes 0.7 % of the time of the updates."""
SEARCH = 256
"""Updates between two searches for layers that were added, at most."""


class Statistics:
    """Follows every layer with running statistics of a model; changes nothing of it but hooks.

    A call of a layer is one move of its statistics. It is taken when the optimiser has stepped, or
    right before the layer is called again: then those of all layers are, at once. No update waits for
    the device, unless other code has written to the buffers meanwhile.
    """

    def __init__(self, model: nn.Module) -> None:
        self.update = 0
        """How often `step` was called."""
        self._model = model
        self._asleep = False
        """Whether nothing is to be taken note of, for a while or for good."""
        self._over = False
        self._failed = ""
        self._wrong: tuple[str, ...] = ()
        self._captured = False
        self._last = LastUpdates()
        self._pending: list[TrackedLayer] = []
        self._unbuilt: dict[nn.Module, Any] = {}
        self._first_seen = False
        """Whether a layer's input was seen for the first time since `layers` was made."""
        self._layout = Layout(nn.Sequential())
        self._safely(self._lay_out)
        asleep_when_forked(self)

    @property
    def layers(self) -> Layers:
        """The layers, in the order of a row's channels; they may become more."""
        return self._layout.layers

    @property
    def momentum(self) -> tuple[float | None, ...]:
        """Torch's momentum of each layer; None where the average is cumulative."""
        return tuple(one.momentum for one in self._layout.tracked)

    @property
    def calls(self) -> tuple[int, ...]:
        """Training-mode calls of each layer in the last update."""
        return self._last.calls

    @property
    def usual_calls(self) -> tuple[int, ...]:
        """Calls of each layer that each of the last 3 updates with any has made, at the least; 0 before these."""
        return self._last.usual_calls

    @property
    def last_move(self) -> LastMove | None:
        """Of the own row; None unless every layer has moved once, with the same momentum."""
        return self._last.last_move

    @property
    def start_left(self) -> float:
        """The share of the start that is left in the own row, of the layer with most left."""
        moving = [one.left for one in self._layout.tracked if moves_at_all(one.layer)]
        return max(moving, default=0.0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not measured and why, a sentence each."""
        failed: tuple[str, ...] = (self._failed,) if self._failed else ()
        if self._captured:
            failed += ("Calls in replays of a CUDA graph were not measured: no code sees them.",)
        return failed + not_measured(self._model, self._layout.tracked, SAMPLED, self._wrong)

    def own(self) -> Tensor:
        """Return the statistics (2, C) that the buffers hold now: a float32 copy."""
        return self._layout.read().float()

    def row(self, name: str) -> Tensor:
        """Return a copy of the row (2, C) of one of `ROWS`: what a replay with it has in its buffers."""
        return self._layout.rows[name]

    def recent(self) -> Tensor | None:
        """Return the mean (2, C) of the last updates' batch statistics; None before the first.

        Layers that were not called in these have what their buffers hold.
        """
        return self._last.batches(self.own())

    def step(self) -> None:
        """Take what the passes since the last step have done: the optimiser has stepped."""
        if not (self._asleep or self._is_recorded()):
            self.update += 1
            self._safely(self._step)

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let passes not count for a while; who makes them puts the buffers back.

        Beforehand it is seen whether what was recovered can be right: this may wait for the device.
        """
        if self._asleep:
            yield
            return
        self._safely(self._look_over)
        self._asleep = True
        try:
            yield
        finally:
            if not self._over:
                self._asleep = False
                self._safely(self._note_all)

    def moved_by_user(self) -> None:
        """Begin anew from the buffers as they are: somebody has replaced what they held.

        Nothing is left of the start there, unless they were reset; rows stay what they would have been.
        """
        self._safely(self._begin_all)

    def pass_begins(self) -> None:
        """Take the buffers as they are for those that the next calls move: another process has sent them.

        That raises no version. `pass_ended` must have been called after the calls before.
        """
        if not self._asleep and not self._pending:
            self._safely(self._read)

    def pass_ended(self) -> None:
        """Take what the calls so far have done: the buffers may be overwritten."""
        if not self._asleep:
            self._safely(self._flush)

    def fall_asleep(self) -> None:
        """Take note of nothing any more."""
        self._asleep = self._over = True

    def detach(self) -> None:
        """Remove every hook."""
        self.fall_asleep()
        for one in self._layout.tracked:
            one.unhook()
        for handle in self._unbuilt.values():
            handle.remove()
        self._unbuilt = {}

    def _is_recorded(self) -> bool:
        """Tell whether operations are recorded now; a replay of a CUDA graph can't be followed later."""
        if is_captured():
            self._captured = True
        return is_recorded()

    def _called(self, tracked: TrackedLayer, inputs: Inputs) -> None:
        """Take note that a layer is about to be called: a hook."""
        if self._asleep or self._is_recorded():
            return
        try:
            if tracked.pending is not None:
                self._flush()
            if tracked.written():
                self._begin([one for one in self._layout.tracked if one.pending is None])
            elif tracked.counted():
                self._flush()
                self._poll([tracked])
            tracked.called()
            self._pending.append(tracked)
            if tracked.sampled or not tracked.positions:
                self._look(tracked, inputs)
        except Exception as error:
            self._give_up(error)

    def _wrote(self, tracked: TrackedLayer) -> None:
        """Take note of what a layer's own code has left in its buffers: a hook."""
        try:
            tracked.note_buffers()
            tracked.pending, tracked.ended = (tracked.mean, tracked.variance), True
        except Exception as error:
            self._give_up(error)

    def _born(self, layer: nn.Module, inputs: Inputs) -> None:
        """Take note that a layer was built, right before its first call: a hook."""
        if self._asleep or is_unbuilt(layer):
            return
        try:
            self._lay_out()
            if layer.training:
                one = next(one for one in self._layout.tracked if one.layer is layer)
                self._called(one, inputs)
        except Exception as error:
            self._give_up(error)

    def _look(self, tracked: TrackedLayer, inputs: Inputs) -> None:
        """Take an input's shape; and its statistics, where that is due."""
        if not inputs or not isinstance(batch := inputs[0], Tensor) or not batch.numel():
            return
        if not tracked.positions:
            tracked.positions = batch.numel() // (len(batch) * batch.shape[1])
            self._first_seen = True
        if tracked.sampled and not (tracked.held and self.update % SAMPLED):
            with torch.inference_mode(False), torch.no_grad():
                self._layout.sample(tracked, batch)

    def _step(self) -> None:
        self._flush()
        unseen = [one for one in self._layout.tracked if not one.calls and one.counted()]
        if unseen:
            self._poll(unseen)
        self._last.end(tuple([one.calls for one in self._layout.tracked]))
        for one in self._layout.tracked:
            one.calls = 0
        if self._first_seen:
            self._first_seen = False
            self._layout.layers = self._layout.described()
        if not self.update % SEARCH or self.update & (self.update - 1) == 0:
            self._search()

    def _poll(self, layers: Sequence[TrackedLayer]) -> None:
        """Take the moves that no hook has seen."""
        self._pending = [one for one in layers if one.hidden()]
        self._put([one for one in layers if one.pending is None])
        self._flush()

    def _flush(self) -> None:
        """Take the moves of all pending calls."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        moved = {one: both for one in pending if (both := one.take()) is not None}
        with torch.inference_mode(False), torch.no_grad():
            for layers in runs(moved):
                before = self._layout.before
                batch = self._layout.take(layers, [moved[one] for one in layers])
                whole = len(layers) == len(self._layout.tracked)
                self._last.take(layers, before, batch, whole=whole)
        if len(moved) != len(pending):
            self._begin([one for one in pending if one not in moved])

    def _look_over(self) -> None:
        """Take what is pending, and note the layers of whose batches impossible variances came."""
        self._flush()
        if (recent := self.recent()) is not None:
            self._wrong = impossible(self._layout.tracked, recent, self.own())

    def _begin_all(self) -> None:
        for one in self._pending:
            one.pending = None
        self._pending = []
        self._last.last_move = None
        for one in self._layout.tracked:
            one.left = 0.0
        self._begin(self._layout.tracked)

    def _begin(self, layers: Sequence[TrackedLayer]) -> None:
        """Take the buffers of some layers as they are for not moved: somebody has written to them."""
        for one in layers:
            one.begin()
        self._put(layers)

    def _put(self, layers: Sequence[TrackedLayer]) -> None:
        if not layers:
            return
        if not self._layout.fits(layers):
            self._lay_out()
            return
        with torch.inference_mode(False), torch.no_grad():
            self._layout.begin(layers)

    def _read(self) -> None:
        with torch.inference_mode(False), torch.no_grad():
            self._layout.before = self._layout.read()

    def _note_all(self) -> None:
        for one in self._layout.tracked:
            one.note()

    def _search(self) -> None:
        """Look whether layers were added or have gone."""
        now = [layer for _, layer in built_layers(self._model)]
        if now != [one.layer for one in self._layout.tracked]:
            self._lay_out()

    def _lay_out(self) -> None:
        """Follow the layers that the model has now."""
        self._flush()
        for one in self._layout.tracked:
            one.unhook()
        self._layout = Layout(self._model, self._layout)
        self._last = LastUpdates(len(self._layout.tracked))
        self._hook_all()

    def _hook_all(self) -> None:
        for one in self._layout.tracked:
            if moves_at_all(one.layer):
                hook(one, self._called, self._wrote)
        for handle in self._unbuilt.values():
            handle.remove()
        self._unbuilt = {
            layer: hook_first_call(layer, self._born)
            for layer in self._model.modules()
            if is_unbuilt(layer)
        }

    def _safely(self, function: Callable[[], object]) -> None:
        """Call a function that must not end the user's training."""
        try:
            function()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Leave the training alone for good."""
        self.detach()
        self._failed = (
            f"Batch statistics were not followed after update {self.update}: "
            f"{type(error).__name__}: {error}"
        )
