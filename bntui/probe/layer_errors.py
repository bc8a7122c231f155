"""What every layer puts out in eval mode against training mode, through the whole network."""

import math

from torch import Tensor, nn

from bntui.measure.hooked import called_after
from bntui.measure.unchanged import unchanged
from bntui.probe.passes import ONE_VALUE
from bntui.probe.probed import Probed

KEPT = 1 << 14
"""Values that are kept of each layer's output, evenly spread: all of them would take more memory than
the pass itself."""


def network_errors(probed: Probed) -> tuple[float, ...]:
    """Return, of each layer, the RMS difference of its output between the modes, relative to training's.

    On a few training samples, with all layers before it in the same mode. NaN for a layer that is not
    called, and for all where torch refuses so few samples in training mode.
    """
    nothing = (math.nan,) * len(probed.layers)
    if probed.collected is None or not probed.collected.kept:
        return nothing
    in_eval: dict[nn.Module, list[Tensor]] = {}
    errors: dict[nn.Module, list[float]] = {}

    def keep(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        in_eval.setdefault(layer, []).append(_some(output))

    def compare(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        if not in_eval.get(layer):
            return  # it is called more often than in eval mode, at random
        seen, now = in_eval[layer].pop(0), _some(output)
        if seen.shape == now.shape:
            off = (seen - now).norm() / now.norm().clamp_min(1e-30)
            errors.setdefault(layer, []).append(float(off))

    layers = probed.layers.layers
    with unchanged(probed.model):
        probed.model.eval()
        with called_after(layers, keep):
            probed.run(probed.small)
        for module in layers:
            module.training = probed.trains(module)
        try:
            with called_after(layers, compare):
                probed.run(probed.small)
        except ValueError as error:
            if ONE_VALUE not in str(error):
                raise
            return nothing
    each = (errors.get(layer, []) for layer in layers)
    return tuple(sum(calls) / len(calls) if calls else math.nan for calls in each)


def _some(output: Tensor) -> Tensor:
    flat = output.detach().flatten()
    return flat[:: max(1, len(flat) // KEPT)].float().clone()
