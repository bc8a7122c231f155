"""Tracebacks of a script that bntui runs: printed as Python prints them, without frames of bntui's."""

import sys
from collections.abc import Callable, Iterator
from types import CodeType, TracebackType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_within: set[CodeType] = set()
"""Functions of ours that the script's code comes to call, or that call it."""
_outermost: set[CodeType] = set()
"""Functions of ours that run the script: what has called them is not its code either."""


def hidden(function: Function) -> Function:
    """Leave this function out of what is printed of the script's exceptions."""
    _within.add(function.__code__)
    return function


def outermost(function: Function) -> Function:
    """Leave this function, which runs the script, and all that called it out of what is printed."""
    _outermost.add(function.__code__)
    return function


def hide_ours() -> None:
    """Have the exception that ends the program printed without our frames, by whatever hook prints it."""
    sys.excepthook = _without_ours(sys.excepthook)


def _without_ours(hook: Hook) -> Hook:
    def print_own(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        for each in _with_its_causes(error):
            each.__traceback__ = own(each.__traceback__)
        hook(kind, error, own(trace))

    return print_own


def own(trace: TracebackType | None) -> TracebackType | None:
    """Take our frames out of a traceback, and return what is left; None if nothing is."""
    steps = []
    while trace is not None:
        steps.append(trace)
        if trace.tb_frame.f_code in _outermost:
            steps.clear()
        trace = trace.tb_next
    kept = [one for one in steps if one.tb_frame.f_code not in _within]
    following = None
    for one in reversed(kept):
        one.tb_next = following
        following = one
    return following


def _with_its_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that are printed with it, each once."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [one.__cause__, one.__context__]
            if isinstance(one, BaseExceptionGroup):
                left += one.exceptions
