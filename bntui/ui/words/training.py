"""Terms of training: what an update, an epoch and each knob is, and what the charts show."""

import math

from bntui.core import rules
from bntui.core.config import torch_momentum
from bntui.core.estimators import NAMED
from bntui.core.measured import Score
from bntui.core.text import exact, percent
from bntui.diagnose.noise_words import latest_noise
from bntui.ui.explorer.knob_effects import size
from bntui.ui.explorer.predictions import classes
from bntui.ui.words.term import Shown, Term


def _epoch(shown: Shown) -> str:
    snapshot = shown.snapshot
    if snapshot.facts is None:
        return ""
    until = "" if snapshot.config.steps else f" of {snapshot.epochs:,}"
    return f" · epoch {snapshot.epoch:,}{until}, at update {snapshot.update:,}"


def _updates(shown: Shown) -> str:
    snapshot = shown.snapshot
    if snapshot.facts is None:
        return ""
    train, batch = snapshot.facts.train, min(snapshot.knobs.batch_size, snapshot.facts.train)
    rounded = ", rounded up" if train % batch else ""
    return f" = {train:,} / {batch:,} = {-(-train // batch):,}{rounded}"


def _learning_rate(shown: Shown) -> str:
    snapshot = shown.snapshot
    config, knobs = snapshot.config, snapshot.knobs
    told = f" · {knobs.learning_rate:g}"
    used = rules.learning_rate(config, knobs, snapshot.update)
    if not math.isclose(used, knobs.learning_rate):
        told += f", and {used:.3g} as rule and warm-up have it at update {snapshot.update:,}"
    return told


def _pace(shown: Shown) -> str:
    pace = shown.snapshot.knobs.pace
    return " · no limit" if math.isinf(pace) else f" · {pace:g} updates a second at most"


def _batch_norm(shown: Shown) -> str:
    validation, config = shown.snapshot.validation, shown.snapshot.config
    if not config.has_statistics:
        return " · this network has none"
    if validation is None or not validation.layers:
        return ""
    channels = sum(layer.channels for layer in validation.layers)
    return f" · {len(validation.layers)} such layers here, with {channels:,} channels"


def _train(shown: Shown) -> str:
    history = shown.snapshot.series.get("train_acc")
    if history is None or not len(history):
        return ""
    if math.isnan(history.latest):
        return " is not a number: the run has diverged"
    return f" = {history.latest:.3f} at update {history.x[-1]:,.0f}"


def _loss(shown: Shown) -> str:
    validation = shown.snapshot.validation
    if validation is None or math.isnan(validation.running.loss):
        return ""
    if not validation.layers:
        return f" = {validation.running.loss:.3f} in validation"
    return f" = {validation.running.loss:.3f} running, {validation.fresh.loss:.3f} fresh"


def _noise(shown: Shown) -> str:
    found = latest_noise(shown.snapshot)
    return f" · {found}" if found else ""


def _memory(shown: Shown) -> str:
    facts, batch = shown.snapshot.facts, shown.snapshot.knobs.batch_size
    if facts is None:
        return ""
    return f" · {size(facts.activation_bytes * min(batch, facts.train) / 1e9)}"


def _measuring(shown: Shown) -> str:
    return f" = {percent(shown.snapshot.observed_share)}" if shown.snapshot.update else ""


def _predictions(shown: Shown) -> str:
    validation = shown.snapshot.validation
    names = classes(shown.snapshot)
    if validation is None or not names:
        return ""
    most = max(validation.running.predicted)
    answer = validation.running.predicted.index(most)
    if not validation.layers or not any(validation.fresh.predicted):
        how = ""
    else:
        how = f" with running statistics, for {_share(validation.fresh, answer)} with fresh ones"
    return (
        f" · it answers '{names[answer]}' for {_share(validation.running, answer)} of "
        f"{validation.images:,} images{how}"
    )


def _share(score: Score, answer: int) -> str:
    return percent(score.predicted[answer] / sum(score.predicted))


def _estimator(shown: Shown) -> str:
    config, knobs = shown.snapshot.config, shown.snapshot.knobs
    meaning = next(one.meaning for one in NAMED if one.name == knobs.estimator)
    return " · here: " + meaning.format(
        m=exact(knobs.momentum),
        batch=knobs.batch_size,
        base=config.base_batch,
        moved=f"{rules.momentum(config, knobs):.3g}",
    )


def _torchs(shown: Shown) -> str:
    momentum = shown.snapshot.knobs.momentum
    return f" = 1 − {exact(momentum)} = {exact(torch_momentum(momentum))}"


TRAINING = (
    Term(
        "update",
        "One step of training: one batch of images changes the weights, and moves the running statistics once.",
        "updates an epoch = training images / batch size",
        _updates,
    ),
    Term("epoch", "All training images once.", "", _epoch),
    Term(
        "batch size",
        "How many training images make one update. The larger it is, the fewer updates an epoch has, "
        "and the fewer chances the running statistics get to move away from their start value.",
        "updates an epoch = training images / batch size",
        _updates,
    ),
    Term(
        "batch norm (BN)",
        "A layer that brings every channel to mean 0 and variance 1, then scales and shifts it by two "
        "numbers that are learned. In training it uses the mean and the variance of the batch, in "
        "validation the running ones.",
        "out = γ · (in − mean) / √(variance + ε) + β",
        _batch_norm,
    ),
    Term(
        "torch's",
        "Momentum as PyTorch counts it: the share of the batch's value that goes in.",
        "torch's = 1 − momentum",
        _torchs,
        of_statistics=True,
    ),
    Term(
        "estimator",
        "The rule by which running statistics are made from the statistics of the batches.",
        "",
        _estimator,
        of_statistics=True,
    ),
    Term(
        "learning rate",
        "How far an update moves the weights. It does not change how much of the start value is left.",
        "",
        _learning_rate,
    ),
    Term("pace", "A limit on updates a second, so that you can watch a fast machine.", "", _pace),
    Term(
        "activations",
        "The memory that a batch takes on its way through the network.",
        "",
        _memory,
    ),
    Term(
        "train",
        "Accuracy on the batch that was just trained on, normalised by that batch's own statistics.",
        "train = right answers / batch size",
        _train,
        role="train",
    ),
    Term(
        "loss",
        "How wrong the probabilities are that the network gives: 0 if it is certain of every right "
        "answer, 2.3 if it guesses among ten classes.",
        "loss = mean of −ln(probability of the right answer)",
        _loss,
    ),
    Term(
        "noise scale",
        "The batch size, in images, up to which doubling the batch makes an update nearly twice as "
        "good. Beyond it, more images add little.",
        "tr(Σ) / |G|² = variance of the gradient / its length squared",
        _noise,
    ),
    Term(
        "measuring",
        "The share of the time that goes into measuring instead of training.",
        "measuring / (training + measuring)",
        _measuring,
    ),
    Term(
        "predictions",
        "How often the network answers each class. With stale running statistics it often gives the "
        "same answer to nearly every image.",
        "share = images with that answer / images",
        _predictions,
    ),
    Term(
        "seed",
        "The number that decides the initial weights and the order of the images. The same seed gives the same run.",
        "",
        lambda shown: f" · {shown.snapshot.config.seed}",
    ),
    Term(
        "width",
        "The factor on the number of channels. At width 1 it is the thread's network.",
        "",
        lambda shown: f" · {shown.snapshot.config.width:g}",
    ),
    Term(
        "ε",
        "A small number, 0.001, that batch norm adds to every variance so that it never divides by zero.",
    ),
)
