"""A watched model at one look: measured as a check measures it, on batches that were kept."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from bntui.measure.layers import Layers, layers_of
from bntui.probe.batches import size
from bntui.probe.facts import LayerState, state_of
from bntui.probe.passes import Forward
from bntui.probe.probed import Probed
from bntui.probe.scoring import Metric, Scored
from bntui.probe.watching.as_it_was import is_synchronised
from bntui.probe.watching.counted import RECENT

_OF_RECENT = f"Fresh statistics are the mean of those of the last {RECENT} updates' batches:"
WITHOUT_TRAINING = (
    f"{_OF_RECENT} training= was not given, so no training batch was run at the weights at hand."
)
SYNCHRONISED = (
    f"{_OF_RECENT} layers that are synchronised "
    "between processes can't be run in training mode by one of them."
)


class Seen(Probed):
    """A model in the hands of a look. Statistics are in the layers' own convention.

    `fresh` are fresh statistics that are known already, (2, C), in place of passes over training batches.
    """

    def __init__(
        self,
        model: nn.Module,
        validation: Sequence[Any],
        training: Sequence[Any] | None,
        *,
        forward: Forward | None,
        metric: Metric | None,
        fresh: Tensor | None = None,
    ) -> None:
        self._known = fresh
        super().__init__(
            model,
            validation,
            training,
            forward=forward,
            metric=metric,
            fresh_batches=len(training or ()),
        )

    def take_fresh(self) -> Tensor | None:
        """Return the statistics that are known, or take them in passes over training batches."""
        if self._known is not None:
            return self.only_training(self._known.to(self.layers.device))
        row = super().take_fresh()
        if row is None or self.collected is None:
            return row
        share = self.collected.samples / self.collected.batch
        counts = [(self.values(place) or 0) * share for place in range(len(self.layers))]
        return torch.stack([row[0], row[1] * own_convention(self.layers, counts)])

    @cached_property
    def own_row(self) -> Tensor | None:
        """Statistics of the validation samples themselves; None where a pass would wait for other processes."""
        return None if is_synchronised(self.model) else self.take_own()


class Unscored(Seen):
    """A model of which statistics are compared, and no outputs: no validation samples are at hand."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named | {"metric": _no_score})

    @cached_property
    def can_score(self) -> bool:
        """No output is scored."""
        return False

    @cached_property
    def fresh(self) -> Scored | None:
        """No output is scored."""
        return None


def _no_score(_outputs: Any, batch: Any) -> Tensor:
    return torch.zeros(size(batch))


def own_convention(layers: Layers, counts: Sequence[float]) -> Tensor:
    """Return the factors (C,) that turn biased variances of so many values into the layers' own.

    torch's running variance is unbiased, n/(n − 1) times the biased one; Keras's is not.
    """
    return layers.per_channel(
        n / (n - 1.0) if n > 1.0 and not getattr(layer, "biased_variance", False) else 1.0
        for layer, n in zip(layers.layers, counts, strict=True)
    )


class Unseen:
    """A model of which no batch is at hand: what its layers hold, for the functions that name causes."""

    scorer, collected, training = None, None, None
    running, fresh, harm, own, modes_differ, on_training = None, None, None, None, None, None
    only_in_eval: tuple[int, ...] = ()

    def __init__(
        self,
        model: nn.Module,
        trains: Callable[[nn.Module], bool],
        called: Sequence[bool],
        fresh: Tensor | None,
    ) -> None:
        self.model, self.notes = model, list[str]()
        found = layers_of(model)
        self.called = tuple(called)
        self.states: tuple[LayerState, ...] = tuple(
            state_of(name, layer, trains=trains(layer)) for name, layer in found
        )
        device = next((one.device for _, each in found for one in each.buffers()), None)
        self.layers = Layers.of(found, {}, device or torch.device("cpu"))
        self.running_row = self.layers.running()
        self.fresh_row = fresh

    def values(self, place: int) -> int | None:
        """Return None: what a training batch brings a layer is not known."""

    def training_places(self) -> list[int]:
        """Return the places of the layers that are called, and whose statistics training updates."""
        return [
            place for place, state in enumerate(self.states) if self.called[place] and state.trains
        ]
