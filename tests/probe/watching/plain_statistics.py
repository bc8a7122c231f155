"""Running statistics as every estimator has them, kept up the plain way: from each layer's input."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from bntui.core.estimators import MOMENTA, NAMED, ROWS
from bntui.measure.estimators import CORRECTED, LastMove
from bntui.measure.layers import Layers, input_of, layers_of, running_statistics


class PlainStatistics:
    """What looks need of `Statistics`, for models whose layers all have one momentum."""

    def __init__(self, model: nn.Module) -> None:
        found = layers_of(model)
        channels = tuple(running_statistics(layer)[0].numel() for _, layer in found)
        names, layers = (tuple(each) for each in zip(*found, strict=True))
        device = running_statistics(layers[0])[0].device
        self.layers = Layers(names, layers, (0,) * len(layers), channels, device)
        self.calls: tuple[int, ...] = (0,) * len(layers)
        self.notes: tuple[str, ...] = ()
        self.update, self.start_left = 0, 1.0
        self.last_move: LastMove | None = None
        self._rows = self.layers.running().expand(len(ROWS), -1, -1).clone()
        self._recent: list[Tensor] = []
        self._batches: list[list[Tensor]] = [[] for _ in layers]
        self._quiet, self._product = False, 1.0
        for place, layer in enumerate(layers):
            layer.register_forward_pre_hook(self._hook(place), with_kwargs=True)

    @property
    def momentum(self) -> tuple[float | None, ...]:
        return tuple(layer.momentum for layer in self.layers.layers)  # type: ignore[misc]

    def _hook(self, place: int) -> Any:
        def note(layer: nn.Module, inputs: Any, named: Any) -> None:
            if layer.training and not self._quiet:
                batch = input_of(inputs, named).detach().float()
                values = batch.transpose(0, 1).flatten(1)
                self._batches[place].append(torch.stack([values.mean(1), values.var(1)]))

        return note

    def step(self) -> None:
        self.update += 1
        self.calls = tuple(map(len, self._batches))
        if not min(self.calls):
            self._batches = [[] for _ in self.calls]
            return
        momentum = 1.0 - (self.momentum[0] or 0.0)
        for call in range(min(self.calls)):
            self._product *= momentum
            batch = torch.cat([each[call] for each in self._batches], 1)
            kept = [
                *MOMENTA,
                *(one.kept(momentum, self.update, self._product) for one in NAMED if one.kept),
            ]
            self._rows.lerp_(batch, 1.0 - torch.tensor(kept)[:, None, None])
            self.last_move = LastMove(self.layers.running(), batch, momentum)
            self._recent = [*self._recent, batch][-8:]
        self.start_left = self._product
        self._batches = [[] for _ in self.calls]

    def row(self, name: str) -> Tensor:
        assert name != CORRECTED or self.update or self.start_left == 1.0
        return self._rows[ROWS.index(name)]

    def recent(self) -> Tensor | None:
        return torch.stack(self._recent).mean(0) if self._recent else None

    @contextmanager
    def suspended(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False
