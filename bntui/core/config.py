"""What a run is made of: the table of its settings, with their defaults and the choices there are.

A field of `RunConfig` is fixed for a run, one of `Knobs` may change while it trains. A field's `Row`
says all about the setting but what it does: `settings.py` derives the command line, experiments' files,
knobs and the store from it. Imports no torch.
"""

import math
from dataclasses import dataclass, field

from bntui.core.estimators import MOMENTA, OWN_ESTIMATORS
from bntui.core.parsers import (
    DATASETS,
    MAX_BATCH_SIZE,
    MAX_LAYERS,
    MAX_SEED,
    MAX_STEPS,
    MAX_THREADS,
    MAX_WIDTH,
    MIN_WIDTH,
    OneOf,
    Whole,
    parse_batch_schedule,
    parse_batch_size,
    parse_data_dir,
    parse_dataset,
    parse_device,
    parse_epochs,
    parse_learning_rate,
    parse_momentum,
    parse_pace,
    parse_width,
)
from bntui.core.row import setting
from bntui.core.text import exact

NORMS = ("none", "batch", "ghost", "renorm", "group", "layer")
"""What stands where the thread has BN. The last two and `none` have no running statistics."""
OPTIMIZERS = ("adam", "sgd")
LEARNING_RATE_RULES = ("none", "sqrt", "linear")
GHOST_UPDATES = ("each", "once")
BN_LAYERS = 5
"""Normalisation layers of the thread's network; each block of `depth` adds one."""
MOST_THREADS = 16
"""CPU threads at most, where the user sets no number: a layer of a small batch has no work for more."""
TORCH_LIKE_MOMENTUM = 0.1
"""Momenta up to this look like torch's convention (share of the *new* value), and are asked about."""
_POWERS = tuple(2**power for power in range(17))


def _as_given(value: object) -> object:
    """Return what a file says of where data lie, unjudged: the reader of the data judges it."""
    return value


