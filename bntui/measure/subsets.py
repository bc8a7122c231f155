"""Which samples a run is measured on: fixed, so that curves move with the weights and not with them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bntui.measure.random_streams import Drawn, stream
from bntui.measure.subject import Samples, Subject, stratified

FRESH_IMAGES = 1024
"""Training images that fresh statistics are taken from, in one pass."""
LIVE_IMAGES = 1000
"""Validation images of a live validation, at most."""
FEW_IMAGES = 200
"""Validation images of the map of all momenta, of the comparison of whole networks, and of live
answers to what is to blame."""
RECALIBRATION_IMAGES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Subsets:
    """Samples of a subject, for what is measured of it."""

    fresh: Samples
    """Training samples that fresh statistics are taken from."""
    recalibration: Tensor
    """Inputs (N, …) of the training samples that recalibrated statistics are taken from."""
    live: Samples
    """Validation samples of a live validation."""
    few: Samples
    """Fewer of them."""


def draw_subsets(subject: Subject, seed: int) -> Subsets:
    """Return the subsets that belong to a seed."""
    training, validation = subject.training, subject.validation
    draws = stream(seed, Drawn.SAMPLE)
    drawn = torch.randperm(len(training), generator=draws).to(training.inputs.device)
    return Subsets(
        fresh=training[drawn[:FRESH_IMAGES]],
        recalibration=training.inputs[drawn[:RECALIBRATION_IMAGES]],
        live=stratified(validation, LIVE_IMAGES),
        few=stratified(validation, FEW_IMAGES),
    )
