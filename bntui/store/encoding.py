"""Settings and results as JSON, and back from whatever version of bntui wrote them."""

import json
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from bntui.engine.config import Knobs, RunConfig
from bntui.engine.snapshot import NO_DETAIL, EpochReport, RunFacts

Thing = TypeVar("Thing")


def write(thing: Any) -> str:
    """Return a dataclass of plain values as strict JSON: infinity and NaN as "inf" and "nan"."""
    return json.dumps(finite(asdict(thing), str))


def read(kind: type[Thing], text: str) -> tuple[Thing, tuple[str, ...]]:
    """Return what `write` wrote, and the names of the settings that this version does not know.

    What is missing, or can't be understood, has its default. Raises ValueError if there is none.
    """
    unknown: list[str] = []
    thing: Thing = _decoded(kind, json.loads(text), unknown)
    return thing, tuple(unknown)


def read_config(text: str) -> tuple[RunConfig, tuple[str, ...]]:
    """Return a run's configuration, and the names of what this version does not know of it."""
    return read(RunConfig, text)


def read_knobs(text: str) -> Knobs:
    """Return a run's knobs."""
    return read(Knobs, text)[0]


def read_facts(text: str) -> RunFacts:
    """Return what a run is made of."""
    return read(RunFacts, text)[0]


def write_report(report: EpochReport) -> str:
    """Return an epoch's figures as JSON, layers without their channels."""
    return json.dumps(finite(report_values(report), str))


def report_values(report: EpochReport) -> dict[str, Any]:
    """Return an epoch's figures by name, layers without their channels."""
    values = asdict(report)
    for layer in values["layers"]:
        del layer["detail"]
    return values


def read_report(text: str) -> EpochReport:
    """Return an epoch's figures; every layer's channels are `NO_DETAIL`."""
    values = json.loads(text)
    for layer in values.get("layers", ()):
        layer["detail"] = NO_DETAIL
    report: EpochReport = _decoded(EpochReport, values, [])
    return report


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


def _decoded(kind: Any, value: Any, unknown: list[str]) -> Any:
    """Return a JSON value as the type `kind`. Raises TypeError or ValueError."""
    if isinstance(kind, type) and is_dataclass(kind):
        return value if isinstance(value, kind) else _built(kind, value, unknown)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _one_of(arguments, value, unknown)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(_decoded(arguments[0], item, unknown) for item in value)
        return tuple(_decoded(a, item, unknown) for a, item in zip(arguments, value, strict=True))
    if kind is float:
        return float(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _one_of(kinds: Iterable[Any], value: Any, unknown: list[str]) -> Any:
    """Return a JSON value as the first of `kinds` that it can be: a number before a text."""
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        with suppress(TypeError, ValueError):
            return _decoded(kind, value, unknown)
    raise TypeError(f"{value!r} is none of {kinds}")


def _built(kind: type[Any], values: dict[str, Any], unknown: list[str]) -> Any:
    if not isinstance(values, dict):
        raise TypeError(f"{values!r} is no {kind.__name__}")
    hints = _hints(kind)  # type: ignore[arg-type]
    unknown += sorted(values.keys() - hints.keys())
    known: dict[str, Any] = {}
    for field in fields(kind):
        if field.name not in values:
            continue
        try:
            known[field.name] = _decoded(hints[field.name], values[field.name], unknown)
        except (TypeError, ValueError):
            if field.default is MISSING and field.default_factory is MISSING:
                raise
            unknown.append(field.name)
    return kind(**known)


@lru_cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)
