"""What the settings of a new run mean, value by value, in a sentence or two."""

from collections.abc import Callable
from itertools import pairwise

from bntui.core import rules
from bntui.core.config import BN_LAYERS, RunConfig
from bntui.core.settings import SETTINGS
from bntui.core.snapshot import Snapshot
from bntui.ui.widgets.knob_spec import KnobSpec

MOST_STEPS = 6
"""Steps of a batch schedule that are told."""
_NORMS = {
    "none": "Nothing is normalised, so there are no running statistics that could be stale: the "
    "control.",
    "batch": "BN, as in the thread: in training, each batch is normalised by its own statistics, in validation "
    "by the running ones.",
    "ghost": "BN on sub-batches, each normalised by itself (Hoffer et al. 2017).",
    "renorm": "BN that is corrected towards the running statistics in training too (Ioffe 2017). "
    "So one run can't tell about other momenta.",
    "group": "Each image is normalised by itself, in groups of channels. There are no running statistics, and "
    "validation works as training does.",
    "layer": "Each image is normalised by itself, as a whole. There are no running statistics, and "
    "validation works as training does.",
}
_OPTIMIZERS = {
    "adam": "Adam, the thread's: each step of a weight is about as large as the learning rate, whatever the "
    "size of its gradient.",
    "sgd": "Gradient descent with momentum 0.9: steps grow with the gradients, so it needs another "
    "learning rate than Adam.",
}
_DATASETS = {
    "digits": "5,000 digits of MNIST that are part of the program: 4,000 to train on, 1,000 to "
    "validate.",
    "photos": "5,000 patches of ten photographs that are part of the program, 4,000 to train on: "
    "which photograph is each one from?",
    "mnist": "60,000 digits to train on, 10,000 to validate; downloaded on first use.",
    "fashion-mnist": "Ten kinds of clothes, 60,000 images to train on, 10,000 to validate; "
    "downloaded on first use.",
    "kmnist": "Ten Japanese characters, 60,000 images to train on, 10,000 to validate; downloaded "
    "on first use.",
    "cifar10": "Ten kinds of things in colour, 50,000 images to train on, 10,000 to validate; "
    "downloaded on first use.",
}


def meaning(spec: KnobSpec, config: RunConfig, snapshot: Snapshot) -> str:
    """Return what the setting of `spec` in `config`, a run to begin, means.

    `snapshot` is of a run whose settings `config` began with.
    """
    if told := _MEANINGS.get(spec.name):
        return told(config, _train(config, snapshot))
    return f"{SETTINGS[spec.name].help}."


def _train(config: RunConfig, snapshot: Snapshot) -> int | None:
    """Return how many images there will be to train on, if that is known."""
    same = config.dataset == snapshot.config.dataset
    return snapshot.facts.train if snapshot.facts and same else None


def _norm_layers(config: RunConfig, _: int | None) -> str:
    there = BN_LAYERS + config.depth
    kept = there if config.norm_layers is None else config.norm_layers
    if config.norm == "none":
        return f"Norm is none: none of the {there} layers is there."
    if kept >= there:
        return f"All {there} normalisation layers are there."
    if not kept:
        return f"None of the {there} normalisation layers is there, as if norm were none."
    return f"The first {kept} of {there} normalisation layers are there, the others are left out."


def _depth(config: RunConfig, _: int | None) -> str:
    there = BN_LAYERS + config.depth
    if not config.depth:
        return f"The thread's network, with {there} places for normalisation."
    return (
        f"{config.depth} more blocks of normalisation and convolution than the thread's network "
        f"has: {there} normalisation layers, one after the other."
    )


def _width(config: RunConfig, _: int | None) -> str:
    first, second, hidden = (max(1, round(n * config.width)) for n in (32, 64, 512))
    return (
        f"{first} and {second} channels, {hidden:,} hidden units; the thread's network, at width 1, "
        "has 32, 64 and 512."
    )


