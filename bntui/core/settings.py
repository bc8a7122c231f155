"""What follows from the table of settings: options, planned changes, twins, and what files say.

The rows are in `config.py`. Imports no torch.
"""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from bntui.core.border import BorderError, convert
from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.parsers import MAX_EPOCHS, parse_update
from bntui.core.row import Row, completed
from bntui.core.text import ConfigError


def parse_change(value: str) -> Change:
    """Return the change that `UPDATE:NAME=VALUE` or `UPDATE:recalibrate` describes.

    Raises ConfigError.
    """
    update, _, what = value.partition(":")
    name, equals, text = what.partition("=")
    if what == "recalibrate":
        return Change(parse_update(update), "recalibrate")
    if not equals or name not in LIVE:
        raise ConfigError(
            f"change {value!r} is not understood: give UPDATE:NAME=VALUE with a name of "
            f"{', '.join(LIVE)}, or UPDATE:recalibrate, such as 97:momentum=0.9."
        )
    return Change(parse_update(update), LIVE[name].field, _parsed(LIVE[name], text))


def parse_twin(value: str) -> str:
    """Return the setting NAME=VALUE in its shortest form. Raises ConfigError."""
    name, equals, text = value.strip().partition("=")
    if not equals or name not in TWINS:
        raise ConfigError(
            f"twin {value!r} is not understood: give NAME=VALUE with a name of "
            f"{', '.join(TWINS)}, such as momentum=0.9."
        )
    return f"{name}={_parsed(TWINS[name], text)}"


def twin_setting(twin: str) -> tuple[Row, Any]:
    """Return the setting in which a twin differs, and its value. Raises ConfigError."""
    name, _, text = twin.partition("=")
    return TWINS[name], _parsed(TWINS[name], text)


def twin_of(config: RunConfig) -> RunConfig:
    """Return the configuration of the second run."""
    row, value = twin_setting(config.twin)
    # Nor does a planned change take the difference away.
    planned = tuple(one for one in config.at if one.setting != row.field)
    return with_values(replace(config, twin="", at=planned), {row.field: value})


def _parsed(row: Row, text: str) -> Any:
    """Return a value that is typed. Raises ConfigError."""
    assert row.parse, f"{row.field} is on or off"
    return row.parse(text)


def judged(settings: Mapping[str, Any], refused: list[str]) -> dict[str, Any]:
    """Return settings as a file has them, by their fields, judged as on the command line.

    An impossible value is left out, and its name is appended to `refused`. A value whose name is no
    setting stays as it is.
    """
    possible: dict[str, Any] = {}
    for name, value in settings.items():
        try:
            possible[name] = (
                judged_one(name, value) if name in SETTINGS and value is not None else value
            )
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


def judged_one(name: str, value: object) -> Any:
    """Return one setting as a file has it. Raises ConfigError and BorderError."""
    row = SETTINGS[name]
    if row.read:
        return row.read(value)
    if row.parse is None:
        return value
    plain = convert(_PLAIN, value)
    return row.parse("max" if plain == math.inf else str(plain))


def _planned(value: object) -> tuple[Change, ...]:
    """Return the planned changes that a file has. Raises ConfigError and BorderError."""
    return tuple(_change(one) for one in convert(list[Change], value))


def _change(change: Change) -> Change:
    update = parse_update(str(change.update))
    if change.setting == "recalibrate":
        return Change(update, "recalibrate")
    row = SETTINGS.get(change.setting)
    if row is None or not row.live:
        raise ConfigError(f"setting {change.setting!r} can't be changed on the way.")
    return Change(update, row.field, judged_one(row.field, change.value))


def _twin(value: object) -> object:
    """Return the twin that a file has, which may be none. Raises ConfigError and BorderError."""
    return value and parse_twin(convert(str, value))


