"""Terms of the drift table and of a layer from near. Their numbers are of the layer that is chosen."""

import math

import numpy as np

from bntui.core.measured import LayerDrift
from bntui.core.text import exact, percent
from bntui.diagnose.arithmetic import update_of_mean
from bntui.diagnose.health import exchanged, forecasts, health, in_updates
from bntui.ui.explorer.drift_rows import HEALTH_SIGNS, ahead_of, cost, off, sigmas
from bntui.ui.words.term import Shown, Term


def _mean_gap(shown: Shown) -> str:
    layer = shown.drift
    return f" = {sigmas(layer.mean_gap, 2)} ({layer.name})" if layer else ""


def worst_channel(layer: LayerDrift) -> int | None:
    """Return the channel whose mean is furthest off; None where single channels were not kept."""
    gaps = np.abs(layer.detail.mean_gap)
    gaps = np.where(np.isfinite(gaps), gaps, -1.0)
    if len(gaps) and math.isclose(float(gaps.max()), layer.mean_gap_max, rel_tol=1e-3):
        return int(gaps.argmax())
    return None


def last_step(shown: Shown) -> str:
    """Write the last update before the validation of one channel's running mean; nothing if it was not measured."""
    layer, channel = shown.drift, shown.channel
    if layer is not None and channel is None:
        channel = worst_channel(layer)
    if layer is None or channel is None:
        return ""
    told = update_of_mean(shown.snapshot, layer.name, channel)
    return f" · {layer.name}, channel {channel}: {told}" if told else ""


def _worst(shown: Shown) -> str:
    layer = shown.drift
    if layer is None:
        return ""
    channel = worst_channel(layer)
    which = "" if channel is None else f" in channel {channel}"
    return f" = {sigmas(layer.mean_gap_max, 1)}{which} ({layer.name})"


def _variance(shown: Shown) -> str:
    layer = shown.drift
    return f" = {off(layer)} ({layer.name})" if layer else ""


def _drift(shown: Shown) -> str:
    layer = shown.drift
    if layer is None:
        return ""
    return f" · means {sigmas(layer.mean_gap, 2)}, variances {off(layer)} ({layer.name})"


def _net_err(shown: Shown) -> str:
    layer = shown.drift
    if layer is None or not math.isfinite(layer.network_error):
        return ""
    return f" = {percent(layer.network_error)} ({layer.name})"


def _output_error(shown: Shown) -> str:
    layer = shown.drift
    if layer is None or not math.isfinite(layer.output_error):
        return ""
    return f" = {layer.output_error:.2f} ({layer.name})"


def _channels(shown: Shown) -> str:
    layer = shown.drift
    return f" · {layer.channels:,} in {layer.name}" if layer else ""


def _quiet(shown: Shown) -> str:
    layer = shown.drift
    return f" in {layer.quiet:,} of {layer.channels:,} channels ({layer.name})" if layer else ""


def _alone(shown: Shown) -> str:
    layer, measured = shown.drift, shown.snapshot.exchanges
    found = exchanged(shown.snapshot).get(layer.name) if layer else None
    if layer is None or measured is None or found is None:
        return ""
    return (
        f" = {cost(found)} ({layer.name}, {measured.images:,} images, update {measured.update:,})"
    )


def _marks(shown: Shown) -> str:
    layer = shown.drift
    if layer is None:
        return ""
    mark, _ = HEALTH_SIGNS[health(layer, exchanged(shown.snapshot).get(layer.name))]
    return f" · {layer.name}: {mark}"


def _sound_in(shown: Shown) -> str:
    layer, waiting = shown.drift, shown.snapshot.layers_waiting
    ahead = forecasts(shown.snapshot).get(layer.name, math.nan) if layer else math.nan
    if layer is None or math.isnan(ahead):
        return _network_sound_in(shown)
    if not ahead or math.isinf(ahead):
        return f" · {layer.name}: {ahead_of(ahead)}"
    at = f" (update {waiting.update:,})" if waiting else ""
    return f" · {layer.name}: {in_updates(ahead)} updates{at}"