def _ghosts(config: RunConfig) -> tuple[int, int]:
    """Return the batch size, and how many sub-batches it makes."""
    return config.knobs.batch_size, -(-config.knobs.batch_size // config.ghost_batch)


def _ghost_batch(config: RunConfig, _: int | None) -> str:
    batch, parts = _ghosts(config)
    said = f"A batch of {batch:,} is normalised in {parts:,} sub-batches of {config.ghost_batch:,}."
    if parts == 1:
        said = f"A batch of {batch:,} is one sub-batch: as plain BN."
    return said if config.norm == "ghost" else f"{said} Only with norm ghost."


def _ghost_updates(config: RunConfig, _: int | None) -> str:
    batch, parts = _ghosts(config)
    said = (
        "The running statistics take one update a batch, as in plain BN."
        if config.ghost_updates == "once"
        else "The running statistics take an update from each sub-batch: "
        f"{parts:,} in a batch of {batch:,}, so that the start value fades that much sooner."
    )
    return said if config.norm == "ghost" else f"{said} Only with norm ghost."


def _lr_rule(config: RunConfig, _: int | None) -> str:
    knobs, base = config.knobs, config.base_batch
    if config.lr_rule == "none":
        return "The learning rate is taken as it is, whatever the batch size."
    how, source = {
        "sqrt": ("the square root of", "the rate only; Malladi et al. 2022 also scale β and ε"),
        "linear": ("", "Goyal et al. 2017, for SGD"),
    }[config.lr_rule]
    grown = knobs.learning_rate * (knobs.batch_size / base) ** rules.EXPONENTS[config.lr_rule]
    return (
        f"At batch {knobs.batch_size:,} the rate {knobs.learning_rate:g} becomes {grown:.3g}: times "
        f"{how} {knobs.batch_size:,}/{base:,} ({source})."
    ).replace("  ", " ")


def _lr_warmup(config: RunConfig, train: int | None) -> str:
    if not config.lr_warmup:
        return "The full learning rate from the first update on."
    epochs = f", {config.lr_warmup / _updates(config, train):.2g} epochs," if train else ""
    return (
        f"The learning rate rises evenly over the first {config.lr_warmup:,} updates{epochs} "
        "to its value."
    )


def _base_batch(config: RunConfig, _: int | None) -> str:
    said = f"Learning rate and momentum are meant for batches of {config.base_batch:,}"
    if config.lr_rule == "none" and config.knobs.estimator != "scaled":
        return f"{said}: used by the rate rule and the estimator scaled, and neither is on."
    return f"{said}; the rate rule and the estimator scaled start from there."


def _batch_schedule(config: RunConfig, train: int | None) -> str:
    size = config.knobs.batch_size
    if not config.batch_schedule:
        return f"The batch size stays at {size:,} until you turn it."
    sizes = [size]
    for epoch in range(1, config.epochs + 1):
        size = rules.scheduled_batch(config.batch_schedule, epoch, size)
        sizes.append(min(size, train or size))
    steps = [
        (epoch, after)
        for epoch, (before, after) in enumerate(pairwise(sizes), 1)
        if before != after
    ]
    told = ", ".join(f"{after:,} from epoch {epoch}" for epoch, after in steps[:MOST_STEPS])
    more = ", and on" if len(steps) > MOST_STEPS else ""
    return (
        f"The batch size is {sizes[0]:,}{', then ' if told else ' all along'}{told}{more}: gradients "
        "get less noisy, as they do when the learning rate falls (Smith et al. 2018)."
    )


def _epochs(config: RunConfig, train: int | None) -> str:
    updates = _updates(config, train) * config.epochs if train else None
    count = f", {updates:,} updates at batch {config.knobs.batch_size:,}" if updates else ""
    until = f", or after {config.steps:,} updates" if config.steps else ""
    return (
        f"The run pauses after epoch {config.epochs:,}{count}{until}; space then trains for as many "
        "again."
    )


def _updates(config: RunConfig, train: int | None) -> int:
    """Return the updates of an epoch of `train` images, all in one where that is not known."""
    return -(-train // config.knobs.batch_size) if train else 1


_MEANINGS: dict[str, Callable[[RunConfig, int | None], str]] = {
    "norm": lambda config, _: _NORMS[config.norm],
    "norm_layers": _norm_layers,
    "depth": _depth,
    "width": _width,
    "ghost_batch": _ghost_batch,
    "ghost_updates": _ghost_updates,
    "optimizer": lambda config, _: _OPTIMIZERS[config.optimizer],
    "lr_rule": _lr_rule,
    "lr_warmup": _lr_warmup,
    "base_batch": _base_batch,
    "batch_schedule": _batch_schedule,
    "dataset": lambda config, _: _DATASETS.get(config.dataset, f"Your own: {config.dataset}"),
    "seed": lambda *_: (
        "Decides the initial weights and the order of the images: with the same one, runs differ "
        "only in what was set."
    ),
    "epochs": _epochs,
}