@dataclass(frozen=True, slots=True)
class Knobs:
    """What may change at any update."""

    batch_size: int = setting(
        256,
        parse_batch_size,
        "Images per update",
        "N",
        name="batch",
        short="batch",
        steps=_POWERS,
        hint="Images per update, from the next one on.",
    )
    momentum: float = setting(
        0.99,
        parse_momentum,
        "BN's, Keras's convention",
        "M",
        short="m",
        steps=MOMENTA,
        hint="The share of its old value that a running statistic keeps at each update.",
        detail=lambda value: f"torch's {exact(torch_momentum(value))}",
    )
    """Keras's convention: the share of the old running value kept at an update."""
    estimator: str = setting(
        "momentum",
        OneOf("estimator", OWN_ESTIMATORS),
        "Of the run's own statistics",
        "NAME",
        short="est",
        hint=f"How the running statistics are estimated: {', '.join(OWN_ESTIMATORS)}.",
    )
    learning_rate: float = setting(
        1e-3,
        parse_learning_rate,
        "Adam's learning rate",
        "RATE",
        flag="lr",
        short="rate",
        steps=tuple(float(f"{n}e{power}") for power in range(-6, 2) for n in (1, 2, 5)),
        hint="How far each update moves the weights, from the next one on.",
    )
    pace: float = setting(
        math.inf,
        parse_pace,
        "Updates a second at most",
        "N",
        steps=(0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, math.inf),
        write=lambda value: "max" if math.isinf(value) else f"{value:g}/s",
        hint="A limit on updates a second, so that you can watch a fast machine.",
        twin=False,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One live change of a run, to be made after `update` updates."""

    update: int
    setting: str
    """A field of `Knobs`, or `recalibrate`."""
    value: float | str = 0.0


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What is fixed for one run. The defaults are those of `bntui run` on every machine."""

    dataset: str = setting(
        "digits",
        parse_dataset,
        f"{', '.join(DATASETS)}, a folder of images (train/CLASS/, test/CLASS/) or an .npz "
        "(x_train, y_train, x_test, y_test)",
        "DATA",
        label="data set",
        steps=DATASETS,
        hint=f"{', '.join(DATASETS)}; or the path of your own: a folder with train/CLASS/ and "
        "test/CLASS/ full of images, or an .npz with x_train, y_train, x_test and y_test.",
        twin=False,
        read=_as_given,
    )
    """One of `DATASETS`, or the absolute path of a folder of images or of an `.npz`."""
    data_dir: str | None = setting(
        None,
        parse_data_dir,
        "Where torchvision's files lie; also BNTUI_DATA",
        "DIR",
        twin=False,
        read=_as_given,
    )
    train_size: int | None = setting(
        None,
        Whole("train size", 1, 10_000_000, "4000"),
        "Use so many training images",
        "N",
        unset="all",
        twin=False,
    )
    norm: str = setting("batch", OneOf("norm", NORMS), ", ".join(NORMS), "KIND", group="network")
    norm_layers: int | None = setting(
        None,
        Whole("norm layers", 0, MAX_LAYERS + BN_LAYERS, "5, the thread's"),
        "Keep only the first N norm layers",
        "N",
        steps=(*range(BN_LAYERS), None),
        group="network",
        hint=f"Whole numbers from 0 to {BN_LAYERS + MAX_LAYERS}, or all.",
        unset="all",
    )
    """Only the first so many normalisation layers are there; None for all."""
    depth: int = setting(
        0,
        Whole("depth", 0, MAX_LAYERS, "11 for sixteen BN layers"),
        "Blocks of norm and convolution beyond those",
        "N",
        steps=(0, 1, 2, 3, 4, 5, 8, 11, 16, 27, 43, 64),
        group="network",
    )
    """Blocks of normalisation and convolution beyond the thread's."""
    width: float = setting(
        1.0,
        parse_width,
        "Factor on all channels; 1 is the thread's net",
        "F",
        steps=(1 / 32, 1 / 16, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0),
        group="network",
        hint=f"From {MIN_WIDTH:g} to {MAX_WIDTH:g}.",
    )
    ghost_batch: int = setting(
        32,
        Whole("ghost batch", 1, MAX_BATCH_SIZE, "32"),
        "Images that Ghost BN sees",
        "N",
        steps=_POWERS,
        group="network",
    )
    """Ghost BN: images that are normalised together."""
    ghost_updates: str = setting(
        "each",
        OneOf("ghost updates", GHOST_UPDATES),
        "each of them, or once",
        "HOW",
        group="network",
    )
    """Ghost BN: one update of the running statistics for each of them, or `once` a batch."""
    optimizer: str = setting(
        "adam",
        OneOf("optimizer", OPTIMIZERS),
        "adam, or sgd with momentum",
        "NAME",
        group="training",
    )
    lr_rule: str = setting(
        "none",
        OneOf("learning-rate rule", LEARNING_RATE_RULES),
        f"Rate only, by batch: {', '.join(LEARNING_RATE_RULES)}",
        "RULE",
        label="rate rule",
        group="training",
    )
    """How the learning rate grows with batch size over `base_batch`: one of `LEARNING_RATE_RULES`."""
    lr_warmup: int = setting(
        0,
        Whole("learning-rate warm-up", 0, MAX_STEPS, "16 updates"),
        "Updates over which the rate rises",
        "N",
        label="rate warm-up",
        steps=(0, *_POWERS[3:]),
        group="training",
    )
    """Updates over which the learning rate rises to its value."""
    batch_schedule: str = setting(
        "",
        parse_batch_schedule,
        "x2/1, or 1:16,5:64 by epoch",
        "S",
        label="batch growth",
        steps=("", "x2/1", "x2/2", "x2/3", "x2/5", "x4/1", "x4/2", "x4/3", "x4/5"),
        group="training",
        hint="x2/3 doubles it every 3 epochs; 1:16,5:64 makes it 16 from epoch 1 and 64 from "
        "epoch 5; none keeps it.",
        unset="none",
    )
    """How the batch size grows: "x2/1" for a factor every so many epochs, "1:16,5:64" for points."""
    base_batch: int = setting(
        64,
        Whole("base batch", 1, MAX_BATCH_SIZE, "64"),
        "Batch that rate and m are for",
        "N",
        steps=_POWERS,
        group="training",
    )
    """The batch size at which learning rate and momentum are meant as they are."""
    seed: int = setting(
        0,
        Whole("seed", 0, MAX_SEED, "0"),
        "Of weights and data order",
        "N",
        steps=range(MAX_SEED + 1),
    )
    device: str = setting(
        "auto", parse_device, "auto, cpu, cuda, cuda:N or mps", "NAME", twin=False
    )
    amp: bool = setting(False, None, "Train in bfloat16 where it is safe")
    """Train with bfloat16 in convolutions and products; batch norm and evaluation stay float32."""
    compile: bool = setting(False, None, "Compile the network first")
    """Train with a network that torch has compiled for this machine."""
    threads: int | None = setting(
        None,
        Whole("threads", 1, MAX_THREADS, "the number of cores"),
        "CPU threads",
        "N",
        unset=f"one a core, at most {MOST_THREADS}",
        twin=False,
    )
    epochs: int = setting(
        10,
        parse_epochs,
        "Pause after so many epochs",
        "N",
        steps=(1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000),
        twin=False,
    )
    steps: int | None = setting(
        None,
        Whole("steps", 1, MAX_STEPS, "160"),
        "Pause after so many updates",
        "N",
        twin=False,
    )
    """Stop after this many updates, or after the epochs, whichever comes first."""
    knobs: Knobs = field(default_factory=Knobs)
    at: tuple[Change, ...] = ()
    """Live changes to make on the way, in the order of their updates; `settings.py` has its row."""
    twin: str = ""
    """The one setting, as NAME=VALUE, in which a second run in lockstep differs; empty for none.
    Its row, too, is in `settings.py`."""

    @property
    def has_statistics(self) -> bool:
        """Whether the network keeps running statistics, which alone can go stale."""
        return self.norm in {"batch", "ghost", "renorm"} and self.norm_layers != 0

    @property
    def has_hindsight(self) -> bool:
        """Whether one run tells of every momentum: not where the statistics feed into training."""
        return self.has_statistics and self.norm != "renorm"

    @property
    def has_fixed_batch(self) -> bool:
        """Whether the batch size stays as it is to the end, as far as it is planned."""
        return not self.batch_schedule and all(one.setting != "batch_size" for one in self.at)


@dataclass(frozen=True, slots=True)
class Observation:
    """What is measured beside training. None of it changes a bit of the weights."""

    live: bool = True
    """Validate on fixed subsets while training, under own, fresh and all estimators' statistics,
    within a share of the time."""
    epoch_ends: bool = True
    """Validate on the whole validation set at each epoch's end."""
    epoch_fresh: bool = True
    """Also with fresh statistics at each epoch's end, and the drift of every layer."""
    hindsight: bool = False
    """Also under every estimator row at each epoch's end."""
    noise_scale: bool = False
    """If `live`, also measure the gradient noise scale while training, within the share of the time."""
    epoch_noise: bool = False
    """Measure the gradient noise scale at each epoch's end, whatever was measured before."""
    causes: bool = True
    """At the run's end, find out what is to blame: some 45 evaluations."""


def torch_momentum(momentum: float) -> float:
    """Convert Keras's momentum (share of the old value kept) to torch's, or back: 1 − m.

    The only place where the two conventions meet. Rounded so that 0.99 ↔ 0.01 exactly.
    """
    return round(1.0 - momentum, 12)


def looks_like_torch(momentum: float) -> bool:
    """Tell whether a momentum is more likely meant in torch's convention (0.01 for 0.99)."""
    return 0.0 < momentum <= TORCH_LIKE_MOMENTUM
