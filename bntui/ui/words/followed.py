"""What terms mean of runs that are followed, and of trainings by other code, where that is something else.

A training that is watched has its own loss, its own momentum in its own convention, and statistics that
may have begun with those of an earlier training. What only a run of bntui's has is told without numbers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from bntui.core.config import torch_momentum
from bntui.core.text import exact, percent
from bntui.core.watched_words import keras_momentum, momentum_words, rate_words
from bntui.diagnose.health import in_updates
from bntui.ui.explorer.looks import is_momentum, looks_of
from bntui.ui.words.layers import last_step
from bntui.ui.words.term import Shown, Term

Numbers = Callable[[Shown], str]


@dataclass(frozen=True, slots=True)
class Other:
    """What takes the place of a term's sentence, letters and numbers; None for what stays."""

    sentence: str | None = None
    letters: str | None = None
    numbers: Numbers | None = None


def worded(term: Term, shown: Shown | None) -> Term:
    """Return a term as it is to be told of what is shown: a followed or watched run may have its own words."""
    if shown is None or not shown.snapshot.followed:
        return term
    name = term.name.partition(" (")[0]
    watched = shown.snapshot.watched
    if watched is None:
        return _with(term, FOLLOWED.get(name))
    others = [FOLLOWED.get(name), WATCHED.get(name)]
    if watched.convention == "torch":
        others.append(TORCHS.get(name))
    if not watched.score:
        others.append(BLIND.get(name))
    elif watched.score != "accuracy":
        others.append(_of_score(name, watched.score))
    for other in others:
        term = _with(term, other)
    term = replace(term, numbers=None) if name in NO_NUMBERS else term
    return _of_samples(term, shown.snapshot.noun)


def _of_samples(term: Term, noun: str) -> Term:
    """Return a term in which what other terms call images is called so, numbers included."""
    numbers = term.numbers
    return replace(
        term,
        sentence=term.sentence.replace("images", noun),
        letters=term.letters.replace("images", noun),
        numbers=numbers and (lambda shown: numbers(shown).replace("images", noun)),
    )


def belongs(name: str, shown: Shown | None) -> bool:
    """Tell whether a term is one of what is shown: a run that is followed has no pace, for one."""
    if shown is None or not shown.snapshot.followed:
        return True
    watched = shown.snapshot.watched
    return name not in NOT_FOLLOWED and not (watched and name in NOT_WATCHED)


def _with(term: Term, other: Other | None) -> Term:
    if other is None:
        return term
    return replace(
        term,
        sentence=term.sentence if other.sentence is None else other.sentence,
        letters=term.letters if other.letters is None else other.letters,
        numbers=other.numbers or term.numbers,
    )


def _of_score(name: str, score: str) -> Other | None:
    """Return the other words of a term about accuracy where that is another score."""
    return Other(letters=f"{name} = {score}", numbers=_score(name)) if name in SCORES else None


def _score(name: str) -> Numbers:
    def numbers(shown: Shown) -> str:
        validation = shown.snapshot.validation
        found = getattr(validation, name).accuracy if validation else math.nan
        return "" if math.isnan(found) else f" = {found:.3f}"

    return numbers


def _momentum(shown: Shown) -> str:
    watched = shown.snapshot.watched
    if watched is None or math.isnan(watched.momentum):
        return " · the layers' momenta differ, or are cumulative"
    return f" · m = {momentum_words(watched)}{last_step(shown)}"


def _best(shown: Shown) -> str:
    """Say what the best momentum would have given, in the convention of the training."""
    hindsight, looks = shown.snapshot.hindsight, looks_of(shown.snapshot)
    if hindsight is None or looks is None or hindsight.distance:
        return ""
    momenta = [name for name in looks.rows if is_momentum(name)]
    last = {name: float(looks.row(name)[-1]) for name in momenta}
    best = max(momenta, key=lambda name: -math.inf if math.isnan(last[name]) else last[name])
    when = f"(update {hindsight.updates[-1]:,.0f})"
    return (
        f" · {looks.called(best)} gives {last[best]:.3f}, this run {hindsight.own[-1]:.3f} {when}"
    )


def _torchs(shown: Shown) -> str:
    """Convert the momentum of a training that counts it as Keras does."""
    watched = shown.snapshot.watched
    if watched is None or math.isnan(watched.momentum):
        return ""
    return f" = 1 − {exact(watched.momentum)} = {exact(torch_momentum(watched.momentum))}"


def _remembers(shown: Shown) -> str:
    watched = shown.snapshot.watched
    kept = keras_momentum(watched) if watched else math.nan
    if math.isnan(kept) or kept >= 1.0:
        return ""
    new = torch_momentum(kept)
    return f" = 1 / {exact(new)} = {in_updates(1.0 / new)} updates"


