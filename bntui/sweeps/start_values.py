"""How much of the start values (mean 0, variance 1) is left in a run's statistics. Pure; imports no torch."""

import math

from bntui.core.config import RunConfig
from bntui.core.rules import forgets_start, momentum, moves

_ON_THE_WAY = {"batch_size", "momentum", "estimator", "recalibrate"}


def statistics_updates(config: RunConfig, train: int, updates: int) -> float:
    """Return how often so many updates of the weights have moved the running statistics.

    As often, but in ghost batch norm, which moves them once for each of its sub-batches. NaN where there
    are no running statistics, and where it depends on how the batch grew.
    """
    if not config.has_statistics:
        return math.nan
    knobs = config.knobs
    if config.norm != "ghost" or config.ghost_updates == "once":
        return float(updates)
    if not (config.has_fixed_batch and train):
        return math.nan
    full, rest = divmod(train, min(knobs.batch_size, train))
    size = min(knobs.batch_size, train)
    epochs, more = divmod(updates, full + bool(rest))
    each = moves(config, knobs, size)
    return float(epochs * (full * each + (moves(config, knobs, rest) if rest else 0)) + more * each)


def own_momentum(config: RunConfig) -> float:
    """Return the constant momentum m with which mᵗ of the start values is left in the run's own statistics.

    0 where the estimator has none of them from its first update on; NaN where m was not constant.
    """
    if not config.has_statistics or _changes(config, _ON_THE_WAY):
        return math.nan
    if forgets_start(config.knobs):
        return 0.0
    if config.knobs.estimator == "scaled" and config.batch_schedule:
        return math.nan
    return momentum(config, config.knobs)


def planned_updates(config: RunConfig, train: int, epoch: int) -> int:
    """Return after how many updates an epoch will end; 0 where that can't be told, or it won't."""
    if not (config.has_fixed_batch and train):
        return 0
    updates = epoch * -(-train // config.knobs.batch_size)
    within = epoch <= config.epochs and updates <= (config.steps or updates)
    return updates if within else 0


def _changes(config: RunConfig, settings: set[str]) -> bool:
    return any(change.setting in settings for change in config.at)
