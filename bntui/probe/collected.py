"""Passes in training mode, and what they tell."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from bntui.measure.any_module import CallRecorder, recording
from bntui.measure.layers import Layers
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import at_most, size
from bntui.probe.labels import class_labels
from bntui.probe.passes import ONE_VALUE
from bntui.probe.scoring import Alike, Classes, Scored, joined

if TYPE_CHECKING:
    from bntui.probe.probed import Probed


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """Training-mode passes over the training batches, as the loader makes them."""

    rows: tuple[tuple[Tensor, int | Tensor], ...]
    """Of each batch: biased statistics (2, C), and of how many samples, for `pool`."""
    sizes: tuple[int, ...]
    """Samples of each batch."""
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
    not_finite: tuple[str, ...]
    """Of each batch whose statistics are not finite, and which is left out, the first layer where they aren't."""

    @property
    def samples(self) -> int:
        """How many samples there were."""
        return sum(self.sizes)

    @property
    def batch(self) -> int:
        """Samples of the largest batch."""
        return max(self.sizes, default=1)


def collect(
    probed: "Probed",
    batches: Iterable[Any],
    *,
    keep: bool = False,
    training: Collection[nn.Module] | None = None,
    recorder: type[CallRecorder] = CallRecorder,
) -> Collected:
    """Run batches in training mode and take every layer's statistics.

    Only the modules `training` are in training mode, by default all that are while the model trains.
    Layers that are frozen normalise with their running statistics, as in training. With `keep` the first
    batches are kept, and scored where outputs have a score.
    """
    rows, calls, scores, labels, kept = [], [], list[Scored](), list[Tensor](), list[Any]()
    values: dict[nn.Module, int] = {}
    sizes = list[int]()
    endless = list[str]()
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
            row = recorded.row()
            if where := _first_not_finite(probed.layers, row, recorded):
                endless.append(where)
                continue
            rows.append((row, recorded.weight(size(batch))))
            sizes.append(size(batch))
            for layer, brought in recorded.values.items():
                values[layer] = max(values.get(layer, 0), min(brought))
            calls.append({one: each for one, each in recorded.calls.items() if len(each) > 1})
            if isinstance(probed.scorer, Classes):
                found = class_labels(outputs, batch)
                scorable = scorable and found is not None
                if found is not None and found.dim() == 1:
                    labels.append(found.detach().cpu().long())
            if keep and wanted > 0:
                part = at_most(batch, wanted)
                kept.append(part)
                if scorable and not isinstance(probed.scorer, Alike):
                    scores.append(_scored(probed, outputs, batch, part))
                wanted -= size(part)
    return Collected(
        tuple(rows),
        tuple(sizes),
        tuple(calls),
        values,
        joined(scores) if scores and scorable else None,
        tuple(labels),
        tuple(kept),
        refused,
        tuple(endless),
    )


def _scored(probed: "Probed", outputs: Any, batch: Any, part: Any) -> Scored:
    """Score the samples of a batch's first part."""
    if isinstance(probed.scorer, Classes):
        return probed.scorer(outputs[: size(part)], probed.on_device(part))
    return probed.scorer(outputs, probed.on_device(batch)).first(size(part))


def _first_not_finite(layers: Layers, row: Tensor, recorded: CallRecorder) -> str | None:
    """Return the first layer that got a batch which is not finite; running statistics may be, too."""
    if bool(row.isfinite().all()):
        return None
    parts = zip(layers.names, layers.layers, layers.parts(row), strict=True)
    got = (
        name
        for name, layer, part in parts
        if layer in recorded.calls and not bool(part.isfinite().all())
    )
    return next(got, None)
