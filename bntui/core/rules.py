"""What the rules of a run make of its knobs: batch size, learning rate and momentum of one update.

Pure functions of the configuration, the knobs and where the run is.
"""

import math
from dataclasses import replace

from bntui.core.config import Knobs, RunConfig
from bntui.core.parsers import MAX_BATCH_SIZE

NEARLY_ONE = math.nextafter(1.0, 0.0)
"""The most that a momentum may be: at 1 nothing would ever move, and there is no forecast."""
EXPONENTS = {"none": 0.0, "sqrt": 0.5, "linear": 1.0}


def scheduled_batch(schedule: str, epoch: int, batch_size: int) -> int:
    """Return the batch size at the beginning of `epoch` (from 1), `batch_size` until then.

    Growing the batch instead of lowering the learning rate: Smith et al. 2018, 1711.00489.
    """
    if schedule.startswith("x"):
        factor, every = schedule[1:].split("/")
        due = epoch > 1 and (epoch - 1) % int(every) == 0
        return min(round(batch_size * float(factor)), MAX_BATCH_SIZE) if due else batch_size
    points = dict(point.split(":") for point in schedule.split(",") if point)
    return int(points.get(str(epoch), batch_size))


def learning_rate(config: RunConfig, knobs: Knobs, update: int) -> float:
    """Return the rate of the update after `update` others.

    rate · (B / base)^p · min(1, (update + 1) / warm-up), with p = 1 for `linear` (Goyal et al. 2017,
    1706.02677, for SGD), ½ for `sqrt` and else 0. `sqrt` is the rate's part alone of the rule of
    Malladi et al. (2022, 2205.10287) for Adam, by which 1 − β also grows as B / base and ε falls.
    """
    grown: float = (knobs.batch_size / config.base_batch) ** EXPONENTS[config.lr_rule]
    risen = min(1.0, (update + 1) / config.lr_warmup) if config.lr_warmup else 1.0
    return knobs.learning_rate * grown * risen


def momentum(config: RunConfig, knobs: Knobs) -> float:
    """Return the momentum of the run's own running statistics.

    Under the estimator `scaled` m^(B / base), so that equally many images are remembered whatever
    the batch size: Busbridge et al. 2023, 2307.13813, a rule for models' moving averages.
    """
    if knobs.estimator == "scaled":
        scaled = float(knobs.momentum ** (_images(config, knobs) / config.base_batch))
        return min(scaled, NEARLY_ONE)
    return knobs.momentum


def knob_for(config: RunConfig, knobs: Knobs, momentum: float) -> float:
    """Return what the momentum's knob has to be for the running statistics to move with `momentum`.

    The other direction of the function above, with 1 − m rounded to two digits.
    """
    if knobs.estimator != "scaled":
        return momentum
    unscaled = momentum ** (config.base_batch / _images(config, knobs))
    return 1.0 - float(f"{1.0 - unscaled:.2g}")


def kept(config: RunConfig, knobs: Knobs, images: int | None = None) -> float:
    """Return the share of the old statistics that one update of the weights leaves.

    The momentum, but for ghost BN, which moves the statistics once for each sub-batch. An epoch's
    last update may be of fewer `images` than the batch size.
    """
    return float(momentum(config, knobs) ** moves(config, knobs, images))


def moves(config: RunConfig, knobs: Knobs, images: int | None = None) -> int:
    """Return how often one update of the weights moves the running statistics."""
    return math.ceil((images or knobs.batch_size) / _images(config, knobs))


def forgets_start(knobs: Knobs) -> bool:
    """Tell whether the estimator has no start value from its first update on.

    Bias-corrected divides it out, cumulative and warm-up give their first batch all the weight.
    """
    return knobs.estimator not in {"momentum", "scaled"}


def kept_over(config: RunConfig, knobs: Knobs, train: int, begin: float, end: float) -> float:
    """Return the share of the old statistics that the updates from epoch `begin` to `end` leave.

    Both count the epochs of `train` images before them, 0.5 in the middle of the first. The batch
    size grows as scheduled.
    """
    share, size = 1.0, knobs.batch_size
    while begin < end:
        whole = begin == math.floor(begin) and not config.batch_schedule
        until = end if whole else min(math.floor(begin) + 1.0, end)
        size = min(size, train)
        full, rest = divmod(round(train * min(until - begin, 1.0)), size)
        now = replace(knobs, batch_size=size)
        epoch = kept(config, now) ** full * (kept(config, now, rest) if rest else 1.0)
        share *= epoch ** max(until - begin, 1.0)
        size = scheduled_batch(config.batch_schedule, math.floor(until) + 1, size)
        begin = until
    return share


def normalised_together(config: RunConfig, knobs: Knobs) -> int:
    """Return how many images of a batch share their statistics."""
    ghost = config.norm == "ghost"
    return min(config.ghost_batch, knobs.batch_size) if ghost else knobs.batch_size


def _images(config: RunConfig, knobs: Knobs) -> int:
    """Return how many images one move of the running statistics has seen."""
    once = config.ghost_updates == "once"
    return knobs.batch_size if once else normalised_together(config, knobs)
