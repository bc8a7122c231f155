"""Momentum in the other convention, or far too small. It is torch's: the share of the new value."""

import torch

from bntui.core.text import exact
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.harm import RECALIBRATE, compared, harmed, helped_by, named
from bntui.probe.numbers import percent, spanned
from bntui.probe.probed import Probed

OTHER_CONVENTION = 0.9
"""torch's momentum from which on an update keeps at most a tenth of the old statistics."""
LEFT = 0.3
"""The share of the start values that explains by itself what is wrong in half precision."""
TOO_SMALL = 0.01
"""torch's momentum below which statistics take hundreds of updates to move."""


def _moved_little(probed: Probed, place: int) -> bool:
    """Tell whether so small a momentum is what kept a layer's statistics from moving.

    In half precision updates are lost in rounding, too: there much of the start values must be left.
    """
    state = probed.states[place]
    half = state.dtype in {torch.float16, torch.bfloat16}
    return not half or state.start_left is None or state.start_left > LEFT


def momentum(probed: Probed) -> list[Finding]:
    """Name a momentum that is in the other convention, or far too small."""
    places = [p for p in probed.training_places() if probed.states[p].momentum is not None]
    if not places:
        return []
    harm = harmed(probed)
    cure = (RECALIBRATE,) if harm else ()
    momenta = {place: probed.states[place].momentum or 0.0 for place in places}
    large = [place for place in places if momenta[place] >= OTHER_CONVENTION]
    if large:
        severity = Severity.UNSOUND if harm and helped_by(probed, large) else Severity.WARNING
        momentum = max(momenta[place] for place in large)
        evidence = (
            f"torch's momentum is {exact(momentum)} in {named(probed, large)}: every update keeps only "
            f"{1.0 - momentum:.3g} of the old statistics, so they are those of the last batch.",
            compared(probed),
        )
        remedy = (
            f"layer.momentum = {exact(round(1.0 - momentum, 12)) if momentum < 1.0 else 0.1}: torch's is "
            "the share of the new value, Keras's that of the old one"
        )
        return [Finding(Cause.MOMENTUM_CONVENTION, severity, evidence, (remedy, *cure))]
    small = [
        place for place in places if momenta[place] < TOO_SMALL and _moved_little(probed, place)
    ]
    never = [place for place in small if momenta[place] == 0.0]
    if (harm and helped_by(probed, small)) or never:
        left = [one for place in small if (one := probed.states[place].start_left) is not None]
        kept = (
            f", and {percent(max(left))} of the start values is left"
            if left and max(left) > 0.005
            else ""
        )
        updates = {u for place in small if (u := probed.states[place].updates) is not None}
        after = f" after {spanned(updates, 'update')}" if updates else ""
        momentum = max(momenta[place] for place in small)
        evidence = (
            f"torch's momentum is {exact(momentum)} in {named(probed, small)}: the statistics take in "
            f"{'nothing' if not momentum else f'{100 * momentum:.3g} %'} of each batch{after}{kept}.",
            compared(probed),
        )
        severity = Severity.UNSOUND if harm and helped_by(probed, small) else Severity.WARNING
        remedies = ("layer.momentum = 0.1 (torch's: the share of the new value)", *cure)
        return [Finding(Cause.MOMENTUM_TOO_SMALL, severity, evidence, remedies)]
    return []
