"""What a look finds, as plain values; quickly, by exchanging statistics, without a check's other passes."""

from collections.abc import Iterable
from dataclasses import replace

from bntui.core.config import torch_momentum
from bntui.core.estimators import ROWS
from bntui.core.text import exact
from bntui.core.watched import Found
from bntui.measure.hindsight import Moment
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.check import no_numbers, settled
from bntui.probe.elsewhere import open_question
from bntui.probe.harm import compared
from bntui.probe.momentum import momentum
from bntui.probe.numbers import counted
from bntui.probe.outputs import bad_batches, not_finite
from bntui.probe.probed import Probed
from bntui.probe.report_words import TITLES
from bntui.probe.stale import stale
from bntui.probe.training_modes import not_frozen

STALE = {
    Cause.LAG,
    Cause.START_VALUES,
    Cause.MOMENTUM_TOO_SMALL,
    Cause.MOMENTUM_CONVENTION,
}
"""Causes of which a momentum in hindsight tells more."""


def quick_findings(seen: Probed) -> list[Finding]:
    """Return what is named of a model whose running and fresh statistics were compared."""
    found = not_finite(seen)
    if any(seen.called) and not no_numbers(found):
        found += [one for one in (not_frozen(seen), bad_batches(seen)) if one]
        found += stale(seen, None)
    found = settled(seen, found)
    if not is_unsound(found):
        found.append(
            open_question(seen) or Finding(Cause.SOUND, Severity.REMARK, (compared(seen),))
        )
    return found


def is_unsound(found: Iterable[Finding]) -> bool:
    """Tell whether one of the findings does harm."""
    return any(one.severity is Severity.UNSOUND for one in found)


def as_found(finding: Finding) -> Found:
    """Return a finding as plain values."""
    return Found(
        finding.cause.value,
        finding.severity.value,
        TITLES[finding.cause],
        finding.evidence,
        finding.remedies,
    )


def in_hindsight(finding: Finding, moment: Moment | None, score: str) -> Finding:
    """Return a finding with what the momentum that is recommended would have given."""
    if finding.cause not in STALE or moment is None or not score or moment.recommended is None:
        return finding
    name = f"{moment.recommended:g}"
    if moment.recommended == moment.momentum or name not in ROWS:
        return finding
    given = moment.accuracy[ROWS.index(name)]
    said = (
        f"Had torch's momentum been {exact(torch_momentum(moment.recommended))} all along, {score} would have been "
        f"{given:.3f} at update {moment.update:,}, and {moment.own:.3f} as it is."
    )
    return replace(finding, evidence=(*finding.evidence, said))


def state_findings(seen: Probed) -> list[Finding]:
    """Return what layers' own states tell, without any pass: numbers, momenta, modes."""
    bad = [place for place, state in enumerate(seen.states) if state.non_finite]
    if bad:
        state = seen.states[bad[0]]
        said = (
            f"{state.non_finite} of {seen.layers.channels[bad[0]]} channels of layer {state.name} have a running "
            "mean or variance that is not finite, or a negative variance "
            f"({len(bad)} of {counted(len(seen.states), 'layer')})."
        )
        remedy = "look for a training batch with NaN or inf, or lower the learning rate"
        return [Finding(Cause.NON_FINITE, Severity.UNSOUND, (said,), (remedy,))]
    others = (not_frozen(seen), _never_trained(seen))
    return [*momentum(seen), *(one for one in others if one)]


def _never_trained(seen: Probed) -> Finding | None:
    """Name layers at their start values that training has not called."""
    layers = zip(seen.states, seen.called, strict=True)
    idle = [state for state, called in layers if state.untouched and not called]
    if not idle:
        return None
    names = ", ".join(state.name for state in idle[:3]) + (" …" if idle[3:] else "")
    evidence = (
        f"{len(idle)} of {counted(len(seen.states), 'layer')} are at exactly mean 0, variance 1, and no pass of "
        f"training has called them: {names}.",
        "Whether eval mode calls them was not measured.",
    )
    remedy = "if it does: call the layers themselves in training, too"
    return Finding(Cause.PARTLY_UNTOUCHED, Severity.WARNING, evidence, (remedy,))
