"""The settings that take a new run, as knobs (what their values mean: `meanings.py`)."""

from collections.abc import Callable

from bntui.core import limits
from bntui.core.config import DATASETS, GHOST_UPDATES, LEARNING_RATE_RULES, NORMS, OPTIMIZERS
from bntui.ui.widgets.knob_spec import KnobSpec, Setting

BN_LAYERS = 5
"""Normalisation layers of the thread's network; each block of `depth` adds one."""
_POWERS = tuple(2**power for power in range(17))


def _spec(
    name: str,
    label: str,
    ladder: "tuple[Setting, ...] | range",
    parse: Callable[[str], Setting],
    hint: str,
    show: Callable[[Setting], str] = str,
) -> KnobSpec:
    return KnobSpec(name, label, label, ladder, show, parse, hint, structural=True)


def _whole(low: int, high: int) -> str:
    return f"Whole numbers from {low:,} to {high:,}."


def _one_of(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}."


def _parse_norm_layers(value: str) -> int | None:
    return None if value.strip().lower() == "all" else limits.parse_norm_layers(value)


def norm_layers(depth: int) -> KnobSpec:
    """Return the knob for the number of normalisation layers of a network with `depth` more blocks."""
    return _spec(
        "norm_layers",
        "norm layers",
        (*range(BN_LAYERS + depth), None),
        _parse_norm_layers,
        f"Whole numbers from 0 to {BN_LAYERS + limits.MAX_LAYERS}, or all.",
        lambda value: "all" if value is None else str(value),
    )


NETWORK = (
    _spec("norm", "norm", NORMS, limits.parse_norm, _one_of(NORMS)),
    norm_layers(0),
    _spec(
        "depth",
        "depth",
        (0, 1, 2, 3, 4, 5, 8, 11, 16, 27, 43, 64),
        limits.parse_depth,
        _whole(0, limits.MAX_LAYERS),
    ),
    _spec(
        "width",
        "width",
        (1 / 32, 1 / 16, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0),
        limits.parse_width,
        f"From {limits.MIN_WIDTH:g} to {limits.MAX_WIDTH:g}.",
        lambda value: f"{value:g}",
    ),
    _spec(
        "ghost_batch",
        "ghost batch",
        _POWERS,
        limits.parse_ghost_batch,
        _whole(1, limits.MAX_BATCH_SIZE),
    ),
    _spec(
        "ghost_updates",
        "ghost updates",
        GHOST_UPDATES,
        limits.parse_ghost_updates,
        _one_of(GHOST_UPDATES),
    ),
)
TRAINING = (
    _spec(
        "optimizer",
        "optimizer",
        OPTIMIZERS,
        limits.parse_optimizer,
        _one_of(OPTIMIZERS),
    ),
    _spec(
        "lr_rule",
        "rate rule",
        LEARNING_RATE_RULES,
        limits.parse_lr_rule,
        _one_of(LEARNING_RATE_RULES),
    ),
    _spec(
        "lr_warmup",
        "rate warm-up",
        (0, *_POWERS[3:]),
        limits.parse_lr_warmup,
        _whole(0, limits.MAX_STEPS),
    ),
    _spec(
        "batch_schedule",
        "batch growth",
        ("", "x2/1", "x2/2", "x2/3", "x2/5", "x4/1", "x4/2", "x4/3", "x4/5"),
        limits.parse_batch_schedule,
        "x2/3 doubles it every 3 epochs; 1:16,5:64 makes it 16 from epoch 1 and 64 from epoch 5; "
        "none keeps it.",
        lambda value: str(value) or "none",
    ),
    _spec(
        "base_batch",
        "base batch",
        _POWERS,
        limits.parse_base_batch,
        _whole(1, limits.MAX_BATCH_SIZE),
    ),
)
RUN = (
    _spec(
        "dataset",
        "data set",
        DATASETS,
        limits.parse_dataset,
        f"{', '.join(DATASETS)}; or the path of your own: a folder with train/CLASS/ and "
        "test/CLASS/ full of images, or an .npz with x_train, y_train, x_test and y_test.",
    ),
    _spec(
        "seed", "seed", range(limits.MAX_SEED + 1), limits.parse_seed, _whole(0, limits.MAX_SEED)
    ),
    _spec(
        "epochs",
        "epochs",
        (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000),
        limits.parse_epochs,
        _whole(1, limits.MAX_EPOCHS),
    ),
)
GROUPS = (("network", NETWORK), ("training", TRAINING), ("run", RUN))
"""The knobs in their order on the screen, by what they belong to."""
