"""Causes in the modes that modules have in training: dropout before BN, and layers that are frozen by half."""

from torch import nn

from bntui.diagnose.significance import ERRORS, harms
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.collected import collect
from bntui.probe.harm import harmed, helped_by, told
from bntui.probe.numbers import counted
from bntui.probe.probed import Probed

SMALL_GAIN = 0.01
"""The gain of a score that is told, if it is real: dropout shifts statistics by a little, always the same way."""


def dropout_shift(probed: Probed) -> Finding | None:
    """Name dropout before BN: fresh statistics with it on against off, where there is any."""
    if probed.fresh_row is None or probed.fresh is None or probed.collected is None:
        return None
    names = [
        name
        for name, module in probed.model.named_modules()
        if isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0.0
    ]
    if not names or not probed.trains_randomly:
        return None
    batches = probed.training_batches()
    rows = collect(probed, batches, training=probed.training_layers).rows
    if not rows:
        return None
    off = probed.evaluate(probed.pooled(rows))
    gain = off.less(probed.fresh)
    by_score = gain.accuracy > max(ERRORS * gain.accuracy_error, SMALL_GAIN)
    by_size = gain.of_loss == 1.0 and -gain.loss > max(ERRORS * gain.loss_error, 2.0 * SMALL_GAIN)
    if not (by_score or by_size or harms(probed.fresh.less(off))):
        return None
    evidence = (
        f"Under fresh statistics taken with dropout on validation is {told(probed.fresh, probed)}, with it "
        f"off {told(off, probed)}: eval mode has no dropout, such as that of {names[0]}.",
    )
    remedies = (
        "put dropout after the last BN layer",
        "bntui.recalibrate(model, training) with dropout in eval mode",
    )
    severity = Severity.UNSOUND if harms(probed.fresh.less(off)) else Severity.WARNING
    return Finding(Cause.DROPOUT_SHIFT, severity, evidence, remedies)


def not_frozen(probed: Probed) -> Finding | None:
    """Name layers whose weights are frozen while their statistics are in training mode."""
    places = [
        place
        for place, state in enumerate(probed.states)
        if state.fixed and state.training and probed.called[place]
    ]
    if not places:
        return None
    names = ", ".join(probed.layers.names[place] for place in places[:3])
    evidence = [
        f"{len(places)} of {counted(len(probed.states), 'layer')} take no gradient (requires_grad=False) but are in "
        f"training mode, so that every batch moves their statistics: {names}{' and others' if places[3:] else ''}."
    ]
    severity = Severity.WARNING
    if harmed(probed) and (helped := helped_by(probed, places)):
        severity = Severity.UNSOUND
        evidence.append(helped)
    remedy = (
        "after every model.train(): layer.eval() for each frozen BN layer (or FrozenBatchNorm2d); load "
        "their statistics again from the checkpoint of these weights"
    )
    return Finding(Cause.NOT_FROZEN, severity, tuple(evidence), (remedy,))
