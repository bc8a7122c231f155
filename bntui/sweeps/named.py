"""What a user names of a sweep's diagram: its axes, its value, its epoch, and places. Imports no torch."""

from collections.abc import Sequence
from dataclasses import replace

from bntui.core.settings import SETTINGS
from bntui.core.sweep import SweepView
from bntui.core.text import ConfigError
from bntui.sweeps.axes import SAME
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
    if across and across in _one_axis(down):
        raise ConfigError(f"--x {x} and --y {y} are one axis: name another.")
    across = across or _first_but(down, first.x, first.y)
    choice = replace(
        first,
        x=across,
        y=down or _first_but(across, first.y, first.x),
        value=value_named(value) if value else first.value,
        at=_places_named(view, at),
    )
    for name in choice.at:
        if name in {*_one_axis(choice.x), *_one_axis(choice.y)}:
            raise ConfigError(f"--at {_option(view, name)}=… is of an axis that is drawn whole.")
    if epoch is None:
        return choice
    if choice.value is Value.UNTIL_SOUND:
        raise ConfigError(f"{Value.UNTIL_SOUND} are found over all epochs: leave out --epoch.")
    return replace(choice, epoch=_measured(view, epoch))


def _one_axis(name: str) -> tuple[str, ...]:
    """Return the names of an axis: that of batch size has two. None of no axis."""
    return (name, SAME.get(name, name)) if name != NO_AXIS else ()


def _first_but(drawn: str, *axes: str) -> str:
    """Return the first of some axes that another one is not."""
    return next((one for one in axes if one not in _one_axis(drawn)), NO_AXIS)


def _places_named(view: SweepView, texts: Sequence[str]) -> dict[str, int]:
    """Return what all --at mean. Raises ConfigError, also where two are of one axis."""
    places: dict[str, int] = {}
    for text in texts:
        name, place = place_named(view, text)
        if other := next((one for one in _one_axis(name) if one in places), None):
            both = _option(view, other), _option(view, name)
            said = (
                f"{both[0]} twice" if both[0] == both[1] else f"{both[0]} and {both[1]}, one axis"
            )
            raise ConfigError(f"--at has {said}: leave one of them out.")
        places[name] = place
    return places


def axis_named(view: SweepView, name: str) -> str:
    """Return the axis that a user means by the name of an option, such as `batch-size` or `lr`.

    `momentum` is that of the runs where the sweep varies it, and every momentum in hindsight where it
    does not. Raises ConfigError.
    """
    known = {_option(view, one): one for one in axes(view)}
    wanted = name.strip().lower().replace("_", "-")
    if wanted == MOMENTUM and MOMENTUM in axes(view):
        return MOMENTUM
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
