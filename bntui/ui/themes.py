"""The themes that the explorer can have, by name: bntui's own and Textual's."""

from difflib import get_close_matches

from textual.theme import BUILTIN_THEMES, Theme

from bntui.core.text import ConfigError, shorten
from bntui.machine.environment import variable

# What has the focus is violet, which no curve is; 16 colours have a magenta for it.
OWN = (
    Theme(
        name="bntui",
        dark=True,
        primary="#b57bff",
        secondary="#7aa2f7",
        accent="#e0a3d0",
        foreground="#dcdfe6",
        background="#0f1117",
        surface="#171a23",
        panel="#1f2430",
        warning="#e69f00",
        error="#d55e00",
        success="#009e73",
    ),
    Theme(
        name="bntui-light",
        dark=False,
        primary="#7a2fa5",
        secondary="#3a5fb0",
        accent="#a0407f",
        foreground="#1c1f26",
        background="#fbfaf7",
        surface="#f3f1ec",
        panel="#e8e5de",
        warning="#8f6000",
        error="#b34700",
        success="#00704f",
    ),
)
"""bntui's own: the first is what it opens with."""
_NAMES = sorted((*BUILTIN_THEMES, *(theme.name for theme in OWN)))


def names() -> list[str]:
    """Return the names of all themes."""
    return list(_NAMES)


def default() -> str:
    """Return the theme that nobody has chosen: bntui's, unless Textual is told another one."""
    asked = variable("TEXTUAL_THEME")
    return asked if asked in _NAMES else OWN[0].name


def known_theme(name: object) -> str:
    """Return the name of a theme, in small letters. Raises ConfigError for one that there is not."""
    wanted = str(name).strip().lower()
    if isinstance(name, str) and wanted in _NAMES:
        return wanted
    close = get_close_matches(wanted, _NAMES, 1)
    nearest = f", the nearest is {close[0]}" if close else ""
    raise ConfigError(
        f"there is no theme {shorten(str(name), 40)!r}{nearest}; there are {', '.join(_NAMES)}."
    )
