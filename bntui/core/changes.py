"""One setting by its name: what `--at` changes, what `--twin` differs in, what a file says of it.

Imports no torch.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bntui.core import limits
from bntui.core.border import BorderError, convert
from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.text import ConfigError

CHANGES: dict[str, tuple[str, Callable[[str], float | str]]] = {
    "batch": ("batch_size", limits.parse_batch_size),
    "momentum": ("momentum", limits.parse_momentum),
    "estimator": ("estimator", limits.parse_estimator),
    "lr": ("learning_rate", limits.parse_learning_rate),
    "pace": ("pace", limits.parse_pace),
}
"""What `--at` can set: the name there, the field of `Knobs`, and its judge."""
STRUCTURE: dict[str, tuple[str, Callable[[str], float | str]]] = {
    "norm": ("norm", limits.parse_norm),
    "norm-layers": ("norm_layers", limits.parse_norm_layers),
    "depth": ("depth", limits.parse_depth),
    "width": ("width", limits.parse_width),
    "ghost-batch": ("ghost_batch", limits.parse_ghost_batch),
    "ghost-updates": ("ghost_updates", limits.parse_ghost_updates),
    "optimizer": ("optimizer", limits.parse_optimizer),
    "batch-schedule": ("batch_schedule", limits.parse_batch_schedule),
    "lr-rule": ("lr_rule", limits.parse_lr_rule),
    "lr-warmup": ("lr_warmup", limits.parse_lr_warmup),
    "base-batch": ("base_batch", limits.parse_base_batch),
    "seed": ("seed", limits.parse_seed),
}
"""What else `--twin` can set: the name there, the field of `RunConfig`, and its judge."""
TWIN_SETTINGS = {name: own for name, own in (CHANGES | STRUCTURE).items() if name != "pace"}
"""All that it can set: what changes a number."""


def option_of(field_name: str) -> str:
    """Return how `--at` and `--twin` call a field of `Knobs` or `RunConfig`."""
    return next(name for name, (own, _) in (CHANGES | STRUCTURE).items() if own == field_name)


def parse_change(value: str) -> Change:
    """Return the change that `UPDATE:NAME=VALUE` or `UPDATE:recalibrate` describes.

    Raises ConfigError.
    """
    update, _, what = value.partition(":")
    name, equals, setting = what.partition("=")
    if what == "recalibrate":
        return Change(limits.parse_update(update), "recalibrate")
    if not equals or name not in CHANGES:
        raise ConfigError(
            f"change {value!r} is not understood: give UPDATE:NAME=VALUE with a name of "
            f"{', '.join(CHANGES)}, or UPDATE:recalibrate, such as 97:momentum=0.9."
        )
    knob, parse = CHANGES[name]
    return Change(limits.parse_update(update), knob, parse(setting))


def parse_twin(value: str) -> str:
    """Return the setting NAME=VALUE in its shortest form. Raises ConfigError."""
    name, equals, setting = value.strip().partition("=")
    if not equals or name not in TWIN_SETTINGS:
        raise ConfigError(
            f"twin {value!r} is not understood: give NAME=VALUE with a name of "
            f"{', '.join(TWIN_SETTINGS)}, such as momentum=0.9."
        )
    return f"{name}={TWIN_SETTINGS[name][1](setting)}"


def twin_field(twin: str) -> str:
    """Return the field of `Knobs` or `RunConfig` in which a twin differs."""
    return TWIN_SETTINGS[twin.partition("=")[0]][0]


def twin_of(config: RunConfig) -> RunConfig:
    """Return the configuration of the second run."""
    name, _, setting = config.twin.partition("=")
    field_name, parse = TWIN_SETTINGS[name]
    change: dict[str, Any] = {field_name: parse(setting)}
    # Nor does a planned change take the difference away.
    planned = tuple(one for one in config.at if one.setting != field_name)
    alone = replace(config, twin="", at=planned)
    if name in CHANGES:
        return replace(alone, knobs=replace(config.knobs, **change))
    return replace(alone, **change)


def judged(settings: Mapping[str, Any], refused: list[str]) -> dict[str, Any]:
    """Return settings as a file has them, by their fields, judged as on the command line.

    What is not possible is left out, and its name added to those `refused`. A field that nobody
    judges stays as it is.
    """
    possible: dict[str, Any] = {}
    for name, value in settings.items():
        judge = _JUDGES.get(name)
        if judge is None or value is None:
            possible[name] = value
            continue
        try:
            possible[name] = judge(value)
        except (ConfigError, BorderError):
            refused.append(name)
    return possible


def knobs_of(settings: object) -> Knobs:
    """Return knobs as a file has them, judged as on the command line. Raises BorderError."""
    refused: list[str] = []
    possible = judged(convert(dict, settings), refused)
    if refused:
        raise BorderError(f"{', '.join(refused)} can't be so")
    return convert(Knobs, possible)


def _by(parse: Callable[[str], Any]) -> Callable[[object], Any]:
    """Return a judge of a file's value from one of what is typed."""

    def judge(value: object) -> Any:
        plain = convert(_PLAIN, value)
        if plain == math.inf:  # as the command line has it
            plain = "max"
        return parse(str(plain))

    return judge


def _planned(value: object) -> tuple[Change, ...]:
    return tuple(_change(one) for one in convert(list[Change], value))


def _change(change: Change) -> Change:
    """Return one planned change. Raises ConfigError."""
    if change.setting == "recalibrate":
        return Change(limits.parse_update(str(change.update)), "recalibrate")
    for field_name, parse in CHANGES.values():
        if field_name == change.setting:
            value = _by(parse)(change.value)
            return Change(limits.parse_update(str(change.update)), field_name, value)
    raise ConfigError(f"setting {change.setting!r} can't be changed on the way.")


_PLAIN: Any = int | float | str
_JUDGES: dict[str, Callable[[object], Any]] = {
    **{name: _by(parse) for name, parse in (CHANGES | STRUCTURE).values()},
    "train_size": _by(limits.parse_train_size),
    "device": _by(limits.parse_device),
    "threads": _by(limits.parse_threads),
    "epochs": _by(limits.parse_epochs),
    "steps": _by(limits.parse_steps),
    "twin": lambda value: value and _by(parse_twin)(value),
    "at": _planned,
}
"""By field, who judges what a file says of it. Where data lie is found out when they are read."""
