"""What a check is asked for, judged before anything is measured."""

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

from torch import nn

from bntui.core.signatures import why_not_called_with
from bntui.core.text import first_sentence
from bntui.probe.errors import ProbeError
from bntui.probe.model_errors import refuse_unfilled

LARGEST_SEED = 2**63 - 1
"""The largest that torch's generators take."""


def refuse_arguments(
    numbers: Mapping[str, Any],
    seed: Any,
    functions: Mapping[str, tuple[Any, tuple[str, ...]]],
    averaged_from: Any,
    against: Any,
) -> None:
    """Raise ProbeError for an argument that a check can't use: one sentence with the way out.

    `numbers` must be counts; `functions` are given with what they are called with, None for none.
    """
    for name, value in numbers.items():
        if not _is_whole(value) or value < 1:
            raise ProbeError(f"{name} must be a whole number from 1 on: {value!r} was given.")
    if not _is_whole(seed) or not 0 <= seed <= LARGEST_SEED:
        raise ProbeError(f"seed must be a whole number from 0 to 2^63 - 1: {seed!r} was given.")
    for name, (function, wanted) in functions.items():
        if function is not None:
            _refuse_function(name, function, wanted)
    if averaged_from is not None and not isinstance(averaged_from, nn.Module):
        raise ProbeError(
            f"averaged_from is of the type {type(averaged_from).__name__}: give the nn.Module whose weights "
            "the model averages."
        )
    if against is not None and not callable(against):
        raise ProbeError(
            f"against is of the type {type(against).__name__}, which can't be called: give an nn.Module, or "
            "a function that is called like the model."
        )
    for name, other in (("averaged_from", averaged_from), ("against", against)):
        if isinstance(other, nn.Module):
            refuse_unfilled(other, f"{name}: ")


def refuse_forward(forward: Callable[..., Any] | None) -> None:
    """Raise ProbeError for a `forward` that can't be called with a model and a batch."""
    if forward is not None:
        _refuse_function("forward", forward, ("model", "batch"))


def _refuse_function(name: str, function: Any, wanted: tuple[str, ...]) -> None:
    of = f"give a function of {' and '.join(wanted)}"
    if not callable(function):
        raise ProbeError(f"{name} is of the type {type(function).__name__}, not a function: {of}.")
    if why := why_not_called_with(function, *wanted):
        raise ProbeError(
            f"{name} can't be called as {name}({', '.join(wanted)}) ({first_sentence(why)}): {of}."
        )


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
