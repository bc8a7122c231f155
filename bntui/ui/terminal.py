"""What the terminal at the other end can bear. Call `prepare` before textual is imported."""

import locale
import os

from bntui.ui.glyphs import Glyphs

SSH_UPDATES_PER_SECOND = 4.0
LOCAL_UPDATES_PER_SECOND = 15.0


def over_ssh() -> bool:
    """Tell whether this session came over SSH."""
    return "SSH_CONNECTION" in os.environ


def prepare() -> None:
    """Set what textual reads on import, unless the user did: no animations over SSH.

    And no keyboard protocol on the Linux console, which knows none.
    """
    if over_ssh():
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if os.environ.get("TERM") == "linux":
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")


def updates_per_second() -> float:
    """Return how often the screen should follow the run."""
    return SSH_UPDATES_PER_SECOND if over_ssh() else LOCAL_UPDATES_PER_SECOND


def glyphs(*, plain: bool) -> Glyphs:
    """Return the characters that the terminal can show; `plain` asks for ASCII.

    A locale that is not UTF-8 shows ASCII at most, and the Linux console's font has no braille.
    """
    if plain or locale.getencoding().lower() not in {"utf-8", "utf8"}:
        return Glyphs.ASCII
    return Glyphs.BLOCKS if os.environ.get("TERM") == "linux" else Glyphs.BRAILLE
