"""Moving through the momenta in hindsight: the past under one of them, and taking it over."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bntui.core.row import Value
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import View, along
from bntui.ui.explorer.available_keys import waits
from bntui.ui.explorer.current_run import CurrentRun
from bntui.ui.explorer.looks import Looks, is_momentum

Turn = Callable[[Mapping[str, Value], Callable[[], object]], None]
"""Turns knobs to values, and then does something; neither where the user would not leave an experiment."""


def past(looks: Looks, row: str, snapshot: Snapshot, view: View) -> Line:
    """Return validation accuracy as it would have been under `row`, over the axis of `view`."""
    clock = snapshot.series.get(view.axis)
    return Line(name_of(looks, row), "scrub", along(looks.curve(row), clock))


def name_of(looks: Looks, row: str) -> str:
    """Return what a legend calls a row: "at 0.9", "bias-corrected"."""
    return f"at {looks.label(row)}" if is_momentum(row) else row


def past_in_words(looks: Looks, row: str) -> str:
    """Say what line it is, and on how many images its points were measured."""
    images = sorted({f"{count:,.0f}" for count in looks.images if count}, key=len)
    return f"{name_of(looks, row)}: in hindsight" + (
        f", on {' or '.join(images)} {looks.noun}" * bool(images)
    )


def use_row(current: CurrentRun, row: str, *, turn: Turn, told: Callable[[str], object]) -> None:
    """Turn the knobs to what a row of the map is made by, and tell what that does."""
    wanted: dict[str, Any] = {"estimator": row}
    if is_momentum(row):
        wanted = {"estimator": "momentum", "momentum": float(row)}
    knobs = current.knobs
    changes = {name: value for name, value in wanted.items() if getattr(knobs, name) != value}
    if not changes:
        told(f"{_called(row)} is in use already")
        return
    turned = replace(current.snapshot, wanted=replace(knobs, **wanted))
    words = waits(turned) or f"{_called(row)}: from the next update on"
    turn(changes, lambda: told(words))


def _called(row: str) -> str:
    return f"momentum {row}" if is_momentum(row) else row
