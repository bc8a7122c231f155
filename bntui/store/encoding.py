"""Settings and results as JSON, and back, whichever version of bntui or other program wrote them."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

from bntui.core.border import BorderError, convert, parsed, shown
from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import NO_DETAIL
from bntui.core.settings import judged
from bntui.core.snapshot import EpochReport, RunFacts

Thing = TypeVar("Thing")

SHORT = 10_000
"""Characters of the longest text whose value is cached."""
MOST_UNKNOWN = 20
"""The most names of unknown settings that are returned."""


def write(thing: Any) -> str:
    """Return a dataclass of plain values as strict JSON: infinity and NaN as "inf" and "nan"."""
    return json.dumps(finite(asdict(thing), str))


def read(kind: type[Thing], text: object) -> tuple[Thing, tuple[str, ...]]:
    """Return what `write` wrote, and the names of the settings that this version does not know.

    A field that is missing or wrong has its default. Raises BorderError if it has none.
    """
    unknown: list[str] = []
    thing = convert(kind, parsed(text), unknown=unknown)
    return thing, tuple(unknown)


def read_config(text: object) -> tuple[RunConfig, tuple[str, ...]]:
    """Return a run's configuration, and the names of the settings in it that this version does not know.

    Every setting is judged as it would be on the command line. Raises BorderError.
    """
    return _cached(_config, text)


def read_knobs(text: object) -> Knobs:
    """Return a run's knobs, judged in the same way. Raises BorderError."""
    return _cached(_knobs, text)


def read_facts(text: object) -> RunFacts:
    """Return what a run is made of. Raises BorderError."""
    return _cached(_facts, text)


def write_report(report: EpochReport) -> str:
    """Return an epoch's figures as JSON, layers without their channels."""
    return json.dumps(finite(report_values(report), str))


def report_values(report: EpochReport) -> dict[str, Any]:
    """Return an epoch's figures by name, layers without their channels."""
    values = asdict(report)
    for layer in values["layers"]:
        del layer["detail"]
    return values


def read_report(text: object) -> EpochReport:
    """Return an epoch's figures; every layer's channels are `NO_DETAIL`. Raises BorderError."""
    values = parsed(text)
    layers = values.get("layers") if isinstance(values, dict) else None
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict):
            layer["detail"] = NO_DETAIL
    return convert(EpochReport, values)


def finite(value: Any, instead: Callable[[float], Any] = lambda _: None) -> Any:
    """Replace every non-finite number, at any depth: strict JSON has no word for it."""
    if isinstance(value, float) and not math.isfinite(value):
        return instead(value)
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: finite(item, instead) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item, instead) for item in value]
    return value


def _cached(read: Callable[[object], Thing], text: object) -> Thing:
    """Return `read(text)`, from a cache if the text is short. Only for results that are frozen.

    Most runs of a store have the same settings as another.
    """
    short = isinstance(text, str) and len(text) <= SHORT
    return _from_cache(read, text) if short else read(text)


@lru_cache(maxsize=1024)
def _from_cache(read: Callable[[object], Thing], text: object) -> Thing:
    return read(text)


def _config(text: object) -> tuple[RunConfig, tuple[str, ...]]:
    return _settings(RunConfig, text)


def _knobs(text: object) -> Knobs:
    return _settings(Knobs, text)[0]


def _facts(text: object) -> RunFacts:
    return convert(RunFacts, parsed(text))


def _settings(kind: type[Thing], text: object) -> tuple[Thing, tuple[str, ...]]:
    return read_settings(kind, parsed(text))


def read_settings(kind: type[Thing], values: object) -> tuple[Thing, tuple[str, ...]]:
    """Return settings of parsed JSON, and the names of those that are not known or not possible.

    Raises BorderError.
    """
    unknown: list[str] = []
    if not isinstance(values, Mapping):
        raise BorderError(f"it is {shown(values)} and must be a table")
    possible = judged(values, unknown)
    if isinstance(knobs := possible.get("knobs"), Mapping):
        possible["knobs"] = judged(knobs, unknown)
    thing = convert(kind, possible, unknown=unknown)
    return thing, tuple(unknown[:MOST_UNKNOWN])
