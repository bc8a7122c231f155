"""What a case is: a small real model, trained with one fault or none, and what it is checked with."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Case:
    model: nn.Module
    validation: Any
    training: Any
    options: dict[str, Any] = field(default_factory=dict)
    """Further arguments of `bntui.check`."""
