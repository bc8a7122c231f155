"""The border: values from a file become the types that they must have, or a BorderError of one sentence.

A store, a checkpoint or an experiment that somebody hands over can hold anything under right checksums.
What it must hold is declared by types: dataclasses, tuples, lists, dictionaries and unions of
them, with `Within`, `Length` and `Read` as annotations. Without one a whole number is a count, from 0
to `LARGEST_WHOLE`, and texts, lists and tables have at most `LONGEST` parts. Settings are judged by the parsers
of the command line besides: see `store.encoding`. docs/decisions.md says why no library does this.
"""

import math
import types
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from bntui.core.text import shorten

Thing = TypeVar("Thing")

LARGEST_WHOLE = 2**53
"""The largest whole number that every reader of JSON keeps exactly."""
LONGEST = 100_000
"""Characters of a text, items of a list and entries of a table."""
LONGEST_JSON = 4_000_000
"""Characters of one JSON text: its lists and tables take thirty times as much memory."""
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""How these numbers, for which JSON has no literal, are written: as texts."""


_KINDS = {
    dict: "a table",
    list: "a list",
    tuple: "a list",
    str: "a text",
    bytes: "bytes",
    bool: "true or false",
}
"""What messages call a type."""


class BorderError(ValueError):
    """A value of a file is not of the type that it must have; the message says where, and what it is."""


@dataclass(frozen=True, slots=True)
class Within:
    """The range of a number, both ends included; NaN and infinity are in none, unless `or_not_finite`."""

    low: float
    high: float
    or_not_finite: bool = False


@dataclass(frozen=True, slots=True)
class Length:
    """How many parts a text, a list or a table may have."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Read:
    """A function that reads a value, where its type does not say how. It raises ValueError."""

    by: Callable[[Any], Any]


Count = Annotated[int, Within(0, LARGEST_WHOLE)]
Positive = Annotated[int, Within(1, LARGEST_WHOLE)]
Share = Annotated[float, Within(0.0, 1.0)]
Seconds = Annotated[float, Within(0.0, 1e12)]


def parsed(text: object) -> Any:
    """Parse a text of JSON. Raises BorderError for another text, a long one, and one nested too deeply."""
    if not isinstance(text, str):
        raise _error("", text, "a text")
    if len(text) > LONGEST_JSON:
        raise BorderError(f"{len(text):,} characters are more than {LONGEST_JSON:,}")
    import json  # here: the start of bntui needs only the types

    try:
        return json.loads(text)
    except RecursionError:
        raise BorderError("its brackets are nested too deeply") from None
    except ValueError as error:
        raise BorderError(f"{shown(text)} is no JSON") from error


def convert(
    kind: type[Thing], value: object, *, unknown: list[str] | None = None, where: str = ""
) -> Thing:
    """Return a plain value as `kind`: a dataclass, or any other type that this border knows.

    A field with a default may be missing. If a list `unknown` is given, such a field may also be
    wrong: it gets its default, and its name is added to the list, as are the names of fields that the
    dataclass lacks. `where` is the path of the value, for the message. Raises BorderError.
    """
    thing: Thing = _converted(kind, value, unknown, where)
    return thing