def _start(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None or not validation.layers:
        return ""
    return f" = {percent(validation.layers[0].start_left)}"


def _rate(shown: Shown) -> str:
    watched = shown.snapshot.watched
    return f" · {rate_words(watched)}" if watched else ""


def _epoch(shown: Shown) -> str:
    snapshot = shown.snapshot
    if not snapshot.epoch:
        return " · the training does not tell of its epochs"
    return f" · epoch {snapshot.epoch:,}, at update {snapshot.update:,}"


def _updates(shown: Shown) -> str:
    count = shown.snapshot.updates_per_epoch
    return f" = {count:,}" if count else " · not known of this training"


def _batch(shown: Shown) -> str:
    watched = shown.snapshot.watched
    known = watched is not None and watched.batch_size
    return f" · {watched.batch_size:,}" if watched and known else " · not known of this training"


def _recalibration(shown: Shown) -> str:
    done = shown.snapshot.recalibration
    if done is None:
        return " · none yet"
    if math.isnan(done.before + done.after):
        return f" · at update {done.update:,}"
    how = "" if done.applied else "it would give "
    return f" · {how}{done.before:.3f} → {done.after:.3f} (update {done.update:,})"


def _distance(shown: Shown) -> str:
    hindsight, watched = shown.snapshot.hindsight, shown.snapshot.watched
    if hindsight is None or not hindsight.distance or watched is None:
        return ""
    own = float(hindsight.own[-1])
    return f" · this run's statistics are {own:.3f} away, a factor of {math.exp(own):.3g}, at update {hindsight.updates[-1]:,.0f}"


SCORES = {"running", "fresh"}
FOLLOWED = {
    "recalibration": Other(numbers=_recalibration),
    "twin": Other(numbers=lambda shown: "" if shown.snapshot.config.twin else " · there is none"),
    "apart": Other(numbers=lambda shown: "" if shown.snapshot.config.twin else " · there is none"),
    "what if": Other(
        "w shows the weights that were looked at last under the running statistics of every momentum. "
        "← → shows the past under another one."
    ),
    "over the charts": Other(
        "A run with ● lies behind this run's curves as a ghost; enter takes it away, R opens it."
    ),
}
"""Of every run that is followed."""
WATCHED = {
    "update": Other(
        "One step of the optimizer: one batch, or several, change the weights and move the running statistics.",
        "updates an epoch",
        _updates,
    ),
    "batch size": Other(
        "How many samples one batch has. The more it is, the fewer updates an epoch has, and the fewer "
        "chances the running statistics get to move away from their start value.",
        "",
        _batch,
    ),
    "epoch": Other(numbers=_epoch),
    "learning rate": Other(numbers=_rate),
    "train": Other("Accuracy of training, as the script tells it: probe.log(accuracy=…).", ""),
    "loss": Other(
        "How wrong the network is in training: what the script logs, or calls backward() on. In validation, "
        "what its outputs give."
    ),
    "fresh": Other(
        "Validation of the same weights, with means and variances of training batches at this moment. "
        "It shows what the weights can do."
    ),
    "start": Other(
        "What the running statistics began with: mean 0 and variance 1, or those of an earlier training. "
        "Start is the share of it that is still in them.",
        "start left = share kept ^ updates",
        _start,
    ),
    "momentum": Other(numbers=_momentum),
    "remembers": Other(numbers=_remembers),
    "hindsight": Other(
        "Training never uses the running statistics. So the watcher keeps them for every momentum, and "
        "validates the same weights with each.",
        numbers=_best,
    ),
    "torch's": Other(numbers=_torchs),
    "measuring": Other("The share of the training's time that watching takes."),
    "ε": Other("A small number that batch norm adds to every variance so that it never divides by zero."),
    "alone": Other(numbers=lambda _: " · not measured by watching"),
    "sound in": Other(numbers=lambda _: " · not measured by watching"),
    "harms, joint, unsure": Other(numbers=lambda _: " · not measured by watching"),
    "▲": Other("The update at which the statistics were recalibrated."),
}  # fmt: skip
"""Of trainings by other code."""
TORCHS = {
    "momentum": Other(
        "As PyTorch counts it: the share of the batch's value that goes into a running mean or variance at an "
        "update. Its old value makes up the rest.",
        "running ← (1 − m) · running + m · batch",
    ),
    "remembers": Other(letters="updates = 1 / m"),
    "warm-up": Other(
        "A share of the new value that begins at 1 and falls to the momentum, so that the first batch replaces "
        "the start value.",
        "m = max(momentum, 1/t) at update t",
    ),
    "cumulative": Other(letters="running ← (1 − 1/t) · running + 1/t · batch at update t"),
    "torch's": Other(
        "Momentum is written here as PyTorch counts it: the share of the batch's value that goes in.",
        "torch's = 1 − Keras's",
        lambda shown: (
            f" · {momentum_words(shown.snapshot.watched)}" if shown.snapshot.watched else ""
        ),
    ),
}
"""Where momentum is torch's."""
BLIND = {
    "running": Other(
        "The means and variances that batch norm has averaged over the batches of training, and validates with. "
        "No validation data were given, so what they score is not known.",
        "",
    ),
    "fresh": Other("Means and variances of training batches at this moment.", ""),
    "hindsight": Other(
        "Training never uses the running statistics. So the watcher keeps them for every momentum, and compares "
        "each with fresh ones: 0 is the same, 0.3 was always sound, from 0.85 on validation failed.",
        "distance = largest layer's mean |ln((running + ε) / (fresh + ε))|",
        _distance,
    ),
}  # fmt: skip
"""Where no validation data were given."""
NOT_FOLLOWED = {"pace"}
"""Terms that no panel of a run that is followed has."""
NOT_WATCHED = {
    "pace", "activations", "noise scale", "estimator", "scaled", "seed", "width", "twin", "apart", "alone",
    "sound in", "harms, joint, unsure",
}  # fmt: skip
"""Those that no panel of a watched training has."""
NO_NUMBERS = {
    "bias-corrected", "cumulative", "warm-up", "scaled", "estimator", "pace", "activations", "noise scale",
    "seed", "width", "val_acc",
}  # fmt: skip
"""Terms of what only a run of bntui's has, or is counted from its settings."""
