"""Reads a TOML file that a user wrote, and tells of a mistake in it by file, line and key."""

import codecs
import tomllib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from bntui.core.regular_file import open_regular
from bntui.core.text import ConfigError, literal, reason
from bntui.experiments import toml_lines
from bntui.experiments.claims import nearest
from bntui.experiments.toml_lines import Where

MAX_BYTES = 100_000
OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How files in other encodings of Unicode begin, UTF-32 included."""
MAX_BITS = 64
"""Of a whole number, as TOML has it; Python would not write out thousands of digits."""


class FileError(ConfigError):
    """A file is not what it should be; the message is one sentence with the file, the line and the key."""


def read_text(path: Path, what: str) -> str:
    """Return the text of a file that is to be `what`: "experiment". Raises FileError."""
    called = literal(str(path))
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
        if content.startswith(OTHER_ENCODINGS) or b"\0" in content[:4]:
            raise FileError(f"{called} is in UTF-16 or UTF-32: save it as UTF-8.")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"{called}, line {line}: this is not UTF-8 text.") from None
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{called} can't be read ({reason(error)}).") from None
    if len(content) > MAX_BYTES:
        raise FileError(f"{called} is larger than {MAX_BYTES:,} bytes: no {what} is.")
    return text


class TomlFile:
    """What a file says, and the checks that its readers share."""

    def __init__(self, text: str, file: str) -> None:
        """Read a text; `file` is what messages call it. Raises FileError."""
        self._file = file
        try:
            self._lines = toml_lines.lines(text)
            self.data = tomllib.loads(text)
        except toml_lines.TooManyParts as error:
            raise FileError(f"{file}, line {error.line}: {error}.") from None
        except tomllib.TOMLDecodeError as error:
            what, _, where = str(error).removesuffix(")").rpartition(" (at ")
            place = where.partition(",")[0].replace(
                "end of document", f"line {text.count(chr(10)) + 1}"
            )
            raise FileError(f"{file}, {place}: {literal(what)}.") from None
        except ValueError:  # of Python's own: a whole number of thousands of digits
            raise FileError(f"{file}: a number in it has too many digits.") from None
        except RecursionError:
            raise FileError(f"{file}: its brackets are nested too deeply.") from None

    def typed(self, where: Where, value: Any) -> list[str]:
        """Return the numbers and texts of an option, one or a list, as they would be typed."""
        texts = []
        for item in self.listed(where, value):
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise self.refusal(where, "an option is a number or a text")
            if isinstance(item, int) and item.bit_length() > MAX_BITS:
                raise self.refusal(where, f"give whole numbers of at most {MAX_BITS} bits")
            texts.append(str(item))
        return texts

    def listed(self, where: Where, value: Any) -> list[Any]:
        """Return the values of an option, one or a list: an empty one would say nothing."""
        if value == []:
            raise self.refusal(where, "its list is empty: give a value, or leave it out")
        return value if isinstance(value, list) else [value]

    def judged(self, where: Where, judge: Callable[[], Any]) -> Any:
        """Return what `judge` does; its ConfigError is told with the place."""
        try:
            return judge()
        except ConfigError as error:
            raise self.refusal(where, str(error).rstrip(".")) from None

    def text(self, table: dict[str, Any], where: Where) -> str:
        """Return a text in one paragraph, with what would control a terminal written out."""
        value = table.get(str(where[-1]))
        self.must_be(value, str, where, "a text")
        text = " ".join(literal(word) for word in str(value).split())
        if not text:
            raise self.refusal(where, "this is empty")
        return text

    def one_of(self, table: dict[str, Any], where: Where, known: Collection[int]) -> int | None:
        """Return one of some numbers, or None where there is none."""
        value = table.get(str(where[-1]))
        if value is None or (type(value) is int and value in known):
            return value
        raise self.refusal(where, f"give one of {', '.join(map(str, known))}")

    def table(self, table: dict[str, Any], where: Where) -> dict[str, Any]:
        """Return a table that must be there."""
        value = table.get(str(where[-1]))
        self.must_be(value, dict, where, "a table")
        assert isinstance(value, dict)
        return value

    def tables(self, table: dict[str, Any], where: Where) -> list[dict[str, Any]]:
        """Return a list of tables that must be there."""
        value = table.get(str(where[-1]))
        self.must_be(value, list, where, "a list of tables")
        assert isinstance(value, list)
        for place, item in enumerate(value):
            self.must_be(item, dict, (*where, place), "a table")
        return value

    def only(self, table: dict[str, Any], where: Where, known: Sequence[str]) -> None:
        """Refuse keys that are not known."""
        for key in table:
            if key not in known:
                raise self.refusal((*where, key), f"there is no such key{nearest(key, known)}")

    def must_be(self, value: Any, kind: type, where: Where, what: str) -> None:
        """Refuse what is missing or of another kind."""
        if value is None:
            raise self.refusal(where, f"it is missing: give {what}")
        if not isinstance(value, kind):
            raise self.refusal(where, f"{shown(value)} is not {what}")

    def refusal(self, where: Where, fault: str) -> FileError:
        """Return the error with the file, the line of the key or of what it is in, and the key."""
        line = next(
            (
                self._lines[where[:length]]
                for length in range(len(where), 0, -1)
                if where[:length] in self._lines
            ),
            None,
        )
        place = f"{self._file}, line {line}" if line else self._file
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in where)
        return FileError(f"{place}, {literal(key[:80])}: {literal(fault)}.")


def shown(value: object) -> str:
    """Return a value as a message shows it: cut where it is long."""
    try:
        words = repr(value)
    except ValueError:  # Python writes out no whole number of thousands of digits
        return "a number of too many digits"
    return words if len(words) <= 60 else words[:59] + "…"
