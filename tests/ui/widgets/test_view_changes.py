"""What keys do to the view of a training by other code, of which less is counted."""

from dataclasses import replace

from bntui.ui.drawing.view import Axis, View
from bntui.ui.widgets.view_changes import VIEW_CHANGES
from tests.ui.scripted import history
from tests.ui.watching import BLIND, watched_run


def test_the_axis_goes_on_to_what_is_counted() -> None:
    nothing = watched_run()
    assert VIEW_CHANGES["axis"](View(), nothing, 0).axis is Axis.UPDATES
    timed = replace(nothing, series={**nothing.series, "seconds": history(range(97))})
    assert VIEW_CHANGES["axis"](View(), timed, 0).axis is Axis.SECONDS
    assert VIEW_CHANGES["axis"](View(Axis.SECONDS), timed, 0).axis is Axis.UPDATES


def test_an_axis_that_was_chosen_before_gives_way_where_it_is_not_counted() -> None:
    assert View(Axis.IMAGES).known(watched_run()).axis is Axis.UPDATES


def test_the_crosshair_stops_at_the_updates_of_the_loss() -> None:
    assert VIEW_CHANGES["move"](View(), watched_run(BLIND), -1).cursor == 97
