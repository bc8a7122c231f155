"""Settings and results as JSON, and back from whatever version of bntui, or whoever, wrote them."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

from bntui.border import BorderError, convert, parsed, shown
from bntui.engine.changes import judged
from bntui.engine.config import Knobs, RunConfig
from bntui.engine.snapshot import NO_DETAIL, EpochReport, RunFacts

Thing = TypeVar("Thing")

MOST_UNKNOWN = 20
"""Settings that are named, of those that this version does not know."""


def write(thing: Any) -> str:
    """Return a dataclass of plain values as strict JSON: infinity and NaN as "inf" and "nan"."""
    return json.dumps(finite(asdict(thing), str))


def read(kind: type[Thing], text: object) -> tuple[Thing, tuple[str, ...]]:
    """Return what `write` wrote, and the names of the settings that this version does not know.

    What is missing, or can't be understood, has its default. Raises BorderError if there is none.
    """
    unknown: list[str] = []
    thing = convert(kind, parsed(text), unknown=unknown)
    return thing, tuple(unknown)


def read_config(text: object) -> tuple[RunConfig, tuple[str, ...]]:
    """Return a run's configuration, and the names of what this version does not know of it.

    Every setting is judged as it would be on the command line. Raises BorderError.
    """
    read: tuple[RunConfig, tuple[str, ...]] = _settings(RunConfig, text)
    return read


def read_knobs(text: object) -> Knobs:
    """Return a run's knobs, judged in the same way. Raises BorderError."""
    knobs: Knobs = _settings(Knobs, text)[0]
    return knobs


def read_facts(text: object) -> RunFacts:
    """Return what a run is made of. Raises BorderError."""
    return convert(RunFacts, parsed(text))


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


def settings(config: RunConfig) -> dict[str, Any]:
    """Return every setting by its name, the knobs among the others."""
    flat: dict[str, Any] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            flat |= {inner.name: getattr(value, inner.name) for inner in fields(value)}
        else:
            flat[field.name] = value
    return flat


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


@lru_cache(maxsize=512)
def _settings(kind: type[Thing], text: object) -> tuple[Thing, tuple[str, ...]]:
    """Return settings, and the names of those that are not known or not possible.

    Most runs of a store have the settings of another, so what was read is kept.
    """
    values, unknown = parsed(text), list[str]()
    if not isinstance(values, Mapping):
        raise BorderError(f"it is {shown(values)} and must be a table")
    possible = judged(values, unknown)
    if isinstance(knobs := possible.get("knobs"), Mapping):
        possible["knobs"] = judged(knobs, unknown)
    thing = convert(kind, possible, unknown=unknown)
    return thing, tuple(unknown[:MOST_UNKNOWN])