def shown(value: object) -> str:
    """Return a value as a message shows it: short, without the items in it."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of too many digits"
    if isinstance(value, str):
        return repr(shorten(value, 40))
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"


def _converted(kind: Any, value: Any, unknown: list[str] | None, where: str) -> Any:
    origin, arguments = _form(kind)
    if origin is dataclass:
        return value if isinstance(value, kind) else _built(kind, value, unknown, where)
    if origin is Annotated:
        return _annotated(arguments, value, unknown, where)
    if origin in {Union, types.UnionType}:
        return _one_of(arguments, value, unknown, where)
    if origin in {tuple, list}:
        return _sequence(origin, arguments, value, unknown, where)
    if origin is dict:
        return {
            _converted(arguments[0], key, unknown, where): _converted(
                arguments[1], item, unknown, f"{where}.{shorten(str(key), 40)}"
            )
            for key, item in _checked(dict, value, where).items()
        }
    if kind is int:
        return _within(Within(0, LARGEST_WHOLE), _whole(value, where), where)
    if kind is float:
        return _number(value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise _error(where, value, f"one of {', '.join(map(str, kind))}") from None
    return _checked(kind, value, where)


def _annotated(
    arguments: tuple[Any, ...], value: Any, unknown: list[str] | None, where: str
) -> Any:
    kind, *notes = arguments
    for note in notes:
        if isinstance(note, Read):
            try:
                return note.by(value)
            except BorderError as error:
                raise BorderError(f"{where}: {error}") from None
            except (ValueError, OverflowError) as error:
                raise _error(where, value, str(error)) from None
    # An annotated range replaces the default range of an integer.
    value = _whole(value, where) if kind is int else _converted(kind, value, unknown, where)
    for note in notes:
        if isinstance(note, Within):
            _within(note, value, where)
        elif isinstance(note, Length) and not note.low <= len(value) <= note.high:
            raise _error(where, value, f"of {note.low:,} to {note.high:,} parts")
    return value


def _one_of(kinds: Iterable[Any], value: Any, unknown: list[str] | None, where: str) -> Any:
    """Return a value as the first of `kinds` that it fits; the first error where it fits none."""
    if value is None and type(None) in kinds:
        return None
    first: BorderError | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                return _converted(kind, value, unknown, where)
            except BorderError as error:
                first = first or error
    raise first or _error(where, value, "left out")


def _sequence(
    kind: type[Any], arguments: tuple[Any, ...], value: Any, unknown: list[str] | None, where: str
) -> Any:
    if not isinstance(value, list | tuple):
        raise _error(where, value, "a list")
    if kind is list or arguments[-1] is Ellipsis:
        if len(value) > LONGEST:
            raise _error(where, value, f"of at most {LONGEST:,} parts")
        each = (arguments[0],) * len(value)
    elif len(value) == len(arguments):
        each = arguments
    else:
        raise _error(where, value, f"of {len(arguments)} parts, and not {len(value):,}")
    return kind(
        _converted(one, item, unknown, f"{where}.{place}")
        for place, (one, item) in enumerate(zip(each, value, strict=True))
    )


def _built(kind: type[Any], values: Any, unknown: list[str] | None, where: str) -> Any:
    values = _checked(dict, values, where)
    hints = _hints(kind)  # type: ignore[arg-type]
    if unknown is not None:
        unknown += sorted(shorten(str(name), 40) for name in values.keys() - hints.keys())
    known: dict[str, Any] = {}
    for field in fields(kind):
        path = f"{where}.{field.name}" if where else field.name
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if field.name not in values:
            if not optional:
                raise BorderError(f"{path} is missing")
            continue
        try:
            known[field.name] = _converted(hints[field.name], values[field.name], unknown, path)
        except BorderError:
            if unknown is None or not optional:
                raise
            unknown.append(field.name)
    return kind(**known)


def _checked(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _error(where, value, _KINDS.get(kind) or f"a {kind.__name__}")
    if isinstance(value, str | dict) and len(value) > LONGEST:
        raise _error(where, value, f"of at most {LONGEST:,} parts")
    return value


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _error(where, value, "a whole number")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _error(where, value, "a number")
    try:
        return float(value)
    except OverflowError:
        raise _error(where, value, "a smaller number") from None


def _within(limits: Within, value: Any, where: str) -> Any:
    if limits.or_not_finite and not math.isfinite(value):
        return value
    if not limits.low <= value <= limits.high:
        raise _error(where, value, f"from {limits.low:,} to {limits.high:,}")
    return value


def _error(where: str, value: object, must: str) -> BorderError:
    return BorderError(f"{where or 'it'} is {shown(value)} and must be {must}")


@cache
def _form(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the origin and the arguments of a type; for a dataclass `dataclass`, and none."""
    if isinstance(kind, type) and is_dataclass(kind):
        return dataclass, ()
    return get_origin(kind), get_args(kind)


@lru_cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)
