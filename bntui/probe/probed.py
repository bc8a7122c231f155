"""A user's model in the hands of a check: what is measured of it, each thing when it is asked for.

Everything runs within `measure.unchanged` and without gradients; statistics are rows (2, C), as
`measure/layers.py` has them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from bntui.core.measured import Difference
from bntui.measure.any_module import training_modules
from bntui.measure.layers import Layers, layers_of, positions_of
from bntui.measure.statistics import pool
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import at_most, first, join, moved, regrouped, size
from bntui.probe.calling import output_tensor, refuse_loss
from bntui.probe.collected import Collected, collect
from bntui.probe.facts import LayerState, state_of
from bntui.probe.labels import judged
from bntui.probe.passes import Forward, device_of, run, type_of
from bntui.probe.scoring import Alike, Classes, Given, Metric, Scored, Scorer, joined, scorer_of

FEWEST = 128
"""Samples that fresh statistics are taken from at least, if batches are so small that it takes more of them."""
MOST_BATCHES = 1 << 16
FEW = 8
"""Batches, and samples of each, in which the layers are looked for that are called."""
SMALL = 32
"""Samples of a pass that keeps what every layer puts out."""


class Probed:
    """A model with its batches, measured step by step; `notes` says what was not, and why."""

    def __init__(
        self,
        model: nn.Module,
        validation: Sequence[Any],
        training: Any,
        *,
        forward: Forward | None,
        metric: Metric | None,
        fresh_batches: int,
    ) -> None:
        self.model = model
        self.validation = list(validation)
        self.notes: list[str] = []
        self.training = training
        self._given_forward = forward
        self._fresh_batches = fresh_batches
        self.device = device_of(model)
        self.dtype = type_of(model)
        found = layers_of(model)
        modes = {layer: layer.training for _, layer in found}
        with unchanged(model):
            self.training_modules = training_modules(model)
        layers = tuple(layer for _, layer in found)
        self.model.eval()
        self.still_training = tuple(name for name, layer in found if layer.training)
        """Layers that `eval()` leaves in training mode."""
        self.scorer: Scorer = Alike() if metric is None else Given(metric)
        outputs: list[Any] = []
        small = at_most(self.validation[0], SMALL)
        step = len(self.validation) // FEW | 1  # odd: sources may take turns
        others = [at_most(one, FEW) for one in self.validation[step::step]]
        with unchanged(model):
            positions = positions_of(layers, lambda: outputs.append(self.run(small)))
            for batch in others:  # a model may call other layers for other samples
                positions |= positions_of(layers, lambda one=batch: self.run(one))  # type: ignore[misc]
        self.called = tuple(layer in positions for layer in layers)
        self.layers = Layers.of(found, positions, self.device)
        self.states: tuple[LayerState, ...] = tuple(
            replace(
                state_of(name, layer, trains=layer in self.training_modules),
                training=modes[layer],
            )
            for name, layer in found
        )
        self.running_row = self.layers.running()
        self._evaluated: list[tuple[Tensor, Scored]] = []
        if metric is None:
            refuse_loss(outputs[0], size(small))
            self.scorer, said = scorer_of(outputs[0], self.on_device(small))
            self.notes += said
            if isinstance(self.scorer, Classes):
                self._largest_label, said = judged(outputs[0], self.validation)
                self.notes += said

    def on_device(self, batch: Any) -> Any:
        """Return a copy of a batch on the model's device."""
        return moved(batch, self.device, copied=True)

    def run(self, batch: Any, model: nn.Module | None = None) -> Any:
        """Run one batch through the model as it stands; return a tensor, or what `forward` gives.

        Another model, or what is called like one, gets the same batch: a module's on its own device.
        """
        model = self.model if model is None else model
        like = model if isinstance(model, nn.Module) else self.model
        outputs = run(model, batch, self._given_forward, like=like)
        if isinstance(self.scorer, Given):
            return outputs
        outputs = output_tensor(outputs)
        return outputs if outputs.dim() else outputs[None]  # one sample, squeezed

    def evaluate(self, row: Tensor | None, batches: Sequence[Any] | None = None) -> Scored:
        """Evaluate in eval mode under a row of statistics, None for those that the layers hold.

        Validation is evaluated once under equal rows: a remedy for all layers is often the fresh row.
        """
        if row is None or batches is not None:
            return self._evaluate(row, self.validation if batches is None else batches)
        for known, scored in self._evaluated:
            if torch.equal(known, row):
                return scored
        scored = self._evaluate(row, self.validation)
        self._evaluated.append((row, scored))
        return scored

    def _evaluate(self, row: Tensor | None, batches: Sequence[Any]) -> Scored:
        if isinstance(self.scorer, Alike):
            self.scorer.begin(self._reference)
        with unchanged(self.model):
            self.model.eval()
            if row is not None:
                self.put(row)
            return joined([self.score(batch) for batch in batches])

    def score(self, batch: Any) -> Scored:
        """Run and score one batch."""
        return self.scorer(self.run(batch), self.on_device(batch))

    def put(self, row: Tensor) -> None:
        """Write a row of statistics into the layers' buffers."""
        self.layers.put(range(len(self.layers)), self.layers.parts(row))

    @cached_property
    def can_score(self) -> bool:
        """Whether outputs can be given a score: with labels or a metric, or fresh statistics."""
        return not isinstance(self.scorer, Alike) or self.fresh_row is not None

    @cached_property
    def _reference(self) -> list[Tensor]:
        """The outputs under fresh statistics, batch by batch."""
        assert self.fresh_row is not None
        with unchanged(self.model):
            self.model.eval()
            self.put(self.fresh_row)
            return [self.run(batch).detach().cpu() for batch in self.validation]

    @cached_property
    def running(self) -> Scored | None:
        """Validation under the model's own running statistics."""
        return self.evaluate(None) if self.can_score else None

    @cached_property
    def fresh(self) -> Scored | None:
        """Validation of the same weights under fresh statistics."""
        if self.fresh_row is None:
            return None
        return self.evaluate(self.fresh_row)

    @cached_property
    def harm(self) -> Difference | None:
        """Running less fresh; None where one of them was not measured."""
        if self.running is None or self.fresh is None:
            return None
        return self.running.less(self.fresh)

    @cached_property
    def collected(self) -> Collected | None:
        """Training-mode passes over training batches; None without these."""
        if self.training is None:
            return None
        batches = self.training_batches()
        found = collect(self, batches, keep=True)
        if found.rows and found.scored is None and isinstance(self.scorer, Classes):
            self.notes.append(
                "Targets of training batches are no class labels, as those of validation are: training "
                "samples were not scored."
            )
        if found.refused:
            self.notes.append(
                f"{found.refused} of {found.refused + len(found.rows)} training batches have one value "
                "per channel, which torch refuses in training mode."
            )
        return found

    def training_batches(self) -> Iterator[Any]:
        """Yield as many training batches as are wanted, and more where they are tiny."""
        samples = 0
        for number, batch in enumerate(first(self.training, MOST_BATCHES, "training"), start=1):
            yield batch
            samples += size(batch)
            if number >= self._fresh_batches and samples >= FEWEST:
                return

    def pooled(self, rows: Iterable[tuple[Tensor, int | Tensor]]) -> Tensor:
        """Pool batches' statistics; frozen layers keep their running ones."""
        return self.only_training(pool(rows))

    def only_training(self, row: Tensor) -> Tensor:
        """Return a row with the running statistics in the layers that are frozen."""
        frozen = [not state.trains for state in self.states]
        return torch.where(self.layers.per_channel(frozen).bool(), self.running_row, row)

    def with_layers(
        self, places: Iterable[int], row: Tensor, others: Tensor | None = None
    ) -> Tensor:
        """Return statistics with some layers from `row`, the others from `others` or the running ones."""
        chosen = set(places)
        mask = self.layers.per_channel(float(place in chosen) for place in range(len(self.layers)))
        return torch.where(mask.bool(), row, self.running_row if others is None else others)

    @cached_property
    def fresh_row(self) -> Tensor | None:
        """Statistics of training batches in training mode, pooled.

        None without training batches, and where no layer that is called uses statistics in eval mode.
        """
        return self.take_fresh()

    def take_fresh(self) -> Tensor | None:
        """Take fresh statistics, for `fresh_row`."""
        found = self.collected
        used = {name for name, one in zip(self.layers.names, self.called, strict=True) if one}
        if not (found and found.rows and used - set(self.still_training)):
            return None
        row = self.pooled(found.rows)
        if self.only_in_eval:
            only = {self.layers.layers[place] for place in self.only_in_eval}
            own = self.pooled(collect(self, self.training_batches(), training=only).rows)
            row = self.with_layers(self.only_in_eval, own, row)
        return row

    @cached_property
    def only_in_eval(self) -> list[int]:
        """The places of the layers that eval mode calls and training mode does not."""
        found = self.collected
        if found is None or not found.rows:
            return []
        return [p for p in self.training_places() if self.layers.layers[p] not in found.values]

    @property
    def training_layers(self) -> set[nn.Module]:
        """The layers that take the statistics of batches while the model trains."""
        return self.training_modules & set(self.layers.layers)

    @cached_property
    def on_training(self) -> Scored | None:
        """Training samples in eval mode under fresh statistics: those of `collected.scored`."""
        found = self.collected
        if found is None or found.scored is None or self.fresh_row is None:
            return None
        return self.evaluate(self.fresh_row, found.kept)

    @cached_property
    def modes_differ(self) -> Difference | None:
        """Eval mode under fresh statistics less training mode, on the same training samples."""
        found, evaluated = self.collected, self.on_training
        if found is None or found.scored is None or evaluated is None:
            return None
        return evaluated.less(found.scored)

    @cached_property
    def mixed_anew(self) -> Scored | None:
        """Training mode on the samples of `collected.scored`, in random batches of the same size.

        None where batches can't be taken apart.
        """
        found = self.collected
        if found is None or found.scored is None or found.batch < 2:
            return None
        single = regrouped(found.kept, 1)
        if any(size(one) != 1 for one in single):
            return None
        order = torch.randperm(len(single), generator=torch.Generator().manual_seed(0)).tolist()
        batches = [
            join([single[place] for place in order[start : start + found.batch]])
            for start in range(0, len(order), found.batch)
        ]
        scored = collect(self, batches, keep=True).scored
        if scored is None or not len(scored) == len(found.scored) == len(order):
            return None
        return scored.ordered([order.index(place) for place in range(len(order))])

    @cached_property
    def own_row(self) -> Tensor | None:
        """Statistics of the validation samples themselves: a diagnosis, never a cure."""
        return self.take_own()

    def take_own(self) -> Tensor | None:
        """Take validation's own statistics, for `own_row`."""
        batch = self.collected.batch if self.collected else SMALL
        batches = regrouped(self.validation, batch)
        rows = collect(self, batches, training=self.training_layers).rows if batches else ()
        return self.pooled(rows) if rows else None

    @cached_property
    def own(self) -> Scored | None:
        """Validation under the statistics of the validation samples themselves."""
        if self.own_row is None or not self.can_score:
            return None
        return self.evaluate(self.own_row)

    @cached_property
    def small(self) -> Any:
        """A few training samples, else validation samples."""
        kept = self.collected.kept if self.collected else ()
        return at_most((kept or self.validation)[0], SMALL)

    def trains(self, module: nn.Module) -> bool:
        """Return whether a module is in training mode while the model trains."""
        return module in self.training_modules

    @cached_property
    def trains_randomly(self) -> bool:
        """Whether layers get other batches in training mode with dropout than without it."""
        rows = [
            collect(self, [self.small], training=modes).rows
            for modes in (None, self.training_layers)
        ]
        return all(rows) and not torch.allclose(rows[0][0][0], rows[1][0][0], rtol=1e-3, atol=1e-5)

    @cached_property
    def classes(self) -> int:
        """How many classes there are; 0 where outputs are no classes."""
        return max(2, self._largest_label + 1) if isinstance(self.scorer, Classes) else 0

    def values(self, place: int) -> int | None:
        """Return the values per channel that a training batch brings a layer; None where unknown."""
        return self.collected.values.get(self.layers.layers[place]) if self.collected else None

    def training_places(self) -> Iterator[int]:
        """Yield the places of the layers that are called, and whose statistics training updates."""
        for place, state in enumerate(self.states):
            if self.called[place] and state.trains:
                yield place
