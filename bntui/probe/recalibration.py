"""The cure: running statistics of training batches at the weights as they are, pooled."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from bntui.measure.any_module import recording, training_modules
from bntui.measure.layers import Layers, layers_of, running_statistics
from bntui.measure.statistics import pool
from bntui.measure.unchanged import unchanged
from bntui.probe.arguments import refuse_forward
from bntui.probe.batches import first, size
from bntui.probe.errors import ProbeError
from bntui.probe.facts import untracked_layers
from bntui.probe.keras_model import as_module
from bntui.probe.loader_streams import loader_unchanged
from bntui.probe.model_errors import refuse
from bntui.probe.passes import ONE_VALUE, Forward, as_written, device_of, run


@dataclass(slots=True, eq=False)
class Restore:
    """What `recalibrate` has replaced; as a context manager it is undone at the end of the block."""

    layers: tuple[str, ...]
    """The layers that have new statistics."""
    samples: int
    """Training samples that these are of."""
    _before: list[tuple[nn.Module, Tensor, Tensor]] = field(repr=False)

    def undo(self) -> None:
        """Put the statistics back that the layers had, bit for bit; a second time does nothing."""
        _write(self._before)
        self._before = []

    def __enter__(self) -> "Restore":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Undo."""
        self.undo()


def recalibrate(
    model: nn.Module,
    training: Iterable[Any],
    batches: int = 16,
    *,
    forward: Forward | None = None,
) -> Restore:
    """Replace running statistics by those of some training batches, and return what undoes it.

    All batches are run in training mode at the weights as they are, and their statistics pooled, as
    fvcore's `update_bn_stats` does: the variance is torch's unbiased one, of all their values. It is done
    for the layers that training updates; frozen ones keep theirs, and are normalised with in the passes.
    The buffers are written in place. Weights, modes, counters of updates, random streams and all else
    stay as they were. `forward(model, batch)` runs a batch where calling the model with its first element
    does not do.

    Raises ProbeError (one sentence) for a model without such layers, an empty loader, and statistics that
    are not finite; the model is as it was then, as after any error of the model or the loader.
    """
    if isinstance(batches, bool) or not isinstance(batches, int) or batches < 1:
        raise ProbeError(f"batches must be a whole number from 1 on: {batches!r} was given.")
    refuse_forward(forward)
    with as_module(model) as seen:
        refuse(seen)
        as_found = unchanged(seen, weights=True), loader_unchanged(training)
        with torch.no_grad(), as_written(), as_found[0], as_found[1]:
            found = _collected(seen, first(training, batches, "training"), forward)
    new = _statistics(found)
    restore = Restore(
        tuple(name for name, *_ in new),
        sum(found.samples),
        [(layer, *_copies(layer)) for _, layer, *_ in new],
    )
    _write([(layer, mean, variance) for _, layer, mean, variance in new])
    return restore


def replace_by(layers: Layers, row: Tensor) -> Restore:
    """Replace running statistics by those of a row (2, C), of the kind that the layers keep; see `recalibrate`.

    Raises ProbeError where they are not finite.
    """
    new = [
        (name, layer, *part)
        for name, layer, part in zip(layers.names, layers.layers, layers.parts(row), strict=True)
    ]
    for name, _, *both in new:
        if not all(bool(one.isfinite().all()) for one in both):
            raise ProbeError(
                f"What {name} got last is not finite: look for what makes it so first."
            )
    restore = Restore(layers.names, 0, [(layer, *_copies(layer)) for _, layer, *_ in new])
    _write([(layer, mean, variance) for _, layer, mean, variance in new])
    return restore


@dataclass(frozen=True, slots=True)
class _Collected:
    layers: Layers
    rows: list[tuple[Tensor, int | Tensor]]
    """Of each batch: biased statistics (2, C), and of how many samples, for `pool`."""
    samples: list[int]
    """Of each batch."""
    values: dict[nn.Module, int]
    """Values per channel that the layers got in all."""


def _collected(model: nn.Module, batches: Iterable[Any], forward: Forward | None) -> _Collected:
    """Run batches in training mode, and take the statistics of the layers that training updates."""
    trained = training_modules(model)
    theirs = [one for one in layers_of(model) if one[1] in trained]
    layers = Layers.of(theirs, {}, device_of(model))
    if not layers.layers:
        raise ProbeError(_nothing_to_replace(model))
    found = _Collected(layers, [], [], {})
    for batch in batches:
        for module in model.modules():
            module.training = module in trained
        with recording(layers) as recorder:
            try:
                run(model, batch, forward)
            except ValueError as error:
                if ONE_VALUE not in str(error):
                    raise
                continue  # training could not have used it, either
        found.rows.append((recorder.row(), recorder.weight(size(batch))))
        found.samples.append(size(batch))
        for layer, values in recorder.values.items():
            found.values[layer] = found.values.get(layer, 0) + sum(values)
    if not found.rows:
        raise ProbeError(
            "Every training batch has one value per channel, which torch refuses in training mode: give"
            " larger batches."
        )
    if not found.values:
        raise ProbeError("The model calls none of its layers with running statistics.")
    return found


def _nothing_to_replace(model: nn.Module) -> str:
    tracked, untracked = len(layers_of(model)), len(untracked_layers(model))
    if tracked:
        return (
            f"Training updates no layer with running statistics: frozen are {tracked} of {tracked}."
        )
    return f"No BN layer has running statistics to replace: {untracked} use each batch's own in eval mode, too."


def _statistics(found: _Collected) -> list[tuple[str, nn.Module, Tensor, Tensor]]:
    """Return name, layer, mean and variance of every layer that was called: unbiased, but Keras's."""
    statistics = []
    parts = found.layers.parts(pool(found.rows))
    for name, layer, part in zip(found.layers.names, found.layers.layers, parts, strict=True):
        if layer not in found.values:
            continue
        values = found.values[layer]
        biased = getattr(layer, "biased_variance", False)
        mean, variance = part[0], part[1] * (1.0 if biased else values / max(1, values - 1))
        if not (mean.isfinite().all() and variance.isfinite().all()):
            raise ProbeError(
                f"What {name} gets in training mode is not finite: look for what makes it so first."
            )
        statistics.append((name, layer, mean, variance))
    return statistics


def _copies(layer: nn.Module) -> tuple[Tensor, Tensor]:
    mean, variance = running_statistics(layer)
    return mean.clone(), variance.clone()


def _write(statistics: list[tuple[nn.Module, Tensor, Tensor]]) -> None:
    """Write means and variances into the layers' own buffers."""
    for layer, *both in statistics:
        for buffer, values in zip(running_statistics(layer), both, strict=True):
            with torch.inference_mode(buffer.is_inference()):
                buffer.data.copy_(values)