def _network_sound_in(shown: Shown) -> str:
    """Write the forecast of the whole network, where there is none of layers."""
    waiting = shown.snapshot.waiting
    if waiting is None:
        return ""
    if math.isinf(waiting.sound_in):
        return f" · not within {waiting.curve[-1][0]:,.0f} updates (update {waiting.update:,})"
    return (
        f" · about {in_updates(waiting.sound_in)} updates at momentum {exact(waiting.momentum)} "
        f"(update {waiting.update:,})"
    )


def _trend(shown: Shown) -> str:
    layer = shown.drift
    history = shown.snapshot.series.get(f"drift:{layer.name}") if layer else None
    if layer is None or history is None or not len(history):
        return ""
    return f" · {layer.name}: from {history.last[0]:.2f} to {history.latest:.2f} (update {history.x[-1]:,.0f})"


LAYERS = (
    Term(
        "drift",
        "How far a layer's running statistics are from fresh ones. It only describes: what a layer does "
        "to validation is measured by itself, as “alone”.",
        "running − fresh, of means and of variances",
        _drift,
        of_statistics=True,
    ),
    Term(
        "harms, joint, unsure",
        "× harms: the layer alone costs validation accuracy or loss. ! joint: it does only together with "
        "others. ? unsure: too few images to tell. √: it does no harm. –: not measured.",
        "",
        _marks,
        of_statistics=True,
    ),
    Term(
        "alone",
        "What one layer does by itself: it validates with its running statistics, all other layers "
        "with fresh ones. Where accuracy does not suffer, the loss is told.",
        "accuracy(this layer running) − accuracy(all fresh)",
        _alone,
        of_statistics=True,
    ),
    Term(
        "sound in",
        "How many more updates make the running statistics do no harm, if the weights stood still.",
        "after n updates: m^n · running + (1 − m^n) · fresh",
        _sound_in,
        of_statistics=True,
    ),
    Term(
        "variance ×",
        "How many times too large (×) or too small (÷) the running variances are, on average over "
        "channels. ×÷: too large in some channels, too small in others.",
        "exp(mean of |ln((running + ε) / (fresh + ε))|)",
        _variance,
        of_statistics=True,
    ),
    Term(
        "mean gap",
        "How far the running means are from the fresh ones, on average over the layer's channels.",
        "mean of |running mean − fresh mean| / σ",
        _mean_gap,
        of_statistics=True,
    ),
    Term(
        "worst",
        "The mean gap of the channel that is furthest off.",
        "largest |running mean − fresh mean| / σ",
        _worst,
        of_statistics=True,
    ),
    Term(
        "σ (sigma)",
        "Standard deviation: how far a channel's values usually are from their mean. Mean gaps are "
        "counted in it, so that layers can be compared.",
        "σ = √(fresh variance + ε)",
        of_statistics=True,
    ),
    Term(
        "network error (net err)",
        "How different the layer's output is in validation from what it is in training, with all layers "
        "before it stale too.",
        "RMS of the difference / RMS of the output",
        _net_err,
        of_statistics=True,
    ),
    Term(
        "output error",
        "How different the layer's output is in validation from training, if everything before it were "
        "right; in its own units.",
        "RMS of output in validation − output in training",
        _output_error,
        of_statistics=True,
    ),
    Term(
        "channels (ch)",
        "A layer's channels are its feature maps, or its units. Each has its own mean and variance.",
        "",
        _channels,
    ),
    Term(
        "dead (quiet)",
        "A channel whose values hardly vary, so that it puts out little.",
        "fresh variance < ε / 10",
        _quiet,
        of_statistics=True,
    ),
    Term(
        "trend",
        "How far off the layer's variances were since the start, oldest first. Lower bars are better.",
        "mean of |ln((running + ε) / (fresh + ε))|",
        _trend,
        of_statistics=True,
    ),
    Term(
        "not finite",
        "A channel with a number that is infinite or not a number (NaN). It stays so.",
    ),
)
