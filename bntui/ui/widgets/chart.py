"""A live chart."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from bntui.core.cells import wrapped
from bntui.core.scales import YRange, extent, settled
from bntui.core.series import SeriesView
from bntui.core.snapshot import Mark
from bntui.ui import key_lines
from bntui.ui.drawing.axes import position
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.charts import chart, position_at
from bntui.ui.drawing.gap import Gap, GapLabel, lost
from bntui.ui.drawing.legend import leftover
from bntui.ui.drawing.marks import Flag, flags
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.titles import fitted_title
from bntui.ui.drawing.view import FOLLOWING, Axis, View, updates_of, x_of
from bntui.ui.widgets.focus_canvas import FocusCanvas


class Chart(FocusCanvas):
    """Lines over a run. Its axes stay as they are for as long as the lines fit them.

    Its screen has an `action_look` that takes one of `VIEW_CHANGES`, for keys and the mouse.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.CHART]
    hint = "← → move the crosshair · with shift by ten · ↑ ↓ zoom · 0 shows the whole run"

    def __init__(
        self,
        title: str,
        *,
        longer: Sequence[str] = (),
        y: YRange | None = None,
        log: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`longer` titles, the longest first, are for where there is room.

        Without a fixed range `y` the axis follows the data, in decades if `log` and the view is.
        """
        super().__init__(id=id, classes=classes)
        self.border_title = title
        self._own_titles = (*longer, title)
        self._what: Sequence[str] = self._own_titles
        self._instead = ""
        self._fixed = y
        self._log = log
        self._y = y or settled(None, float("nan"), float("nan"), log=log)
        self._lines: tuple[Line, ...] = ()
        self._flags: tuple[Flag, ...] = ()
        self._axis = Axis.UPDATES
        self._x = FOLLOWING.sight(0.0, None)
        self._clock: SeriesView | None = None
        self._cursor: float | None = None
        self._gap: Gap | None = None
        self._label = GapLabel()
        self._said: list[Sequence[str]] = [self._what]

    def show(
        self,
        lines: Sequence[Line],
        marks: Sequence[Mark] = (),
        *,
        view: View = FOLLOWING,
        clock: SeriesView | None = None,
        planned: float | None = None,
        note: Sequence[str] = (),
        gap: tuple[Line, Line] | None = None,
        titles: Sequence[str] = (),
        fixed: bool = True,
        instead: str = "",
    ) -> None:
        """Draw `lines`, whose x are in the unit of the view's axis (see `curves.curves`).

        The area between two of them is shaded, where the second of `gap` lies below the first.
        The title ends with `note`, the forms of what is to say of this moment, the longest first,
        unless an earlier one is read.
        `titles` go over its own; not `fixed`, the y axis follows the data; `instead` is what to say in
        place of the lines, where there are none to come.
        `clock` maps the run's marks, window and crosshair to it: `snapshot.series.get(view.axis)`;
        x ends where the run is `planned` to (see `view.planned_end`).
        """
        self._lines, self._flags = tuple(lines), tuple(flags(marks, clock))
        self._axis = view.axis
        end = max((float(line.view.x[-1]) for line in lines if len(line.view)), default=0.0)
        self._clock = clock
        self._x = view.sight(end, clock, planned)
        self._cursor = None if view.cursor is None else float(x_of(view.cursor, clock))
        self._gap = gap and self._between(*gap)
        self._instead, self._what = instead, tuple(titles) or self._own_titles
        log = self._log and view.log_loss
        shown = extent((line.view for line in lines), *self._x, log=log)
        if self._fixed and fixed and view.window is None:
            self._y = self._fixed
        else:
            self._y = settled(self._y, *shown, log=log)
        self._said = self._how(view, end, note)
        self._say()
        self.repaint()

    def on_resize(self) -> None:
        """Say as much in the title as the legend has no room for."""
        self._say()

    def draw(self, width: int, height: int) -> Picture:
        """Return the chart, or what there is to say in its place."""
        if self._instead:
            lines = wrapped(self._instead, max(8, width - 2))
            return [[(f" {line}", "faint")] for line in lines]
        x_low, x_high = self._x
        return chart(
            self._lines,
            width=width,
            height=height,
            x_low=x_low,
            x_high=x_high,
            y=self._y,
            flags=self._flags,
            axis=self._axis,
            cursor=self._cursor,
            glyphs=self.glyphs,
            gap=self._gap,
        )

    async def on_click(self, event: events.Click) -> None:
        """Put the crosshair where the mouse is."""
        await self._look("point", event)

    async def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in on where the mouse is."""
        await self._look("closer", event)

    async def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out from where the mouse is."""
        await self._look("further", event)

    async def _look(self, change: str, event: events.MouseEvent) -> None:
        """Change the view at the update under the mouse; beside the plot there is none."""
        at = event.get_content_offset(self)
        x = None if at is None else position_at(at.x, self.size.width, *self._x)
        if x is not None:
            event.stop()
            await self.run_action(f"screen.look({change!r}, {float(updates_of(x, self._clock))!r})")

    def _between(self, upper: Line, lower: Line) -> Gap:
        x = self._x[1] if self._cursor is None else self._cursor
        texts = lost(upper.view, lower.view, x)
        return Gap(upper, lower, texts, self._label)

    def _say(self) -> None:
        rows, cursor = max(0, self.size.height - 1), self._cursor
        left = [] if cursor is None else leftover(self._lines, rows, cursor)
        self.retitle(fitted_title([*self._said, *((one, "") for one in left)], self.size.width))

    def _how(self, view: View, end: float, note: Sequence[str]) -> list[Sequence[str]]:
        """Say what is drawn how, and where the legend's values are from unless they are the latest."""
        log = ", log" * (self._log and view.log_loss)
        said: list[Sequence[str]] = [[what + log for what in self._what]]
        if view.smooth:
            said.append(("smoothed", ""))
        at, x, word = view.cursor, self._cursor, "at"
        if at is None and view.window and self._x[1] < end:
            at, x, word = view.window[1], self._x[1], "up to"
        if at is not None and x is not None:
            said.append([f"{word} {position(at, Axis.UPDATES)}"])
            if view.axis is not Axis.UPDATES:
                said.append((position(x, view.axis), ""))
        elif note:
            said.append((*note, ""))
        return said
