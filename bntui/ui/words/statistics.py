"""Terms of running statistics: what they cost validation, what is left of their start, what repairs them."""

import math

import numpy as np

from bntui.core import rules
from bntui.core.estimators import short
from bntui.core.measured import Hindsight, Score, Validation
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact, percent
from bntui.diagnose.health import in_updates
from bntui.diagnose.significance import harms
from bntui.ui.words.layers import last_step
from bntui.ui.words.term import Shown, Term

_SAME = 1e-4
"""Relative difference up to which a share of the start value is the power of one momentum."""


def _accuracy(score: Score, validation: Validation) -> str:
    if math.isnan(score.accuracy):
        return " is not a number" if validation.images else ""
    right = round(score.accuracy * validation.images)
    return f" = {right:,} / {validation.images:,} = {score.accuracy:.3f}"


def _running(shown: Shown) -> str:
    validation = shown.snapshot.validation
    return _accuracy(validation.running, validation) if validation else ""


def _fresh(shown: Shown) -> str:
    validation = shown.snapshot.validation
    return _accuracy(validation.fresh, validation) if validation else ""


def _less(one: float, other: float) -> str:
    """Write a difference of two accuracies so that the three figures add up as they are written."""
    found = round(one, 3) - round(other, 3)
    return f" = {one:.3f} − {other:.3f} = {found:.3f}".replace("= -", "= −")


