"""What a command that draws a screen needs of the terminal."""

import sys

from bntui.core.text import ConfigError
from bntui.machine import environment


def refuse_without_terminal(what: str, instead: str = "") -> None:
    """Raise ConfigError if there is no terminal that `what` can be drawn on.

    `instead` says what to do then.
    """
    way_out = f": {instead}." if instead else "."
    if not all(stream and stream.isatty() for stream in (sys.stdout, sys.stdin)):
        raise ConfigError(f"{what} needs a terminal, and standard output or input is none{way_out}")
    if environment.variable("TERM") == "dumb":
        raise ConfigError(
            f"{what} needs a terminal that can place its cursor, and TERM is 'dumb'{way_out}"
        )
