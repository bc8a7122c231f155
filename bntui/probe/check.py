"""`bntui.check`: what is wrong with the batch norm of a model, measured, with the model left as it was."""

import importlib
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bntui.measure.drift import drift
from bntui.measure.unchanged import unchanged
from bntui.probe.arguments import refuse_arguments
from bntui.probe.batches import size, spread
from bntui.probe.causes import Cause, Finding, Severity, worst_first
from bntui.probe.elsewhere import elsewhere
from bntui.probe.facts import other_norms, untracked_layers
from bntui.probe.few_values import few_values, refused
from bntui.probe.keras_model import as_module
from bntui.probe.layer_errors import network_errors
from bntui.probe.loader_streams import loader_unchanged
from bntui.probe.mixing import mixed_sources, sorted_batches
from bntui.probe.model_errors import refuse, refuse_source
from bntui.probe.numbers import counted
from bntui.probe.outputs import HALF, bad_batches, batch_dependent, exported_differently, not_finite
from bntui.probe.padding import padding
from bntui.probe.passes import Forward, as_written, device_of
from bntui.probe.probed import Probed
from bntui.probe.report import CheckedLayer, Report
from bntui.probe.scoring import judged_metric
from bntui.probe.stale import stale
from bntui.probe.training_modes import dropout_shift, not_frozen
from bntui.probe.watching.keras_words import in_keras

GENERIC = {Cause.START_VALUES, Cause.LAG, Cause.MOMENTUM_TOO_SMALL}
"""Causes that a more particular one, which was seen to do the same harm, takes the place of."""
OWN_STATE = {
    Cause.AVERAGED_WEIGHTS,
    Cause.NEVER_UPDATED,
    Cause.PARTLY_UNTOUCHED,
    Cause.MOMENTUM_TOO_SMALL,
    Cause.MOMENTUM_CONVENTION,
    Cause.NOT_FROZEN,
}
"""Causes that make the statistics others than the weights' own, in any precision."""
PARTICULAR = {
    Cause.NON_FINITE,
    Cause.PRECISION,
    Cause.BATCH_DEPENDENT,
    Cause.SORTED_BATCHES,
    Cause.FEW_VALUES,
    Cause.NOT_FROZEN,
}


def check(
    model: nn.Module,
    validation: Iterable[Any],
    training: Iterable[Any] | None = None,
    *,
    forward: Forward | None = None,
    metric: Callable[[Any, Any], Tensor] | None = None,
    samples: int = 512,
    fresh_batches: int = 16,
    averaged_from: nn.Module | None = None,
    against: Any = None,
    seed: int = 0,
) -> Report:
    """Find out what is wrong with the batch norm of `model`, and leave everything as it was found.

    `validation` and `training` yield batches: tensors, tuples, lists, named tuples or dicts of them.
    Without `training` only the model's state and its outputs are looked at.
    `forward(model, batch)` runs a batch where calling the model with its first element does not do.
    `metric(outputs, targets)` scores each sample, higher is better: (N,). Targets are the second element
    of a batch; a metric whose second parameter is called `batch` gets all of it. By default class
    labels give accuracy, and without these the agreement of outputs between statistics counts.
    `samples` validation samples at most are taken, and `fresh_batches` training batches, in training
    mode, for fresh statistics (more where so many hold fewer than 128 samples). `averaged_from` is the
    model whose weights this one averages, `against` another one (a module, or anything called like one)
    that should put out the same in eval mode. `seed` sets what is drawn meanwhile.

    Raises ProbeError (one sentence) for what can't be checked and for a number out of bounds,
    and whatever the model, the loaders, `forward` or `metric` raise, unchanged.
    """
    refuse_arguments(
        {"samples": samples, "fresh_batches": fresh_batches},
        seed,
        {"forward": (forward, ("model", "batch")), "metric": (metric, ("outputs", "targets"))},
        averaged_from,
        against,
    )
    with as_module(model) as seen:
        refuse(seen)
        refuse_source(seen, averaged_from)
        as_found = unchanged(seen, weights=True), loader_unchanged(validation, training)
        with as_found[0], as_found[1], as_written(), torch.no_grad():
            seed_all(seen, int(seed))
            probed = Probed(
                seen,
                spread(validation, int(samples), "validation"),
                training,
                forward=forward,
                metric=metric,
                fresh_batches=int(fresh_batches),
            )
            report = reported(probed, averaged_from, against)
    if seen is model:
        return report
    return replace(report, verdicts=tuple(map(in_keras, report.verdicts)))


def reported(probed: Probed, averaged_from: nn.Module | None = None, against: Any = None) -> Report:
    """Measure all that a check measures of a model in its hands, and return the report.

    Within `unchanged`, and without gradients.
    """
    found = _findings(probed, averaged_from, against)
    probed.notes += judged_metric(probed.scorer, numbers=not no_numbers(found))
    return Report(
        verdicts=worst_first(found),
        running=probed.running.evaluation if probed.running else None,
        fresh=probed.fresh.evaluation if probed.fresh else None,
        flipped=probed.running.flipped(probed.fresh) if probed.running and probed.fresh else None,
        layers=checked_layers(probed),
        notes=_notes(probed),
        metric=probed.scorer.name,
    )


