"""What a run is made of: its settings, their defaults, and the choices there are.

`RunConfig` is fixed for a run, `Knobs` may change while it trains. How what a user types becomes one
of their values is in `limits.py`. Imports no torch.
"""

import math
from dataclasses import dataclass, field

PUBLISHED = ("mnist", "fashion-mnist", "kmnist", "cifar10")
"""The data sets that torchvision downloads."""
BUILT_IN = ("digits", "photos")
"""The data sets in the package."""
DATASETS = (*BUILT_IN, *PUBLISHED)
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
"""The constant momenta that every run keeps running statistics for."""

NORMS = ("none", "batch", "ghost", "renorm", "group", "layer")
"""What stands where the thread has BN. The last two and `none` have no running statistics."""
OWN_ESTIMATORS = ("momentum", "bias-corrected", "cumulative", "warm-up", "scaled")
"""How a run's own running statistics can be estimated (formulas: `estimators.Estimators`)."""
OPTIMIZERS = ("adam", "sgd")
LEARNING_RATE_RULES = ("none", "sqrt", "linear")
GHOST_UPDATES = ("each", "once")
MAX_THREADS = 1024
MOST_THREADS = 16
"""Where the user has not said otherwise: a layer of a small batch has no work for more."""
TORCH_LIKE_MOMENTUM = 0.1
"""Momenta up to this look like torch's convention (share of the *new* value), and are asked about."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """What may change at any update."""

    batch_size: int = 256
    momentum: float = 0.99
    """Keras's convention: the share of the old running value kept at an update."""
    estimator: str = "momentum"
    """How the run's own running statistics are estimated: one of `OWN_ESTIMATORS`."""
    learning_rate: float = 1e-3
    pace: float = math.inf
    """Updates a second at most."""


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

    dataset: str = "digits"
    """One of `DATASETS`, or the absolute path of a folder of images or of an `.npz`."""
    data_dir: str | None = None
    train_size: int | None = None
    norm: str = "batch"
    """One of `NORMS`."""
    norm_layers: int | None = None
    """Only the first so many normalisation layers are there; None for all."""
    ghost_batch: int = 32
    """Ghost BN: images that are normalised together."""
    ghost_updates: str = "each"
    """Ghost BN: one update of the running statistics for each of them, or `once` a batch."""
    depth: int = 0
    """Blocks of normalisation and convolution beyond the thread's."""
    width: float = 1.0
    optimizer: str = "adam"
    lr_rule: str = "none"
    """How the learning rate grows with batch size over `base_batch`: one of `LEARNING_RATE_RULES`."""
    lr_warmup: int = 0
    """Updates over which the learning rate rises to its value."""
    base_batch: int = 64
    """The batch size at which learning rate and momentum are meant as they are."""
    batch_schedule: str = ""
    """How the batch size grows: "x2/1" for a factor every so many epochs, "1:16,5:64" for points."""
    seed: int = 0
    device: str = "auto"
    amp: bool = False
    """Train with bfloat16 in convolutions and products; batch norm and evaluation stay float32."""
    compile: bool = False
    """Train with a network that torch has compiled for this machine."""
    threads: int | None = None
    epochs: int = 10
    steps: int | None = None
    """Stop after this many updates, or after the epochs, whichever comes first."""
    knobs: Knobs = field(default_factory=Knobs)
    at: tuple[Change, ...] = ()
    """Live changes to make on the way, in the order of their updates."""
    twin: str = ""
    """The one setting, as NAME=VALUE, in which a second run in lockstep differs; empty for none."""

    @property
    def has_statistics(self) -> bool:
        """Whether the network keeps running statistics, which alone can go stale."""
        return self.norm in {"batch", "ghost", "renorm"} and self.norm_layers != 0

    @property
    def has_hindsight(self) -> bool:
        """Whether one run tells of every momentum: not where the statistics feed into training."""
        return self.has_statistics and self.norm != "renorm"


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


def torch_momentum(momentum: float) -> float:
    """Convert Keras's momentum (share of the old value kept) to torch's, or back: 1 − m.

    The only place where the two conventions meet. Rounded so that 0.99 ↔ 0.01 exactly.
    """
    return round(1.0 - momentum, 12)


def looks_like_torch(momentum: float) -> bool:
    """Tell whether a momentum is more likely meant in torch's convention (0.01 for 0.99)."""
    return 0.0 < momentum <= TORCH_LIKE_MOMENTUM
