"""The line of every key of a TOML text, which tomllib doesn't give, and an error for one of too many parts.

The text is cut into tokens once, from its beginning to its end: time is linear in its length, whatever
it holds.
"""

import re

Where = tuple[str | int, ...]
"""The path to a value in a file: tables, keys, and indices of lists."""
MAX_PARTS = 10
"""Of a dotted key. tomllib keeps every beginning of one: of 20,000 parts these take gigabytes."""
TOKEN = re.compile(
    r"""
      (?P<text> \"{3} (?: [^"\\] | \\.? | "(?!"") )*+ "{0,5}   # closed, or open to the end
              | '{3} (?: [^'] | '(?!'') )*+ '{0,5}
              | " (?: [^"\\\n] | \\[^\n]? )*+ "?
              | ' [^'\n]*+ '? )
    | (?P<bare> [\w-]++ )
    | (?P<skip> [ \t\r]++ | \# [^\n]*+ )
    | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)


class TooManyParts(ValueError):  # noqa: N818 (what the key has)
    """A dotted key has more than `MAX_PARTS` parts; `line` is where it stands."""

    def __init__(self, line: int) -> None:
        super().__init__(f"a key has more than {MAX_PARTS} parts")
        self.line = line


def lines(text: str) -> dict[Where, int]:
    """Return the line of every table and key, as far as it stands outside of lists and inline tables.

    What is within those is found with what they are in. Raises TooManyParts. What is no TOML gets
    lines that mean nothing.
    """
    found: dict[Where, int] = {}
    tables: dict[Where, int] = {}
    """How many tables each list of tables has so far."""
    table: Where = ()
    parts: list[str] = []
    """Of the key or the header under way."""
    line, dots, brackets, depth, in_value = 1, 0, 0, 0, False
    for token in TOKEN.finditer(text):
        words = token[0]
        if token.lastgroup in {"text", "bare"}:
            parts.append(words.strip("\"'"))
        elif words == ".":
            dots += 1
            if dots >= MAX_PARTS:
                raise TooManyParts(line)
        elif token.lastgroup == "mark":
            if words == "\n" and not depth:
                brackets, in_value = 0, False
            elif in_value:
                depth = max(0, depth + (words in "[{") - (words in "]}"))
            elif words == "=":
                found.setdefault((*table, *parts), line)
                in_value = True
            elif words == "[":
                brackets += 1
            elif words == "]" and parts:
                table = tuple(parts)
                found.setdefault(table, line)
                if brackets == 2:
                    tables[table] = tables.get(table, -1) + 1
                    table = (*table, tables[table])
                    found.setdefault(table, line)
            parts, dots = [], 0
        line += words.count("\n")
    return found
