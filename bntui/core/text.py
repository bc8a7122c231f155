"""Text of the user's, fit to be shown."""


def storable(text: str) -> str:
    r"""Write as an escape (`\udce9`) what SQLite takes for no text: a byte that could not be decoded.

    Such come from command lines and file names.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def literal(text: str) -> str:
    r"""Write what is not printable as an escape: `\x1b`, `\n`, `\x00`, `\u202e`.

    What is left moves no cursor, changes no colour and turns no direction.
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
