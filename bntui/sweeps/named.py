"""What a user names of a sweep's diagram: its axes, its value, its epoch, and places. Imports no torch."""

from collections.abc import Sequence
from dataclasses import replace

from bntui.core.settings import SETTINGS
from bntui.core.sweep import SweepView
from bntui.core.text import ConfigError
from bntui.sweeps.phase import (
    MOMENTUM,
    NO_AXIS,
    UPDATES,
    Choice,
    Value,
    axes,
    first_choice,
    measured_epochs,
    scale,
)


def choice_named(
    view: SweepView,
    *,
    x: str | None = None,
    y: str | None = None,
    value: str | None = None,
    epoch: int | None = None,
    at: Sequence[str] = (),
) -> Choice:
    """Return the choice that options describe, the first choice in what they leave open. Raises ConfigError."""
    first = first_choice(view)
    across = axis_named(view, x) if x else ""
    down = axis_named(view, y) if y else ""
    if across and across == down:
        raise ConfigError(f"axis {x!r} can't be both --x and --y: name two.")
    choice = replace(
        first,
        x=across or next(one for one in (first.x, first.y, NO_AXIS) if one != down),
        y=down or next(one for one in (first.y, first.x, NO_AXIS) if one != across),
        value=value_named(value) if value else first.value,
        at=dict(place_named(view, one) for one in at),
    )
    for name in choice.at:
        if name in {choice.x, choice.y}:
            raise ConfigError(f"--at {_option(view, name)}=… is of an axis that is drawn whole.")
    return replace(choice, epoch=_measured(view, epoch)) if epoch is not None else choice


def axis_named(view: SweepView, name: str) -> str:
    """Return the axis that a user means by the name of an option, such as `batch-size` or `lr`.

    `momentum` is that of the runs where the sweep varies it, and every momentum in hindsight where it
    does not. Raises ConfigError.
    """
    known = {_option(view, one): one for one in axes(view)}
    if MOMENTUM in axes(view):
        known.setdefault(MOMENTUM, MOMENTUM)
    wanted = name.strip().lower().replace("_", "-")
    if wanted not in known:
        names = ", ".join(known) or "none: it varies nothing"
        raise ConfigError(f"axis {name!r} is none of this sweep's; it has {names}.")
    return known[wanted]


def value_named(name: str) -> Value:
    """Return the value of this name, with blanks or dashes. Raises ConfigError."""
    wanted = name.strip().lower().replace("-", " ")
    if wanted not in list(Value):
        names = ", ".join(one.replace(" ", "-") for one in Value)
        raise ConfigError(f"value {name!r} is unknown: choose one of {names}.")
    return Value(wanted)


def place_named(view: SweepView, text: str) -> tuple[str, int]:
    """Return the axis and the place that NAME=VALUE means, such as `lr=0.01`. Raises ConfigError."""
    name, equals, wanted = text.partition("=")
    if not equals:
        raise ConfigError(f"--at {text!r} is not understood: give NAME=VALUE, such as lr=0.01.")
    axis = axis_named(view, name)
    values = scale(view, axis).values
    shown = wanted.strip()
    row = SETTINGS.get(axis)
    if row and row.parse and shown not in values:
        shown = row.show(row.parse(shown))
    elif axis == UPDATES and shown.isdecimal():
        shown = f"{int(shown):,}"
    if shown not in values:
        raise ConfigError(
            f"{name.strip()} {wanted!r} is not in this sweep: {', '.join(values)} are."
        )
    return axis, values.index(shown)


def _option(view: SweepView, axis: str) -> str:
    """Return what a user calls an axis."""
    if axis == MOMENTUM:
        return MOMENTUM if "momentum" in axes(view) else "momentum"
    return SETTINGS[axis].flag if axis in SETTINGS else axis


def _measured(view: SweepView, epoch: int) -> int:
    epochs = measured_epochs(view)
    if epoch not in epochs:
        known = f"{epochs[0]} to {epochs[-1]} are" if epochs else "none is"
        raise ConfigError(f"epoch {epoch} is not measured: of sweep {view.name} {known}.")
    return epoch
