"""How the models of a script are watched. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class How:
    """What the options of `bntui watch` say, of all models of the script."""

    every: int | None = None
    share: float = 0.05
    store: str | bool | None = None
    """As in `bntui.watch`."""
    name: str = ""
    control: bool = False
