"""Passes in training mode, and what they tell."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from bntui.measure.any_module import CallRecorder, recording
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import size, take
from bntui.probe.labels import class_labels
from bntui.probe.passes import ONE_VALUE
from bntui.probe.scoring import Classes, Scored, joined

if TYPE_CHECKING:
    from bntui.probe.probed import Probed


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """Training-mode passes over the training batches, as the loader makes them."""

    rows: tuple[tuple[Tensor, int], ...]
    """Of each batch: biased statistics (2, C), and its samples."""
    calls: tuple[dict[nn.Module, list[tuple[Tensor, Tensor]]], ...]
    """Of each batch, the statistics of every call of the layers that are called more than once."""
    values: dict[nn.Module, int]
    """Values per channel that the largest batch brought each layer that was called: its smallest call's."""
    scored: Scored | None
    """What the outputs were worth on the samples that were kept, dropout and all; None without scores."""
    labels: tuple[Tensor, ...]
    """Class labels (N,) of each batch; empty where there are none."""
    kept: tuple[Any, ...]
    """The batches that begin the pass, with at most as many samples as are validated on."""
    refused: int
    """Batches that torch refused for having one value per channel."""

    @property
    def samples(self) -> int:
        """How many samples there were."""
        return sum(count for _, count in self.rows)

    @property
    def batch(self) -> int:
        """Samples of the largest batch."""
        return max((count for _, count in self.rows), default=1)


def collect(
    probed: "Probed",
    batches: Iterable[Any],
    *,
    scored: bool = False,
    training: Collection[nn.Module] | None = None,
    recorder: type[CallRecorder] = CallRecorder,
) -> Collected:
    """Run batches in training mode and take every layer's statistics.

    Only the modules `training` are in training mode, by default all that are while the model trains.
    Layers that are frozen normalise with their running statistics, as in training.
    """
    rows, calls, scores, labels, kept = [], [], list[Scored](), list[Tensor](), list[Any]()
    values: dict[nn.Module, int] = {}
    wanted, refused, scorable = sum(map(size, probed.validation)), 0, True
    modes = probed.training_modules if training is None else training
    with unchanged(probed.model):
        for batch in batches:
            for module in probed.model.modules():
                module.training = module in modes
            with recording(probed.layers, recorder) as recorded:
                try:
                    outputs = probed.run(batch)
                except ValueError as error:
                    if ONE_VALUE not in str(error):
                        raise
                    refused += 1
                    continue
            rows.append((recorded.row(), size(batch)))
            for layer, brought in recorded.values.items():
                values[layer] = max(values.get(layer, 0), min(brought))
            calls.append({one: each for one, each in recorded.calls.items() if len(each) > 1})
            if isinstance(probed.scorer, Classes):
                found = class_labels(outputs, batch)
                scorable = scorable and found is not None
                if found is not None and found.dim() == 1:
                    labels.append(found.detach().cpu().long())
            if scored and wanted > 0:
                part = take(batch, wanted)
                kept.append(part)
                if scorable:
                    scores.append(probed.scorer(outputs, probed.on_device(batch)).first(size(part)))
                wanted -= size(part)
    return Collected(
        tuple(rows),
        tuple(calls),
        values,
        joined(scores) if scores and scorable else None,
        tuple(labels),
        tuple(kept),
        refused,
    )
