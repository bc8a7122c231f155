"""Whether validation images differ from training images, and are known less well.

Told by exchanging images under the same weights and statistics, and by statistics of both in every
BN layer and of every pixel. Nothing here is a cure; validation images never normalise themselves.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from bntui.core.measured import DataCheck, LayerShift
from bntui.measure.counterfactuals import Statistics
from bntui.measure.drift import shift, shifts
from bntui.measure.evaluation import Outcome, evaluate
from bntui.measure.subject import Samples, Subject

INPUT = "input"
PIXEL_EPSILON = 0.01
"""Added to the variance of a pixel, in those of all pixels: one that is nearly always black is no
alarm."""


class InputShift:
    """How far validation images are from training images pixel by pixel; measured once, when asked.

    Both are (N, C, H, W), standardised as the run's are.
    """

    def __init__(self, training: Tensor, validation: Tensor) -> None:
        self._images = training, validation
        self._found: LayerShift | None = None

    def __call__(self) -> LayerShift:
        """Return the shift of the input."""
        if self._found is None:
            training, validation = (_pixels(images) for images in self._images)
            epsilon = torch.tensor(PIXEL_EPSILON, device=training.device)
            self._found = shift(INPUT, training, validation, epsilon)
        return self._found


def _pixels(images: Tensor) -> Tensor:
    """Return the means and biased variances (2, P) of every pixel of (N, …)."""
    variance, mean = torch.var_mean(images.flatten(1), 0, correction=0)
    return torch.stack([mean, variance])


def check_data(
    subject: Subject,
    update: int,
    statistics: Statistics,
    validation: Samples,
    training: Samples,
    statistics_images: int,
    input_shift: Callable[[], LayerShift],
    check_stop: Callable[[], None],
) -> DataCheck:
    """Compare `training` with `validation` samples under the weights at hand; changes nothing.

    `training` are samples that fresh statistics were taken from: so both kinds of statistics suit
    them, and what validation samples lack beside them is not the statistics' fault.
    """
    layers = subject.layers
    own = subject.collect(validation.inputs) if layers else statistics.fresh
    check_stop()
    fresh, under_own = evaluate(subject, [statistics.fresh, own], validation, check_stop)
    training_running, training_fresh = evaluate(
        subject, [statistics.running, statistics.fresh], training, check_stop
    )
    trained, classes = subject.training.targets, subject.scoring.classes
    return DataCheck(
        update=update,
        images=len(validation),
        fresh=fresh.score,
        own=under_own.score,
        as_trained=_as_trained(fresh, validation.targets, trained, classes),
        training_images=len(training),
        training_fresh=training_fresh.score,
        training=training_running.less(training_fresh),
        training_running=training_running.score,
        statistics_images=statistics_images,
        shifts=(input_shift(), *shifts(layers, statistics.fresh, own)),
    )


def _as_trained(outcome: Outcome, labels: Tensor, trained: Tensor, classes: int) -> float:
    """Return the accuracy if classes were as frequent as among the labels trained on.

    Classes without a validation image are left out of both.
    """
    here = torch.bincount(labels, minlength=classes).cpu().double()
    there = torch.bincount(trained, minlength=classes).cpu().double() * (here > 0)
    right = torch.bincount(labels.cpu(), outcome.correct.double(), minlength=classes)
    return float((right / here.clamp_min(1.0) * there).sum() / there.sum().clamp_min(1.0))
