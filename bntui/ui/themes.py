"""The themes that the explorer can have, by name."""

from difflib import get_close_matches

from textual.theme import BUILTIN_THEMES

from bntui.core.text import ConfigError, shorten

DEFAULT = "textual-dark"


def names() -> list[str]:
    """Return the names of all themes."""
    return sorted(BUILTIN_THEMES)


def known_theme(name: object) -> str:
    """Return the name of a theme, in small letters. Raises ConfigError for one that there is not."""
    wanted = str(name).strip().lower()
    if isinstance(name, str) and wanted in BUILTIN_THEMES:
        return wanted
    close = get_close_matches(wanted, names(), 1)
    nearest = f", the nearest is {close[0]}" if close else ""
    raise ConfigError(
        f"there is no theme {shorten(str(name), 40)!r}{nearest}; there are {', '.join(names())}."
    )
