"""Causes that the outputs themselves show: not finite, depending on batch mates, or other than another model's."""

import math
from contextlib import AbstractContextManager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from bntui.measure.hooked import called_after
from bntui.measure.layers import layers_of
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import at_most, inputs_finite, regrouped, size
from bntui.probe.calling import output_tensor
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.errors import ProbeError
from bntui.probe.facts import LayerState, untracked_layers
from bntui.probe.harm import RECALIBRATE, compared, harmed
from bntui.probe.numbers import counted, percent
from bntui.probe.passes import as_compiled
from bntui.probe.probed import SMALL, Probed

HALF = {torch.float16, torch.bfloat16}
HUGE = 1e5
"""What no weight of a network that trains well comes to."""
IN_SINGLE = "put the BN layers in float32 (layer.float(); torch.autocast keeps them so)"
DEPENDS, HALF_DEPENDS = 1e-2, 0.1
"""Relative difference of a sample's outputs in two batches from which on it depends on its mates: far
beyond rounding, in single and in half precision."""
DIFFERS = 0.02
"""Relative difference of two models' outputs from which on they differ."""


def not_finite(probed: Probed) -> list[Finding]:
    """Name statistics and outputs that are not finite, and buffers in half precision."""
    found = []
    bad = [state for state in probed.states if state.non_finite]
    half = [state for state in probed.states if state.dtype in HALF]
    first_bad = None if bad else _first_not_finite(probed)
    if bad or first_bad:
        if bad:
            what = (
                f"{bad[0].non_finite} of {probed.layers.channels[probed.states.index(bad[0])]} channels "
                f"of layer {bad[0].name} have a running mean or variance that is not finite, or a negative "
                f"variance ({len(bad)} of {counted(len(probed.states), 'layer')})."
            )
        else:
            what = f"In eval mode the first output that is not finite is that of {first_bad}."
        if not bad and not inputs_finite(at_most(probed.validation[0], SMALL)):
            said = "The validation inputs themselves hold numbers that are not finite."
            remedy = "look at the validation loader: what it reads, and what it divides by"
            return [Finding(Cause.NON_FINITE, Severity.UNSOUND, (said, what), (remedy,))]
        narrow = bad[0].dtype in HALF if bad else bool(half)
        evidence = [what]
        if narrow:
            evidence.append(
                f"The running statistics are {_type(bad[0].dtype if bad else half[0].dtype)}."
            )
        if probed.harm is not None:
            evidence.append(compared(probed))
        remedies = [IN_SINGLE if narrow else _find(probed, bad)]
        if narrow or harmed(probed):
            remedies.append(RECALIBRATE)
        cause = Cause.PRECISION if narrow else Cause.NON_FINITE
        found.append(Finding(cause, Severity.UNSOUND, tuple(evidence), tuple(remedies)))
    elif half:
        found.append(_half(probed, half[0].name, half[0].dtype))
    return found


def bad_batches(probed: Probed) -> Finding | None:
    """Name training batches that make statistics which are not finite."""
    found = probed.collected
    if found is None or not found.not_finite:
        return None
    bad, of = len(found.not_finite), len(found.rows) + len(found.not_finite)
    evidence = (
        f"{bad} of {of} training batches make what layer {found.not_finite[0]} gets not finite: they are left "
        "out of fresh statistics, and an update with one makes running ones NaN or infinite.",
    )
    remedy = "look for NaN or inf in the inputs of these batches"
    return Finding(Cause.NON_FINITE, Severity.WARNING, evidence, (remedy,))


def _find(probed: Probed, bad: list[LayerState]) -> str:
    """Say where numbers that are not finite may come from."""
    if bad and bool(probed.running_row.isfinite().all()):
        return "only arithmetic on buffers makes a variance negative: averaging, extrapolating, subtracting"
    weights = [one for one in probed.model.parameters() if one.is_floating_point()]
    if all(bool((one.abs() < HUGE).all()) for one in weights):
        return "the weights are finite: look for a training batch with NaN or inf in its inputs"
    return "training diverged: lower the learning rate, clip gradients, begin again"


