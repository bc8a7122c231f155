"""How a watched training ends, and where that is told."""

import sys
from contextlib import suppress

from bntui.core.snapshot import Phase
from bntui.core.text import first_sentence


def how_ended(error: BaseException | None) -> tuple[Phase, str]:
    """Return how a training ended, and why it failed."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return Phase.FINISHED, ""
    if isinstance(error, KeyboardInterrupt):
        return Phase.STOPPED, ""
    return Phase.FAILED, f"{type(error).__name__}: {first_sentence(error)}"


def tell(said: str) -> None:
    """Print a paragraph to standard error, if there is one."""
    if said:
        with suppress(OSError, ValueError):  # a stream that is closed
            print(said, file=sys.stderr)
