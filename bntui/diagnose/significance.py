"""When two evaluations of the same images differ, and when that matters. Imports no torch.

A difference is real beyond two standard errors of a paired comparison. It matters if a person would
act on it: five points of accuracy, or a loss that is higher by a tenth of a nat and by a quarter.
"""

import math

from bntui.core.measured import Difference, Score

GAP = 0.05
"""Accuracy that matters."""
LOSS_GAP = 0.1
"""Loss that matters: the right class of an image is some 10 % less probable, …"""
LOSS_SHARE = 0.25
"""… and so much of the loss it is compared with."""
ERRORS = 2.0
"""Standard errors from which on a difference is real."""


def harms(exchanged: Difference) -> bool:
    """Tell whether the first of two evaluations is worse, by a difference that is real and matters.

    Loss counts beside accuracy, unless accuracy is better for certain: on images of one class a network
    that always predicts it is right more often, at a higher loss.
    """
    if loses_accuracy(exchanged):
        return True
    better = exchanged.accuracy > ERRORS * exchanged.accuracy_error
    loss = exchanged.loss
    return loss > _matters(exchanged) and loss > _loss_error(exchanged) and not better


def loses_accuracy(exchanged: Difference) -> bool:
    """Tell whether it is accuracy that the first of two evaluations loses.

    One image is taken off: Edwards' continuity correction of McNemar's test.
    """
    lost = -exchanged.accuracy
    one = 1.0 / exchanged.images if exchanged.images else math.inf
    return lost > GAP and lost - one > ERRORS * exchanged.accuracy_error


def helps(exchanged: Difference) -> bool:
    """Tell whether the first of two evaluations is better, by a difference that is real and matters."""
    return harms(swapped(exchanged))


def undecided(exchanged: Difference) -> bool:
    """Tell whether so few images can't say if the first of two evaluations is worse.

    Neither accuracy nor loss shows a harm, and neither rules one out.
    """
    if harms(exchanged):
        return False
    accuracy = -exchanged.accuracy + ERRORS * exchanged.accuracy_error <= GAP
    loss = exchanged.loss + _loss_error(exchanged) <= _matters(exchanged)
    return not (accuracy or loss)


def swapped(difference: Difference) -> Difference:
    """Return the second evaluation less the first."""
    return Difference(
        -difference.accuracy,
        difference.accuracy_error,
        -difference.loss,
        difference.loss_error,
        difference.images,
        difference.of_loss + difference.loss,
    )


def share(part: Score, none: Score, whole: Score, *, by_loss: bool) -> float:
    """Return how much of the way from `none` to `whole` is made by `part`; NaN where there is none.

    (part − none) / (whole − none): below 0 where it makes things worse, above 1 where it does more.
    """
    if by_loss:
        way, made = whole.loss - none.loss, part.loss - none.loss
    else:
        way, made = whole.accuracy - none.accuracy, part.accuracy - none.accuracy
    return made / way if way else math.nan


def _matters(exchanged: Difference) -> float:
    return max(LOSS_GAP, LOSS_SHARE * exchanged.of_loss)


def _loss_error(exchanged: Difference) -> float:
    """Return two standard errors of the loss, more for few images: Student's t at 97.5 %, within 3 %."""
    freedom = max(1, exchanged.images - 1)
    return (ERRORS + 2.7 / freedom + 8.0 / freedom**3) * exchanged.loss_error