def _half(probed: Probed, name: str, kind: torch.dtype) -> Finding:
    evidence = [f"The running statistics are {_type(kind)}, first in layer {name}."]
    severity = Severity.WARNING
    if harmed(probed):
        severity = Severity.UNSOUND
        evidence.append(compared(probed))
        evidence.append(
            "An update that is smaller than the last digit of such a number is lost, and one beyond "
            f"{torch.finfo(kind).max:.3g} is infinite."
        )
    remedies = (IN_SINGLE, RECALIBRATE) if severity is Severity.UNSOUND else (IN_SINGLE,)
    return Finding(Cause.PRECISION, severity, tuple(evidence), remedies)


def _type(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")


def _first_not_finite(probed: Probed) -> str | None:
    """Return the name of the first module whose output in eval mode is not finite."""
    seen: list[str] = []

    def note(name: str, output: object) -> None:
        tensors = output if isinstance(output, tuple | list) else (output,)
        floats = [one for one in tensors if isinstance(one, Tensor) and one.is_floating_point()]
        if not all(bool(one.isfinite().all()) for one in floats):
            seen.append(name)

    with unchanged(probed.model), _outputs(probed.model, note):
        probed.model.eval()
        outputs = probed.run(at_most(probed.validation[0], SMALL))
    if isinstance(outputs, Tensor) and outputs.is_floating_point() and outputs.isfinite().all():
        return None
    return seen[0] if seen else None


def _outputs(model: nn.Module, note: Any) -> AbstractContextManager[None]:
    """Call `note` with the name and the output of every module that is called meanwhile."""
    names = {
        module: name
        for name, module in model.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)  # takes no hooks
        and not any(True for _ in module.children())
    }
    return called_after(names, lambda module, _inputs, output: note(names[module], output))


def batch_dependent(probed: Probed) -> list[Finding]:
    """Name predictions in eval mode that depend on the other samples of the batch."""
    untracked = untracked_layers(probed.model)
    apart = _apart(probed)
    if apart is None:
        return []
    off, flips, count = apart
    limit = HALF_DEPENDS if probed.dtype in HALF else DEPENDS
    if not off > limit:
        return []
    evidence = [
        f"In eval mode the same {count} samples put out something else alone than among others: "
        f"{off:.2g} of its size, and {flips} of {count} predictions flip."
    ]
    if untracked:
        names = ", ".join(name for name, _ in untracked[:3])
        evidence.append(
            f"{counted(len(untracked), 'layer')} without running statistics (track_running_stats=False): "
            f"{names}."
        )
        remedy = "track_running_stats=True, or a norm without batch statistics (GroupNorm)"
    elif probed.still_training:
        evidence.append(
            f"model.eval() leaves {counted(len(probed.still_training), 'layer')} in training mode: "
            f"{', '.join(probed.still_training[:3])}."
        )
        remedy = "let train(mode) pass the mode on to BN layers, and validate in model.eval()"
    else:
        remedy = (
            "look for F.batch_norm(training=True), a forward that calls train(), or a mean or standard deviation "
            "over dimension 0"
        )
    return [Finding(Cause.BATCH_DEPENDENT, Severity.UNSOUND, tuple(evidence), (remedy,))]


def _apart(probed: Probed) -> tuple[float, int, int] | None:
    """Return how far outputs of some samples are from those that they have in a larger batch.

    (relative difference, predictions that flip, samples); None where that can't be told.
    """
    whole = at_most(probed.validation[0], SMALL)
    if size(whole) == 1 and probed.collected and probed.collected.batch > 1:
        # It takes several samples, as training shows.
        whole = regrouped(probed.validation[:SMALL], SMALL)[0]
    count = size(whole) // 2
    if not count:
        return None
    with unchanged(probed.model):
        probed.model.eval()
        try:
            among, alone = (
                output_tensor(probed.run(one)).cpu().double()
                for one in (whole, at_most(whole, count))
            )
        except ProbeError:  # boxes, say, that the user's metric takes
            return None
    if among.dim() == 0 or len(among) != size(whole) or alone.shape != among[:count].shape:
        return None  # of one number a batch, or of as many as it has samples: such outputs do depend on it
    among = among[:count]
    off = float((among - alone).norm() / among.norm().clamp_min(1e-12))
    flips = 0
    if among.dim() > 1 and among.shape[1] > 1:
        flips = int((among.argmax(1) != alone.argmax(1)).reshape(count, -1).any(1).sum())
    return off, flips, count