_PLAIN: Any = int | float | str
_OF_OTHERS = {
    "at": Row(
        parse_change,
        "Change a knob on the way: 97:momentum=0.9 or 120:recalibrate; may be repeated",
        "CHANGE",
        twin=False,
        read=_planned,
    ),
    "twin": Row(
        parse_twin,
        "A second run in lockstep that differs so",
        "NAME=VALUE",
        twin=False,
        read=_twin,
    ),
}
"""The rows of `at` and `twin`, whose values name other settings."""


def _rows(kind: type[Knobs | RunConfig]) -> dict[str, Row]:
    """Return the rows of a dataclass by field, those of the knobs in their place among them."""
    rows: dict[str, Row] = {}
    for field in fields(kind):
        if field.name == "knobs":
            rows |= _rows(Knobs)
        else:
            row = field.metadata.get("row") or _OF_OTHERS[field.name]
            rows[field.name] = completed(row, field.name, field.default, live=kind is Knobs)
    return rows


SETTINGS = _rows(RunConfig)
"""Every setting by its field in `RunConfig` or `Knobs`."""
LIVE = {row.name: row for row in SETTINGS.values() if row.live and row.parse}
"""What `--at` can set, by its name there."""
TWINS = {row.name: row for row in (*LIVE.values(), *SETTINGS.values()) if row.twin and row.parse}
"""What `--twin` can set, by its name there."""
OPTIONS = {
    row.flag: row
    for row in (
        *SETTINGS.values(),
        completed(Row(None, "Short for --norm batch and --norm none"), "bn", None, live=False),
    )
}
"""Every option that describes a run, by what it is called without dashes."""


def value_of(config: RunConfig, name: str) -> Any:
    """Return a run's setting by its field."""
    return getattr(config.knobs if SETTINGS[name].live else config, name)


def values_of(config: RunConfig) -> dict[str, Any]:
    """Return every setting of a run by its field, the knobs among the others."""
    return {name: value_of(config, name) for name in SETTINGS}


def with_values(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """Return `config` with other settings, by their fields."""
    live = {name: value for name, value in changes.items() if SETTINGS[name].live}
    fixed = {name: value for name, value in changes.items() if name not in live}
    return replace(config, **fixed, knobs=replace(config.knobs, **live))


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options, by field, that have a value, --bn and --no-bn as the norm they mean.

    Raises ConfigError if two of them contradict each other.
    """
    norm = _norm(options.get("bn"), options.get("norm"))
    return {
        name: value
        for name, value in {**options, "norm": norm}.items()
        if name != "bn" and value not in (None, ())
    }


def config_of(options: Mapping[str, Any]) -> tuple[RunConfig, frozenset[str]]:
    """Return the run that the options describe, and the names of the fields they leave open.

    Raises ConfigError if two of them contradict each other.
    """
    changes = given(options)
    left_open = frozenset(options.keys() - changes.keys() - {"bn"})
    if "steps" in changes:
        changes.setdefault("epochs", MAX_EPOCHS)
    return with_values(RunConfig(), changes), left_open


def _norm(batch_norm: bool | None, norm: str | None) -> str | None:
    """Return the norm that --bn or --no-bn and --norm ask for. Raises ConfigError if they differ."""
    if batch_norm is None:
        return norm
    if norm is not None and batch_norm is (norm == "none"):
        flag = "--bn" if batch_norm else "--no-bn"
        raise ConfigError(f"{flag} and --norm {norm} contradict each other: leave one of them out.")
    return norm or ("batch" if batch_norm else "none")


def typed(value: object) -> str:
    """Return a value as it can be typed: with every digit it needs, a whole one without a point."""
    if value == math.inf:
        return "max"
    whole = isinstance(value, float) and value.is_integer()
    return f"{value:.0f}" if whole else str(value)


def change_words(change: Change) -> str:
    """Return a planned change as `--at` takes it."""
    row = SETTINGS.get(change.setting)
    what = f"{row.name}={typed(change.value)}" if row else change.setting
    return f"{change.update}:{what}"
