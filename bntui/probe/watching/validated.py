"""A validation of a watched model's weights, under running and under fresh statistics."""

import math
from dataclasses import replace

import torch

from bntui.core.measured import NOT_COMPARED, LayerDrift, Score, Validation
from bntui.measure.drift import drift
from bntui.measure.estimators import CORRECTED
from bntui.probe.layer_errors import network_errors
from bntui.probe.probed import Probed
from bntui.probe.scoring import Scored
from bntui.probe.watching.counted import Counted

LEAST_START = 1e-4
"""The share of the start values from which on statistics are also tried without it."""
NO_SCORE = Score(math.nan, math.nan, ())


def validated(seen: Probed, statistics: Counted, update: int, *, scored: bool) -> Validation:
    """Return what a look has measured of a model; scores are NaN where nothing is `scored`."""
    layers = _layers(seen, statistics)
    if not scored or seen.running is None:
        return Validation(update, 0, NO_SCORE, NO_SCORE, layers)
    running, fresh = seen.running, seen.fresh
    corrected = None
    if statistics.start_left > LEAST_START:
        unstarted = statistics.row(CORRECTED).to(seen.layers.device)
        corrected = score_of(seen.evaluate(unstarted), seen.classes)
    flipped = running.flipped(fresh) if fresh else None
    return Validation(
        update,
        len(running),
        score_of(running, seen.classes),
        score_of(fresh, seen.classes) if fresh else NO_SCORE,
        layers,
        flipped or 0.0,
        0 if flipped is None else len(running),
        seen.harm or NOT_COMPARED,
        corrected,
    )


def score_of(scored: Scored, classes: int) -> Score:
    """Return the averages; of other scores than accuracy, too, higher is better."""
    predicted: tuple[int, ...] = ()
    if classes and scored.guesses is not None:
        guesses = scored.guesses.flatten()
        guesses = guesses[guesses >= 0]
        counts = torch.bincount(guesses, minlength=classes)
        predicted = tuple(counts.tolist()) if len(guesses) else ()
    return Score(scored.loss, scored.score, predicted)


def _layers(seen: Probed, statistics: Counted) -> tuple[LayerDrift, ...]:
    """Return every layer's drift, channel by channel; nothing without fresh statistics."""
    if seen.fresh_row is None or not seen.states:
        return ()
    device, left = seen.layers.device, statistics.start_left
    unstarted = statistics.row(CORRECTED).to(device) if left else seen.running_row
    names = statistics.layers.names
    layers = replace(seen.layers, names=names) if len(names) == len(seen.layers) else seen.layers
    errors = network_errors(seen)
    last = statistics.last_move
    return drift(layers, seen.running_row, seen.fresh_row, unstarted, left, errors, last)