def exported_differently(probed: Probed, against: Any) -> list[Finding]:
    """Name another model, such as an exported one, whose outputs in eval mode are others."""
    if against is None:
        return []
    other = against if isinstance(against, nn.Module) else None
    with unchanged(probed.model), unchanged(other or nn.Module()):
        probed.model.eval()
        if other is not None:
            with suppress(NotImplementedError):  # what torch.export made has one mode
                other.eval()
        said = _how_they_differ(probed, against)
    if not said:
        return []
    evidence = [said]
    where = _first_that_differs(probed, other) if other is not None else None
    if where:
        evidence.append(f"The first module whose output differs is {where}.")
    evidence += _epsilons(probed, other) if other is not None else []
    remedies = (
        "export from model.eval() with the running statistics and eps of this state; fold BN as "
        "w·γ/√(variance + ε), with this layer's own eps",
    )
    return [Finding(Cause.EXPORTED_DIFFERENTLY, Severity.UNSOUND, tuple(evidence), remedies)]


def _how_they_differ(probed: Probed, against: Any) -> str:
    """Say how far the outputs of two models are apart; empty where they are not, or the model's not finite."""
    apart, whole, flips, predictions = 0.0, 0.0, 0, 0
    for batch in probed.validation:
        one = output_tensor(probed.run(batch)).cpu().double()
        with as_compiled():  # it may be the model itself, compiled
            two = output_tensor(probed.run(batch, against)).cpu().double()
        if one.shape != two.shape:
            return f"Its outputs are {tuple(two.shape)}, those of the model {tuple(one.shape)}."
        apart += float((one - two).square().sum())
        whole += float(one.square().sum())
        if one.dim() > 1 and one.shape[1] > 1:
            changes = one.argmax(1) != two.argmax(1)
            flips, predictions = flips + int(changes.sum()), predictions + changes.numel()
    off = math.sqrt(apart / max(whole, 1e-24))
    if off <= DIFFERS or not math.isfinite(whole):
        return ""
    said = f"In eval mode the outputs of the two models differ by {off:.2g} of their size"
    if predictions:
        samples = sum(map(size, probed.validation))
        said += (
            f"; {percent(flips / predictions)} of predictions flip ({counted(samples, 'sample')})"
        )
    return f"{said}."


def _epsilons(probed: Probed, other: nn.Module) -> list[str]:
    """Say which layer has another epsilon in the other model."""
    theirs = dict(layers_of(other))
    for name, layer in zip(probed.layers.names, probed.layers.layers, strict=True):
        if name in theirs and layer.eps != theirs[name].eps:
            return [f"Layer {name} has eps {layer.eps:g}, and {theirs[name].eps:g} there."]
    return []


def _first_that_differs(probed: Probed, other: nn.Module) -> str | None:
    """Return the first module of both models whose outputs differ, by its name."""
    if [name for name, _ in layers_of(other)] != list(probed.layers.names):
        return None  # BN is folded into the layer before it, whose output differs then
    batch = at_most(probed.validation[0], SMALL)
    seen: list[dict[str, Tensor]] = [{}, {}]
    for model, outputs in zip((probed.model, other), seen, strict=True):

        def note(name: str, output: object, outputs: dict[str, Tensor] = outputs) -> None:
            if isinstance(output, Tensor):
                outputs.setdefault(name, output.detach().cpu().double())

        with unchanged(model), _outputs(model, note):
            model.eval()
            probed.run(batch, model)
    for name, one in seen[0].items():
        two = seen[1].get(name)
        if two is None or one.shape != two.shape:
            continue
        if float((one - two).norm()) > DIFFERS * max(float(one.norm()), 1e-12):
            return name
    return None
