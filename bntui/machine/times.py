"""The time zone that a user asks for."""

import os
import re
from datetime import UTC, datetime

_POSIX = re.compile(
    r"(<[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,})[+-]?[0-9]{1,2}(:[0-9]{1,2}){0,2}(\W.*|[A-Za-z<].*)?"
)
"""A zone that TZ describes itself, such as CET-1CEST; how far off it may be is not said here."""


def is_zone(name: str) -> bool:
    """Tell whether a value of TZ names or describes a time zone that is known here."""
    name = name.removeprefix(":")
    try:
        datetime.now(UTC).astimezone()  # one that is more than a day off raises
        if name in {"UTC", "GMT"} or _POSIX.fullmatch(name):
            return True
        if os.path.isabs(name):  # noqa: PTH117
            if not os.path.isfile(name):  # noqa: PTH113
                return False
            with open(name, "rb") as file:  # noqa: PTH123
                return file.read(4) == b"TZif"
        from zoneinfo import ZoneInfo

        ZoneInfo(name)
    except (KeyError, OverflowError, ValueError, OSError):
        return False
    return True
