"""What is known of a watched training, in words and as values. Pure.

The settings of its run are not its user's: lists and pages show these in their place.
"""

import math
from typing import Any

from bntui.core.config import torch_momentum
from bntui.core.text import exact
from bntui.core.watched import Watched

UNKNOWN = "–"
"""In place of what is not known."""
CONVENTIONS = {"torch": "torch's", "keras": "Keras's"}


def title(watched: Watched) -> str:
    """Return what is trained: the script and the model."""
    return f"{watched.script} · {watched.model}"


def momentum_words(watched: Watched) -> str:
    """Return the layers' momentum and whose convention it is in: 0.1 (torch's)."""
    if math.isnan(watched.momentum):
        return UNKNOWN
    whose = CONVENTIONS.get(watched.convention, watched.convention)
    return f"{exact(watched.momentum)} ({whose})"


def keras_momentum(watched: Watched) -> float:
    """Return the momentum in Keras's convention, NaN where it is not known."""
    torchs = watched.convention == "torch" and not math.isnan(watched.momentum)
    return torch_momentum(watched.momentum) if torchs else watched.momentum


def batch_words(watched: Watched) -> str:
    """Return the batch size."""
    return f"{watched.batch_size}" if watched.batch_size else UNKNOWN


def rate_words(watched: Watched) -> str:
    """Return the learning rate."""
    return UNKNOWN if math.isnan(watched.learning_rate) else f"{watched.learning_rate:g}"


def described(watched: Watched) -> list[tuple[str, str]]:
    """Return all that is known of a training before it is measured, as names and values."""
    return [
        ("script", watched.script),
        ("model", watched.model),
        ("batch size", batch_words(watched)),
        ("momentum", momentum_words(watched)),
        ("optimiser", watched.optimizer or UNKNOWN),
        ("learning rate", rate_words(watched)),
    ]


def known(watched: Watched) -> dict[str, Any]:
    """Return the same under the names of settings; None where something is not known."""
    return {
        "script": watched.script,
        "model": watched.model,
        "batch_size": watched.batch_size or None,
        "momentum": _or_none(watched.momentum),
        "convention": watched.convention,
        "optimizer": watched.optimizer or None,
        "learning_rate": _or_none(watched.learning_rate),
    }


def repeating(watched: Watched) -> str:
    """Return the command line that watches the same training again."""
    return f"bntui watch {watched.script.removeprefix('python ')}"


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
