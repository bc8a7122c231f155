"""What is said where batch norm's statistics are not to blame: other data, overfitting, or nothing."""

import math

from bntui.diagnose.other_causes import LEARNED, SHIFTED, SHIFTED_LOG_VARIANCE
from bntui.diagnose.significance import ERRORS, GAP, harms, undecided
from bntui.measure.drift import shifts
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.harm import by_mode, compared, modes_apart, told
from bntui.probe.numbers import counted
from bntui.probe.probed import Probed


def elsewhere(probed: Probed) -> list[Finding]:
    """Judge a model that nothing unsound was found of."""
    if question := open_question(probed):
        return [question]
    if modes_apart(probed):
        said = "Neither running nor fresh statistics explain the difference between the modes."
        remedies = ("look at what else depends on the mode: other layers, the loader, the forward",)
        evidence = (by_mode(probed), compared(probed), said)
        return [Finding(Cause.UNDECIDED, Severity.UNDECIDED, evidence, remedies)]
    other = _against_training(probed)
    if other:
        return [other]
    return [Finding(Cause.SOUND, Severity.REMARK, (compared(probed),))]


def open_question(probed: Probed) -> Finding | None:
    """Say why running and fresh statistics can't be told apart; None where they can."""
    if probed.running is None or probed.fresh is None or probed.harm is None:
        said = f"Whether the running statistics fit was not measured: {_why_not(probed)}."
        return Finding(Cause.UNDECIDED, Severity.UNDECIDED, (said,))
    if undecided(probed.harm):
        number = len(probed.fresh)
        evidence = (
            compared(probed),
            f"{counted(number, 'sample')} can't tell the two apart: too few.",
        )
        remedies = ("validate on more samples",)
        return Finding(Cause.UNDECIDED, Severity.UNDECIDED, evidence, remedies)
    return None


def _why_not(probed: Probed) -> str:
    """Say why running and fresh statistics were not compared."""
    if not probed.states:
        return "no layer has any"
    if not any(probed.called):
        return f"the model calls none of its {len(probed.states):,} layers with such"
    if probed.training is None:
        return "give training batches"
    return "there are no fresh ones"


def _against_training(probed: Probed) -> Finding | None:
    """Compare validation with training samples, both in eval mode under fresh statistics."""
    trained, fresh = probed.on_training, probed.fresh
    if trained is None or fresh is None or probed.running is None:
        return None
    bounded = all(0.0 <= one.score <= 1.0 for one in (trained, fresh))
    if not bounded:
        return None
    best = max(fresh.score, probed.running.score)
    gap = trained.score - best
    chance = math.sqrt(
        max(best * (1 - best), 0.01) / len(fresh)
        + max(trained.score * (1 - trained.score), 0.0) / len(trained)
    )
    numbers = (
        f"In eval mode under fresh statistics training samples get {trained.score:.3f}, validation samples "
        f"{fresh.score:.3f} ({len(trained):,} and {len(fresh):,})."
    )
    classes = probed.classes
    if classes and max(trained.score, best) < 1.0 / classes + LEARNED:
        said = f"Guessing one of {classes} classes gets {1 / classes:.3f}: little is learned."
        remedies = ("train on; if it stays so, it is a problem of optimisation or of labels",)
        return Finding(
            Cause.NOT_LEARNED, Severity.REMARK, (numbers, said, compared(probed)), remedies
        )
    if gap > 2.0 * GAP and gap > ERRORS * chance:
        return _worse_than_training(probed, gap, numbers)
    return None


def _worse_than_training(probed: Probed, gap: float, numbers: str) -> Finding:
    fresh, own = probed.fresh, probed.own
    assert fresh is not None
    evidence = [compared(probed), numbers]
    cures = own is not None and harms(fresh.less(own)) and own.score - fresh.score >= gap / 2.0
    furthest = _furthest_shift(probed)
    if own is not None:
        evidence.append(
            f"Under the statistics of the validation samples themselves it would be {told(own, probed)}: a "
            "diagnosis, no cure."
        )
    if furthest:
        evidence.append(furthest)
    if cures or furthest:
        remedies = (
            "look at the data: training and validation samples are not prepared alike (augmentation does "
            "that, too)",
        )
        return Finding(Cause.VALIDATION_DIFFERS, Severity.REMARK, tuple(evidence), remedies)
    evidence.append("The statistics of both differ no more than chance and training make them.")
    remedies = ("more data, augmentation or regularisation: no statistics are at fault",)
    return Finding(Cause.OVERFITTING, Severity.REMARK, tuple(evidence), remedies)


def _furthest_shift(probed: Probed) -> str | None:
    """Say in which layer, but for the last, validation's statistics are further off than chance allows."""
    found = probed.collected
    if probed.own_row is None or probed.fresh_row is None or found is None:
        return None
    images = sum(1.0 / max(1, count) for count in (found.samples, len(probed.fresh or ())))
    chance = 0.8 * math.sqrt(images)
    order = [place for place, one in enumerate(probed.called) if one]
    each = shifts(probed.layers, probed.fresh_row, probed.own_row)
    candidates = [each[place] for place in order[:-1]]
    if not candidates:
        return None

    def far(mean_gap: float, log_var_off: float) -> float:
        return max(
            mean_gap / (SHIFTED + chance), log_var_off / (SHIFTED_LOG_VARIANCE + 2.0 * chance)
        )

    worst = max(candidates, key=lambda one: far(one.mean_gap, one.log_var_off))
    if far(worst.mean_gap, worst.log_var_off) <= 1.0:
        return None
    return (
        f"In layer {worst.name} their means are {worst.mean_gap:.2f} σ apart, the logarithms of their variances "
        f"{worst.log_var_off:.2f}."
    )
