"""One of every measurement that a run may show, and a network's channels."""

from dataclasses import replace
from typing import Any

import numpy as np

from bntui.core.measured import (
    ChannelExchange,
    ChannelExchanges,
    Channels,
    ChannelValues,
    DataCheck,
    Exchange,
    Exchanges,
    Floats,
    LayerShift,
    LayersWaiting,
    Noise,
    Recalibration,
    Score,
    Validation,
    Waiting,
)
from bntui.core.snapshot import Divergence
from bntui.core.watched import Found, Watched
from bntui.measure.hindsight import Moment, Moments
from tests.ui.scripted import difference, validation

WATCHED = Watched(
    "train.py --epochs 9",
    "ResNet",
    momentum=0.1,
    batch_size=32,
    learning_rate=0.1,
    findings=(Found("lag", "unsound", "running statistics lag", ("3 apart.",), ("Wait.",)),),
    control=True,
)
GAP = difference(-0.3, 0.2)
SCORE = Score(0.5, 0.9, (10,) * 10)


def channels(count: int, seed: int = 0) -> Channels:
    """Return a layer's channels with all that they are made of: every number is another."""
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> Floats:
        return rng.standard_normal(shape).astype(np.float32)

    values = ChannelValues(
        running=some(2, count),
        fresh=some(2, count),
        before=some(2, count),
        batch=some(2, count),
        kept=0.9,
        scale=some(count),
        shift=some(count),
        epsilon=1e-5,
    )
    return Channels(
        mean_gap=some(count),
        log_var_ratio=some(count),
        mean_start=some(count),
        variance_start=some(count),
        variance_rest=some(count),
        quiet=some(count),
        values=values,
    )


def with_channels(update: int, seed: int = 0) -> Validation:
    """Return a validation whose layers have all of their channels."""
    whole = validation(update=update)
    return replace(
        whole,
        layers=tuple(
            replace(layer, detail=channels(layer.channels, seed)) for layer in whole.layers
        ),
    )


def everything(update: int) -> dict[str, Any]:
    """Return one of every measurement, by its field of a snapshot."""
    moments = Moments(("0.9", "0.99", "cumulative"))
    for at in (1, 2, update):
        moments.append(Moment(at, (0.5, 0.6, 0.7), 0.2, 0.9, 0.97, (GAP,) * 3, (GAP,) * 3, 0.9))
    look = Moments(("0.9", "0.99"))
    look.append(Moment(update, (0.5, 0.6), 0.2, 0.9, 0.97, (GAP,) * 2, (GAP,) * 2, 0.99))
    return {
        "validation": with_channels(update),
        "hindsight": moments.view(200),
        "what_if": look.view(1000),
        "exchanges": Exchanges(update, 1000, SCORE, SCORE, GAP, (Exchange("conv1_bn", GAP, GAP),)),
        "waiting": Waiting(update, 1000, SCORE, ((1.0, 0.5, 0.3), (2.0, 0.6, 0.2)), 4.0, 0.99),
        "layers_waiting": LayersWaiting(update, 1000, (("conv1_bn", 3.0),)),
        "data_check": DataCheck(
            *(update, 1000, SCORE, SCORE, 0.5, 1000, SCORE, GAP, SCORE, 1000),
            (LayerShift("input", 0.1, 0.2),),
        ),
        "channel_exchanges": ChannelExchanges(
            update, 1000, (ChannelExchange("conv1_bn", 3, low_variance=True, alone=GAP),)
        ),
        "recalibration": Recalibration(update, 0.1, 0.9, applied=False, images=1000),
        "recalibrated": Recalibration(update, 0.1, 0.9, applied=True, images=1000),
        "noise": Noise(update, 12.5, 16, 3, 1.0, 50.0, 4.0, 40.0),
        "divergence": Divergence(update, "conv1_bn"),
        "watched": WATCHED,
    }
