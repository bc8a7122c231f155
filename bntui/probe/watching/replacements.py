"""Functions of libraries that functions of ours stand for, for a while. Imports no torch."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from bntui.probe.watching.own_frames import hidden


class Replacements:
    """Stand for functions of libraries, until `undo`."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def put(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        """Have `around(original, *arguments, **named)` called in place of the function `name` of `owner`.

        If somebody else has replaced the function since, `undo` leaves theirs there; what they then call
        of ours does what the original does.
        """
        original, active = getattr(owner, name), True

        @hidden
        @wraps(original)
        def stands(*arguments: Any, **named: Any) -> Any:
            if active:
                return around(original, *arguments, **named)
            return original(*arguments, **named)

        def undo() -> None:
            nonlocal active
            active = False
            if getattr(owner, name) is stands:
                setattr(owner, name, original)

        setattr(owner, name, stands)
        self._undo.append(undo)

    def undo(self) -> None:
        """Have every function do what it did before."""
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
