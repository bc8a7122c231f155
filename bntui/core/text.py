"""Text of the user's and of libraries, fit to be shown, and the error that says what a user can do."""

import math
import re

LONGEST_WORD = 300
"""Characters of a word in a message; a path has fewer."""
LARGEST_WRITTEN = 1_000_000
"""A loss above it is written as such."""


class ConfigError(ValueError):
    """A value the user gave is out of bounds; the message is one sentence fit for the screen.

    What is not printable in it, the user's too, is written as an escape, and endless words are cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__(re.sub(rf"\S{{{LONGEST_WORD},}}", _shortened, literal(message)))


def storable(text: str) -> str:
    r"""Write as an escape (`\udce9`) what SQLite takes for no text: a byte that could not be decoded.

    Such come from command lines and file names.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def literal(text: str) -> str:
    r"""Write what is not printable as an escape: `\x1b`, `\n`, `\x00`, `\u202e`.

    No character of the result moves the cursor, sets a colour or reverses the direction of writing.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def first_sentence(text: object, length: int = 160) -> str:
    """Return the first sentence of what a library says, in at most `length` characters, no full stop."""
    lines = (line.partition(". ")[0].strip().rstrip(".") for line in str(text).splitlines())
    return shorten(next(filter(None, lines), ""), length)


def shorten(text: str, length: int) -> str:
    """Return `text` in at most `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def exact(value: float) -> str:
    """Write a number shortly, with as many digits as it takes to be read back: 0.9999999 is not 1."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def fixed(value: float, places: int) -> str:
    """Write a number with so many decimals; what rounds to nothing has no sign."""
    text = f"{value:.{places}f}"
    return text if float(text) else text.removeprefix("-")


def percent(share: float) -> str:
    """Write a share of 1 as a sentence has it: 12 %, and under 1 % for what is not nothing."""
    return "under 1 %" if 0.0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def plain(value: float) -> str:
    """Write a loss as a sentence has it, with no exponent: 0.09, 2.85, 1,234, over 1,000,000."""
    if not math.isfinite(value):
        return f"{value:g}"
    if abs(value) > LARGEST_WRITTEN:
        return f"{'under -' if value < 0 else 'over '}{LARGEST_WRITTEN:,}"
    return f"{value:.2f}" if abs(value) < 100.0 else f"{value:,.0f}"


def printable(text: str) -> str:
    """Return `text` without what would upset a terminal: files may have any name."""
    return "".join(character if character.isprintable() else "?" for character in text)


def reason(error: Exception) -> str:
    """Return an exception's own words without numbers and brackets; URLError wraps another."""
    inner = getattr(error, "reason", error)
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return str(words).rstrip(".")


def _shortened(word: re.Match[str]) -> str:
    return f"{word[0][:60]}…{word[0][-60:]}"
