"""What the terminal at the other end can bear. Call `prepare` before textual is imported."""

import os

SSH_UPDATES_PER_SECOND = 4.0
LOCAL_UPDATES_PER_SECOND = 15.0


def over_ssh() -> bool:
    """Tell whether this session came over SSH."""
    return "SSH_CONNECTION" in os.environ


def prepare() -> None:
    """Turn animations off over SSH, unless the user said otherwise: textual reads it on import."""
    if over_ssh():
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")


def updates_per_second() -> float:
    """Return how often the screen should follow the run."""
    return SSH_UPDATES_PER_SECOND if over_ssh() else LOCAL_UPDATES_PER_SECOND