def seed_all(model: nn.Module, seed: int) -> None:
    """Seed all that loaders and the model draw from; `unchanged` puts these streams back."""
    # Loading rich draws from Python's stream: here rather than when a report is printed.
    importlib.import_module("rich.style")
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # else `manual_seed_all` would seed them when they are
        torch.cuda.manual_seed_all(seed)
    if device_of(model).type == "mps":
        torch.mps.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the loaders'
    random.seed(seed)


def _findings(probed: Probed, averaged_from: nn.Module | None, against: Any) -> list[Finding]:
    found = [
        *not_finite(probed),
        *batch_dependent(probed),
        *exported_differently(probed, against),
    ]
    if any(probed.called) and not no_numbers(found):
        found += _of_training(probed)
        found += stale(probed, averaged_from)
    found = settled(probed, found)
    if not any(one.severity is Severity.UNSOUND for one in found):
        found += elsewhere(probed)
    return found


def settled(probed: Probed, found: list[Finding]) -> list[Finding]:
    """Return findings without those that others of them explain."""
    named = {one.cause for one in found if one.severity is Severity.UNSOUND}
    if named & OWN_STATE and not any(state.non_finite for state in probed.states):
        found = [
            replace(one, severity=Severity.WARNING) if one.cause is Cause.PRECISION else one
            for one in found
        ]
        named -= {Cause.PRECISION}
    if named & PARTICULAR:
        found = [
            one for one in found if one.cause not in GENERIC or one.severity is not Severity.UNSOUND
        ]
    return found


def _of_training(probed: Probed) -> list[Finding]:
    """Return what is named of training batches and modes; less without training batches."""
    found = probed.collected
    if found is None:
        judged = [not_frozen(probed)]
    elif not found.rows:
        judged = [refused() if found.refused else None, not_frozen(probed), bad_batches(probed)]
    else:
        judged = [
            padding(probed),
            sorted_batches(probed),
            mixed_sources(probed),
            few_values(probed),
            dropout_shift(probed),
            not_frozen(probed),
            bad_batches(probed),
        ]
    return [one for one in judged if one]


def no_numbers(found: list[Finding]) -> bool:
    """Tell whether statistics or outputs are not finite, so that nothing else can be compared."""
    return any(one.severity is Severity.UNSOUND and one.cause is Cause.NON_FINITE for one in found)


def checked_layers(probed: Probed) -> tuple[CheckedLayer, ...]:
    """Return every layer with running statistics, or that should have them, as a report tells of it."""
    nan = float("nan")
    errors = network_errors(probed)
    drifts: dict[str, tuple[float, float]] = {}
    if probed.fresh_row is not None and probed.states:
        each = drift(
            probed.layers, probed.running_row, probed.fresh_row, probed.running_row, 0.0, errors
        )
        drifts = {one.name: (one.mean_gap, one.log_var_ratio) for one in each}
    layers = []
    for place, state in enumerate(probed.states):
        called = probed.collected is None or probed.values(place) is not None
        gap, ratio = drifts.get(state.name, (nan, nan)) if called else (nan, nan)
        remarks = [
            *(["untouched"] if state.untouched else []),
            *([f"{state.non_finite} channels not finite"] if state.non_finite else []),
            *([f"{state.dtype} buffers".removeprefix("torch.")] if state.dtype in HALF else []),
            *([] if state.trains else ["frozen"]),
            *(["no gradient, but training mode"] if state.fixed and state.training else []),
            *([] if probed.called[place] else ["not called"]),
        ]
        layers.append(
            CheckedLayer(
                name=state.name,
                kind=state.kind,
                channels=probed.layers.channels[place],
                values=probed.values(place),
                momentum=state.momentum,
                updates=state.updates,
                mean_gap=gap,
                log_var_ratio=ratio,
                network_error=errors[place],
                remarks=tuple(remarks),
            )
        )
    for name, layer in untracked_layers(probed.model):
        channels = int(getattr(layer, "num_features", 0))
        layers.append(
            CheckedLayer(
                name,
                type(layer).__name__,
                channels,
                None,
                None,
                None,
                nan,
                nan,
                nan,
                ("no running statistics",),
            )
        )
    order = {name: number for number, (name, _) in enumerate(probed.model.named_modules())}
    return tuple(sorted(layers, key=lambda one: order[one.name]))


def _notes(probed: Probed) -> tuple[str, ...]:
    taken = sum(map(size, probed.validation))
    notes = [f"{taken:,} validation {'sample was' if taken == 1 else 'samples were'} taken."]
    found = probed.collected
    if found is None and probed.fresh_row is None:
        notes.append(
            "Without training batches fresh statistics were not measured, nor how batches are made."
        )
    elif found and found.rows and probed.fresh_row is None:
        notes.append(
            "No layer uses running statistics in eval mode: what is put out depends on the batches that were "
            f"taken, of {size(probed.validation[0])} samples."
        )
    elif found and found.rows:
        notes.append(
            f"Fresh statistics are those of {len(found.rows)} training batches in training mode, "
            f"{counted(found.samples, 'sample')}."
        )
    norms = other_norms(probed.model)
    if norms:
        which = ", ".join(f"{name} ×{count}" for name, count in sorted(norms.items()))
        notes.append(f"{which}: without running statistics, so there is nothing to check.")
    idle = [name for name, one in zip(probed.layers.names, probed.called, strict=True) if not one]
    if idle:
        notes.append(
            f"{counted(len(idle), 'layer')} not called in eval mode, and not judged: {', '.join(idle[:3])}"
            f"{' …' if idle[3:] else ''}."
        )
    return (*notes, *probed.notes)