def _lost(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None or math.isnan(validation.running.accuracy + validation.fresh.accuracy):
        return ""
    return _less(validation.fresh.accuracy, validation.running.accuracy)


def _stale(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None or not validation.difference.images:
        return ""
    return " · they do harm" if harms(validation.difference) else " · no harm was measured"


def _batch_norm_channels(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None:
        return ""
    channels = sum(layer.channels for layer in validation.layers)
    return f" · {channels:,} of each, in {len(validation.layers)} layers"


def _start(shown: Shown) -> str:
    snapshot, validation = shown.snapshot, shown.snapshot.validation
    if validation is None or not validation.layers:
        return ""
    left, update = validation.layers[0].start_left, validation.update
    if not left and snapshot.recalibrated:
        return f" = 0 % since the recalibration at update {snapshot.recalibrated.update:,}"
    if not left and rules.forgets_start(snapshot.knobs):
        return f" = 0 %: the estimator {snapshot.knobs.estimator} keeps none"
    share = rules.kept(snapshot.config, snapshot.knobs)
    power = f" = {exact(round(share, 6))}^{update:,}" if _is_power(left, share, update) else ""
    return f"{power} = {percent(left)}"


def _is_power(left: float, share: float, update: int) -> bool:
    """Tell whether the momentum of now, at every update so far, leaves this much of the start value."""
    return math.isclose(left, share**update, rel_tol=_SAME * max(1, update))


def _lag(shown: Shown) -> str:
    validation = shown.snapshot.validation
    scores = (validation.running, validation.fresh) if validation else ()
    if (
        validation is None
        or not validation.layers
        or any(math.isnan(one.accuracy) for one in scores)
    ):
        return ""
    without = validation.corrected or validation.running  # nothing of the start value is left
    return _less(validation.fresh.accuracy, without.accuracy)


def _recalibration(shown: Shown) -> str:
    done = shown.snapshot.recalibration
    if done is None:
        return " · none yet: c does it, C only measures what it would give"
    how = "" if done.applied else "it would give "
    return f" · {how}{done.before:.3f} → {done.after:.3f} (update {done.update:,})"


def _momentum(shown: Shown) -> str:
    share = rules.momentum(shown.snapshot.config, shown.snapshot.knobs)
    return f" = {_weighted(share)}{last_step(shown)}"


def _weighted(share: float) -> str:
    """Write a step of the running statistics that keeps a share of them."""
    kept = round(share, 4)
    return f"{exact(kept)} · running + {exact(round(1.0 - kept, 4))} · batch"


def _remembers(shown: Shown) -> str:
    share = rules.momentum(shown.snapshot.config, shown.snapshot.knobs)
    updates = in_updates(1.0 / (1.0 - share))
    return f" = 1 / {exact(round(1.0 - share, 6))} = {updates} update{'s' * (updates != '1')}"


def validates(snapshot: Snapshot, row: str) -> str:
    """Say how the newest weights of the map validate under one of its rows; nothing if there is none."""
    hindsight = snapshot.hindsight
    if hindsight is None or row not in hindsight.names:
        return ""
    value = hindsight.accuracy[hindsight.names.index(row), -1]
    return f" · validates at {value:.3f} {_when(hindsight)}"


def _when(hindsight: Hindsight) -> str:
    return f"({hindsight.images:,} images, update {hindsight.updates[-1]:,.0f})"


def _corrected(shown: Shown) -> str:
    return validates(shown.snapshot, "bias-corrected")


def _cumulative(shown: Shown) -> str:
    update = shown.snapshot.update
    if not update:
        return ""
    kept = _weighted(1.0 - 1.0 / update)
    return f" = {kept} at update {update:,}{validates(shown.snapshot, 'cumulative')}"


def _warm_up(shown: Shown) -> str:
    update, momentum = shown.snapshot.update, shown.snapshot.knobs.momentum
    if not update:
        return ""
    used = min(momentum, round(1.0 - 1.0 / update, 4))
    return (
        f" = min({exact(momentum)}, 1 − 1/{update:,}) = {exact(used)}"
        f"{validates(shown.snapshot, 'warm-up')}"
    )


def _scaled(shown: Shown) -> str:
    config, knobs = shown.snapshot.config, shown.snapshot.knobs
    moved = float(knobs.momentum ** (knobs.batch_size / config.base_batch))
    return (
        f" = {exact(knobs.momentum)}^({knobs.batch_size:,} / {config.base_batch:,}) = {moved:.3g}"
    )


def _hindsight(shown: Shown) -> str:
    hindsight = shown.snapshot.hindsight
    if not shown.snapshot.config.has_hindsight:
        return " · not here: batch renorm trains with its running statistics"
    if hindsight is None:
        return ""
    if hindsight.distance:
        return ""
    constant = [place for place, name in enumerate(hindsight.names) if name[0].isdigit()]
    newest = hindsight.accuracy[:, -1]
    best = max(constant, key=lambda place: np.nan_to_num(newest[place], nan=-1.0))
    return (
        f" · momentum {hindsight.names[best]} gives {newest[best]:.3f}, this run's "
        f"{exact(hindsight.momentum[-1])} gives {hindsight.own[-1]:.3f} {_when(hindsight)}"
    )


def _what_if(shown: Shown) -> str:
    found = shown.snapshot.what_if
    if found is None:
        return ""
    if found.distance:
        return ""
    return f" · this run {found.own[0]:.3f}, fresh {found.fresh[0]:.3f} {_when(found)}"


def _flips(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None or not validation.flipped_images:
        return ""
    return f" = {percent(validation.flipped)} of {validation.flipped_images:,} images"


STATISTICS = (
    Term(
        "running",
        "Validation as you get it: batch norm uses its running statistics, the means and variances "
        "that it has averaged over the batches of training.",
        "running = right answers / images",
        _running,
        role="running",
    ),
    Term(
        "fresh",
        "Validation of the same weights, with means and variances measured on training images at this "
        "moment. It shows what the weights can do.",
        "fresh = right answers / images",
        _fresh,
        of_statistics=True,
        role="fresh",
    ),
    Term(
        "lost",
        "The accuracy that validation loses to its running statistics alone. The weights are not to "
        "blame for it: fresh statistics bring it back.",
        "lost = fresh − running",
        _lost,
        of_statistics=True,
    ),
    Term(
        "stale",
        "Running statistics are stale if they do not fit the weights: because part of them is still "
        "the start value (start), or because the weights have moved on (lag).",
        "",
        _stale,
        of_statistics=True,
    ),
    Term(
        "averages (running statistics)",
        "What batch norm remembers: a running mean and a running variance of every channel, averaged over "
        "the batches of training. Validation uses them in place of the batch's own.",
        "",
        _batch_norm_channels,
        of_statistics=True,
    ),
    Term(
        "start (start left, start value)",
        "Running means begin at 0 and running variances at 1, whatever the images are. Start is the "
        "share of these first values that is still in the running statistics.",
        "start left = momentum ^ updates",
        _start,
        of_statistics=True,
    ),
    Term(
        "lag",
        "What is lost because an average over past updates trails behind weights that change, and "
        "because every batch is a chance sample (noise).",
        "lag = fresh − running without its start value",
        _lag,
        of_statistics=True,
    ),
    Term(
        "recalibration",
        "Replaces the running statistics by fresh ones, of several batches. The weights stay as they are.",
        "running ← fresh",
        _recalibration,
        of_statistics=True,
    ),
    Term(
        "momentum",
        "The share of its old value that a running mean or variance keeps at an update; the batch's "
        "value makes up the rest.",
        "running ← m · running + (1 − m) · batch",
        _momentum,
        of_statistics=True,
    ),
    Term(
        "remembers",
        "Over how many updates, roughly, the running statistics average. A short memory forgets the "
        "start value soon; a long one is less noisy.",
        "updates = 1 / (1 − m)",
        _remembers,
        of_statistics=True,
    ),
    Term(
        f"bias-corrected ({short('bias-corrected')})",
        "The average at this run's momentum with the start value divided out, as Adam does.",
        "(running − P · start value) / (1 − P), where P = start left",
        _corrected,
        of_statistics=True,
    ),
    Term(
        f"cumulative ({short('cumulative')})",
        "The plain average of all batches so far. Each counts the same.",
        "running ← (1 − 1/t) · running + 1/t · batch at update t",
        _cumulative,
        of_statistics=True,
    ),
    Term(
        f"warm-up ({short('warm-up')})",
        "A momentum that begins at 0 and rises, so that the first batch replaces the start value.",
        "m = min(momentum, 1 − 1/t) at update t",
        _warm_up,
        of_statistics=True,
    ),
    Term(
        "scaled",
        "The momentum, fitted to the batch size: equally many images are averaged at any batch size.",
        "m = momentum ^ (batch size / base batch)",
        _scaled,
        of_statistics=True,
    ),
    Term(
        "hindsight",
        "Training never uses the running statistics. So one run keeps them for every momentum, and "
        "validates the same weights with each.",
        "",
        _hindsight,
        of_statistics=True,
    ),
    Term(
        "what if",
        "w validates the weights of this moment with the running statistics of every momentum. ← → "
        "shows the past under another one, and enter uses it.",
        "",
        _what_if,
        of_statistics=True,
    ),
    Term(
        "flips",
        "An answer flips if the network gives another one in validation than in training mode.",
        "flips = images with another answer / images",
        _flips,
        of_statistics=True,
    ),
)
