"""A setting's values as they are typed: one, a list `16,64,256`, or a range `64..4096x2`. Pure."""

import re
from decimal import Decimal

from bntui.core.row import Row
from bntui.core.text import ConfigError

MOST_VALUES = 10_000
"""Of a range, and runs of a sweep."""
ONE_BY_ONE = {"dataset", "data_dir", "batch_schedule", "at", "twin"}
"""Settings whose values can have commas or dots in them: a list is the option repeated."""
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?"
_BOUNDS = re.compile(rf"({_NUMBER})\.\.({_NUMBER})", re.IGNORECASE)
_RANGE = re.compile(rf"{_BOUNDS.pattern}([x×+])({_NUMBER})", re.IGNORECASE)


def parse_values(row: Row, text: str) -> tuple[object, ...]:
    """Return the values of a setting that `text` lists. Raises ConfigError."""
    if row.field in ONE_BY_ONE:
        return (_one_by_one(row, text),)
    parts = [part.strip() for part in text.split(",")]
    texts = [one for part in parts for one in (_range(part) if _BOUNDS.match(part) else [part])]
    return tuple(row.parse_typed(one) for one in texts)


def _one_by_one(row: Row, text: str) -> object:
    try:
        return row.parse_typed(text)
    except ConfigError as error:
        if "," not in text or row.field not in {"dataset", "batch_schedule"}:
            raise
        raise ConfigError(
            f"{str(error).rstrip('.')}; for several repeat the option, --{row.flag} … --{row.flag} …."
        ) from None


def _range(text: str) -> list[str]:
    """Return the values of a range, as they would be typed. Raises ConfigError."""
    match = _RANGE.fullmatch(text)
    if not match:
        low, high = _BOUNDS.match(text).groups()  # type: ignore[union-attr]
        raise ConfigError(
            f"range {text!r} is not understood: give a factor or a step, such as {low}..{high}x2 "
            f"or {low}..{high}+2."
        )
    low, high, by = (Decimal(match[place]) for place in (1, 2, 4))
    grows = match[3] != "+"
    if low > high:
        raise ConfigError(f"range {text!r} is empty: give the smaller number first.")
    if (grows and (by <= 1 or low <= 0)) or by <= 0:
        needed = "a factor above 1 and a first number above 0" if grows else "a step above 0"
        raise ConfigError(f"range {text!r} never ends: give {needed}.")
    values = [low]
    while (last := values[-1] * by if grows else values[-1] + by) <= high:
        if len(values) == MOST_VALUES or last == values[-1]:
            raise ConfigError(
                f"range {text!r} has over {MOST_VALUES:,} values: give a larger "
                f"{'factor' if grows else 'step'}."
            )
        values.append(last)
    return [_typed(value) for value in values]


def _typed(value: Decimal) -> str:
    """Return a number of a range in the shortest form: 64, 0.01."""
    number = float(value)
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else repr(number)
