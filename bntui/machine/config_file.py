"""A small TOML file of the user's: read whatever it holds, changed line by line, never half written.

It knows no key: what they mean, and which values they can have, is for whoever reads them.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bntui.core.regular_file import open_regular
from bntui.core.text import ConfigError, literal, reason
from bntui.machine.places import (
    HOMELESS,
    can_be_made,
    free_damaged_name,
    is_nowhere,
    make_folder,
    new_file,
)

MAX_BYTES = 64_000
MAX_LINE = 1_000
"""Characters of a line: a key of 20,000 parts between dots takes gigabytes to parse."""
_COMMENTS = re.compile(r"([ \t]*(#[^\n]*)?\r?\n)*")


class Damaged(ConfigError):  # noqa: N818 (what the file is)
    """The file holds no TOML: what is written next takes its place, and it gets another name."""


def read(path: Path) -> dict[str, Any]:
    """Return what the file holds, nothing where there is none.

    Raises ConfigError where it can't be read, Damaged where it is not what it should be.
    """
    return _parsed(path, _text(path))


def change(path: Path, values: Mapping[str, bool | float | str]) -> str:
    """Write other values of some keys, and keep whatever else the file holds, comments too.

    It is read again first: another program may have changed it since. Returns what is to be told of a
    damaged file, which is set aside. Raises ConfigError where nothing can be written.
    """
    if path == Path(os.devnull):
        return ""
    if is_nowhere(path):
        raise ConfigError(f"{HOMELESS}.")
    text, old, damage = "", {}, ""
    try:
        text = _text(path)
        old = _parsed(path, text)
    except Damaged as error:
        damage = str(error).removesuffix(".")
    try:
        content = changed("" if damage else text, old, values).encode()
        aside = free_damaged_name(path)
        if damage:
            path.rename(aside)
        make_folder(path.parent)
        with new_file(path, over=True) as file:
            file.write(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be written ({reason(error)}).") from None
    return damage and f"{damage}; it is set aside as {literal(aside.name)}."


def can_be_changed(path: Path) -> bool:
    """Tell whether something can be remembered there."""
    if path == Path(os.devnull) or is_nowhere(path):
        return False
    try:
        target = Path(os.path.realpath(path))
        return (not os.path.lexists(target) or target.is_file()) and can_be_made(target)
    except (OSError, ValueError):
        return False


def changed(text: str, old: Mapping[str, Any], values: Mapping[str, bool | float | str]) -> str:
    """Return the text of a file, which says `old`, with other values of some keys of its first table.

    Raises ConfigError where a line does not let itself be changed.
    """
    for key, value in values.items():
        wanted = {**old, key: value}
        found = (new for new in _with(text, key, value) if _says(new, wanted))
        if (new := next(found, None)) is None:
            raise ConfigError(f"its line of {key} can only be changed by hand.")
        text, old = new, wanted
    return text


def written(value: bool | float | str) -> str:
    """Return a value as TOML writes it; a text must not hold control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def _with(text: str, key: str, value: bool | float | str) -> Iterator[str]:
    """Yield the texts that may be meant: with each line changed that looks like the key's, or a new one.

    A line within a text of several lines looks like one, too.
    """
    line = re.compile(
        rf"^([ \t]*{re.escape(key)}[ \t]*=[ \t]*)([^#\n]*?)([ \t]*(?:#[^\n]*)?\r?)$", re.M
    )
    for match in line.finditer(text):
        yield text[: match.start(2)] + written(value) + text[match.end(2) :]
    comments = _COMMENTS.match(text)
    head = comments.end() if comments else 0
    new = f"{key} = {written(value)}\n"
    yield f"{text[:head]}{new}{text[head:]}"  # below the comments at its beginning
    yield f"{new}{text}"


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    import tomllib

    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    # As texts: 1 is True, and NaN is not itself.
    return {key: repr(value) for key, value in said.items()} == {
        key: repr(value) for key, value in wanted.items()
    }


def _text(path: Path) -> str:
    """Return the text of the file, none where there is none. Raises ConfigError."""
    if is_nowhere(path) or path == Path(os.devnull):
        return ""
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Damaged(f"{path} is larger than {MAX_BYTES:,} bytes.")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise Damaged(f"{path} is not UTF-8 text.") from None
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read ({reason(error)}).") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    if not text:
        return {}
    if max(map(len, text.splitlines())) > MAX_LINE:
        raise Damaged(f"{path} has a line of more than {MAX_LINE:,} characters.")
    import tomllib  # the first start has no file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Damaged(f"{path} is no TOML ({reason(error)}).") from None
    except ValueError:  # of Python's own: a whole number of thousands of digits
        raise Damaged(f"{path} has a number of too many digits.") from None
    except RecursionError:
        raise Damaged(f"{path} has brackets that are nested too deeply.") from None
