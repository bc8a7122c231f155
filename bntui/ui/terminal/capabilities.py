"""What the terminal can show, and how much may be sent to it. Call `prepare` before textual is imported."""

import locale
import sys

from bntui.machine.environment import suggest, variable
from bntui.ui.terminal.glyphs import Glyphs

SSH_UPDATES_PER_SECOND = 4.0
LOCAL_UPDATES_PER_SECOND = 15.0


def over_ssh() -> bool:
    """Tell whether this session came over SSH."""
    return bool(variable("SSH_CONNECTION"))


def prepare() -> None:
    """Set what textual reads on import, unless the user did: no animations over SSH.

    And no keyboard protocol on the Linux console, which knows none.
    """
    if over_ssh():
        suggest("TEXTUAL_ANIMATIONS", "none")
    if variable("TERM") == "linux":
        suggest("TEXTUAL_DISABLE_KITTY_KEY", "1")


def updates_per_second() -> float:
    """Return how often the screen should follow the run."""
    return SSH_UPDATES_PER_SECOND if over_ssh() else LOCAL_UPDATES_PER_SECOND


def glyphs(*, plain: bool) -> Glyphs:
    """Return the characters that the terminal can show; `plain` asks for ASCII.

    A locale, or a PYTHONIOENCODING, that is not UTF-8 shows ASCII at most, and the Linux console's
    font has no braille.
    """
    written = sys.__stderr__.encoding if sys.__stderr__ else "utf-8"
    if plain or not {locale.getencoding().lower(), written.lower()} <= {"utf-8", "utf8"}:
        return Glyphs.ASCII
    return Glyphs.BLOCKS if variable("TERM") == "linux" else Glyphs.BRAILLE
