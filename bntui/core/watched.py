"""What is told of a training that is not ours, as `bntui watch` and `bntui.watch` see it. Imports no torch."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """One finding on a watched model: `probe.causes.Finding` as plain values."""

    cause: str
    """A cause of `probe.causes.Cause`."""
    severity: str
    """A severity of `probe.causes.Severity`."""
    title: str
    """What it is, in a few words."""
    evidence: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """One model in training by somebody else's code."""

    script: str
    """What is trained, as it is typed behind `python` in the folder where it was begun."""
    model: str
    """The name that its user gave it, or its class."""
    convention: str = "torch"
    """Whose `momentum` is: "torch", the share of the new value, or "keras", the share of the old one."""
    momentum: float = math.nan
    """The layers' own, in that convention; NaN where they differ or are cumulative."""
    batch_size: int = 0
    """Samples of a batch, as the loader of training data says; 0 where that is not known."""
    optimizer: str = ""
    learning_rate: float = math.nan
    score: str = ""
    """What `accuracy` is in validations and in hindsight; empty where no validation data were given."""
    findings: tuple[Found, ...] = ()
    """What the last look found, worst first; nothing before the first one."""
    looked: int = 0
    """The update of that look."""
    notes: tuple[str, ...] = ()
    """What was not measured, and why: a sentence each."""
    share: float = 0.0
    """The share of the training's time that watching has taken."""
    control: bool = False
    """Whether the training may be asked to recalibrate."""
