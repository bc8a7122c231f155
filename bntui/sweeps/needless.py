"""Which values of a setting need no run of their own, and why. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bntui.core.config import BN_LAYERS, RunConfig
from bntui.core.estimators import MOMENTA
from bntui.core.settings import SETTINGS, value_of, with_values
from bntui.core.sweep import Axis, Design
from bntui.core.text import ConfigError


@dataclass(frozen=True, slots=True)
class Reason:
    """Why runs that differ in a setting are alike."""

    applies: Callable[[RunConfig], bool]
    why: str
    """The end of a sentence, with the way out."""
    alike: Callable[[RunConfig], Any] = lambda _: None
    """Runs to which it applies are alike if this is equal of them."""


def _planned(config: RunConfig, *settings: str) -> bool:
    """Tell whether one of these changes on the way."""
    return any(one.setting in settings for one in config.at)


def _own_in_hindsight(config: RunConfig) -> bool:
    """Tell whether the estimator's row in every run's map of momenta tells all of the run's own."""
    knobs = config.knobs
    if _planned(config, "momentum", "estimator", "recalibrate"):
        return False
    plain = knobs.estimator == "momentum" and knobs.momentum in MOMENTA
    return config.has_hindsight and (plain or knobs.estimator not in {"momentum", "scaled"})


_ONLY_SPEED = Reason(lambda _: True, "it changes no numbers of a run: give one value")
_EACH_EPOCH = Reason(
    lambda _: True, "every run tells of all its epochs on the way: give the largest alone"
)
_NO_STATISTICS = Reason(
    lambda config: not config.has_statistics, "no such run has running statistics: leave it out"
)
_IN_HINDSIGHT = (
    "one run tells of all momenta and estimators in hindsight, and they are an axis of the diagram: "
    "give one value, or none"
)
_NO_GHOSTS = Reason(
    lambda config: config.norm != "ghost", "no such run has ghost batches: add --norm ghost"
)
_ONE_GHOST = "the whole batch is normalised together there: give smaller ghost batches"
_CLIPPED = "a batch has all training images at most: give no sizes above their number"

REASONS: Mapping[str, tuple[Reason, ...]] = {
    "data_dir": (_ONLY_SPEED,),
    "device": (_ONLY_SPEED,),
    "threads": (_ONLY_SPEED,),
    "pace": (_ONLY_SPEED,),
    "epochs": (_EACH_EPOCH,),
    "steps": (_EACH_EPOCH,),
    "momentum": (
        _NO_STATISTICS,
        Reason(
            lambda config: _own_in_hindsight(config) and config.knobs.estimator != "bias-corrected",
            _IN_HINDSIGHT,
        ),
    ),
    "estimator": (_NO_STATISTICS, Reason(_own_in_hindsight, _IN_HINDSIGHT)),
    "ghost_batch": (
        _NO_GHOSTS,
        Reason(lambda one: one.has_fixed_batch, _ONE_GHOST, lambda one: min(one.ghost_batch, one.knobs.batch_size)),
    ),
    "ghost_updates": (
        _NO_GHOSTS,
        Reason(
            lambda one: one.has_fixed_batch and one.ghost_batch >= one.knobs.batch_size,
            _ONE_GHOST,
        ),
    ),
    "norm": (
        Reason(
            lambda config: config.norm_layers == 0,
            "with --norm-layers 0 there is no norm: leave one of them out",
        ),
    ),
    "norm_layers": (
        Reason(
            lambda config: config.norm == "none",
            "with --norm none there are no norm layers: leave one of them out",
        ),
        Reason(
            lambda _: True,
            "there are no more norm layers: give smaller ones",
            lambda one: min(
                BN_LAYERS + one.depth, BN_LAYERS + one.depth if one.norm_layers is None else one.norm_layers
            ),
        ),
    ),
    "base_batch": (
        Reason(
            lambda one: one.lr_rule == "none" and one.knobs.estimator != "scaled",
            "it has a meaning only with --lr-rule, or --estimator scaled: add one",
        ),
    ),
    "lr_rule": (
        Reason(
            lambda one: one.has_fixed_batch and one.knobs.batch_size == one.base_batch,
            "a rate at the base batch is the same by all rules: give other batch sizes",
        ),
    ),
    "batch_size": (
        Reason(
            lambda one: one.batch_schedule.startswith("1:"),
            "--batch-schedule sets the size from the first epoch on: leave one of them out",
        ),
        Reason(
            lambda one: one.train_size is not None,
            _CLIPPED,
            lambda one: min(one.knobs.batch_size, one.train_size or 0),
        ),
    ),
}  # fmt: skip
"""By setting; the first that applies counts."""


def refuse_needless(design: Design) -> None:
    """Raise ConfigError if two values of an axis need no run each, whatever the others are.

    Also for a value that is there twice.
    """
    for axis in design.axes:
        others = [one for one in design.axes if one is not axis]
        runs = Design(design.base, tuple(others)).cells()
        alike: dict[tuple[Any, ...], Any] = {}
        for value in axis.values:
            settings = [with_values(run.config, {axis.setting: value}) for run in runs]
            same = tuple(_alike(axis.setting, config) for config in settings)
            if same in alike:
                raise _refusal(axis, alike[same], value, same[0][0])
            alike[same] = value


def needless_words(design: Design) -> str:
    """Return how many runs tell nothing that another does not, at the least, with one of them; empty for none.

    They are run all the same: which values need no run depends on those of other settings. Runs that are
    alike by what two settings do together are not counted.
    """
    known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    needless: list[str] = []
    for cell in design.cells():
        alike = (_alike(axis.setting, cell.config) for axis in design.axes)
        first = known.setdefault((cell.seed, *alike), cell.values)
        if first != cell.values:
            needless.append(
                f"{_typed(design, cell.values)}: {_typed(design, first)} tells the same"
            )
    if not needless:
        return ""
    tell = "tells" if len(needless) == 1 else "tell"
    return f"At least {len(needless):,} of {design.count():,} runs {tell} nothing new, such as {needless[0]}."


def _typed(design: Design, values: tuple[Any, ...]) -> str:
    """Return a place on the axes as it would be typed."""
    rows = [SETTINGS[axis.setting] for axis in design.axes]
    return " ".join(f"--{row.flag} {row.show(one)}" for row, one in zip(rows, values, strict=True))


def _alike(setting: str, config: RunConfig) -> tuple[str, Any]:
    """Return why and in what a run is like others with another value of the setting."""
    for reason in REASONS.get(setting, ()):
        if reason.applies(config):
            return reason.why, reason.alike(config)
    return "", value_of(config, setting)


def _refusal(axis: Axis, one: Any, other: Any, why: str) -> ConfigError:
    row = SETTINGS[axis.setting]
    if one == other:
        return ConfigError(f"--{row.flag} has {row.show(one)} twice: leave one of them out.")
    return ConfigError(
        f"--{row.flag} {row.show(one)} and {row.show(other)} need no run each: {why}."
    )
