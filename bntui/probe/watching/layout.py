"""Where the layers of a watched model lie in rows, and the rows themselves."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bntui.measure.layers import Layers, layers_of
from bntui.probe.watching.recovered import flat, of_input, recovered
from bntui.probe.watching.rows import Rows
from bntui.probe.watching.tracked_layer import TrackedLayer, is_unbuilt, runs


class Layout:
    """Every layer with running statistics of a model, and what is known of them, channel by channel."""

    def __init__(self, model: nn.Module, earlier: "Layout | None" = None) -> None:
        """Lay the model's layers out; those that were followed `earlier` go on as they were."""
        known = {one.layer: one for one in earlier.tracked} if earlier else {}
        self.tracked: list[TrackedLayer] = []
        places = {one: slice(one.start, one.end) for one in known.values()}
        for name, layer in built_layers(model):
            one = known.get(layer)
            if one is None or one.mean.numel() != one.end - one.start:
                one = TrackedLayer(name, layer)
            one.lie(len(self.tracked), self.tracked[-1].end if self.tracked else 0)
            self.tracked.append(one)
        self.device = self.tracked[0].mean.device if self.tracked else torch.device("cpu")
        with torch.inference_mode(False), torch.no_grad():
            self.before = self.read()
            """(2, C): the buffers before the next calls."""
            self.rows = Rows(self.before)
            self.sampled = torch.zeros(self.before.shape, device=self.device)
            """(2, C): the statistics of inputs, where they were sampled."""
            for one in self.tracked:
                if earlier and (place := places.get(one)):
                    self.rows.begin(one, earlier.rows.rows[..., place])
                    self._put(self.sampled, [one], earlier.sampled[:, place])
        self.layers = self.described()

    def read(self) -> Tensor:
        """Return what the buffers hold now: (2, C), a copy."""
        return flat([one.buffers() for one in self.tracked], self.device)

    def described(self) -> Layers:
        """Return the layers as all measurements know them, with the positions that were seen so far."""
        return Layers(
            tuple(one.name for one in self.tracked),
            tuple(one.layer for one in self.tracked),
            tuple(one.positions for one in self.tracked),
            tuple(one.end - one.start for one in self.tracked),
            self.device,
        )

    def fits(self, layers: Sequence[TrackedLayer]) -> bool:
        """Tell whether layers still have as many channels, and the rows are where the model is."""
        return self.tracked[0].mean.device == self.device and all(
            one.mean.numel() == one.end - one.start for one in layers
        )

    def begin(self, layers: Sequence[TrackedLayer]) -> None:
        """Let layers go on from the buffers that they have noted; rows that never moved begin there."""
        for run in runs(layers):
            values = flat([(one.mean, one.variance) for one in run], self.device)
            self._put(self.before, run, values)
        for one in layers:
            if not one.moves:
                self.rows.begin(one, self.before[:, one.start : one.end])

    def take(self, layers: list[TrackedLayer], moved: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Take the moves of neighbouring layers to what their buffers were `moved` to.

        Returns the batch statistics (2, channels) that moved them.
        """
        start, end = layers[0].start, layers[-1].end
        now = flat(moved, self.device)
        batch = recovered(layers, self.before[:, start:end], now)
        for one in layers:
            if one.sampled:
                place = slice(one.start - start, one.end - start)
                batch[:, place] = self.sampled[:, one.start : one.end]
        for _ in range(layers[0].repeats):
            for one in layers:
                one.count_move()
            self.rows.move(layers, batch)
        if len(layers) == len(self.tracked):
            self.before = now
        else:
            self.before[:, start:end] = now
        return batch

    def sample(self, layer: TrackedLayer, batch: Tensor) -> None:
        """Take the statistics of what a layer gets, (N, C, …)."""
        self._put(self.sampled, [layer], of_input(batch, layer.biased))
        layer.held = True

    @staticmethod
    def _put(row: Tensor, layers: Sequence[TrackedLayer], values: Tensor) -> None:
        row[:, layers[0].start : layers[-1].end] = values.to(row)


def built_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the layers of a model by name whose running statistics hold values by now."""
    return [(name, layer) for name, layer in layers_of(model) if not is_unbuilt(layer)]
