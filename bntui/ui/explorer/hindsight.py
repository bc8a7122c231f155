"""The panel "every momentum, in hindsight": updates across, estimators down, accuracy as shades."""

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message

from bntui.core.snapshot import Snapshot
from bntui.ui import key_lines
from bntui.ui.drawing.axes import AXIS, LABELS, x_axis
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.marks import flags
from bntui.ui.drawing.view import FOLLOWING, View, updates_of, x_of
from bntui.ui.explorer.drift import waiting_for
from bntui.ui.explorer.heat_map import heat_map, update_at
from bntui.ui.explorer.looks import WORST, Looks, beside, looks_of, reading, why_no_hindsight
from bntui.ui.key_lines import Shown
from bntui.ui.terminal.glyphs import DOTS
from bntui.ui.widgets.ramp_canvas import RampCanvas, shade_of
from bntui.ui.widgets.wheel import WheelMoves

TITLE = "every momentum, in hindsight"
NOTHING = "there is no look back yet"
BESIDE_TITLE = 6
"""Cells of a border that its title leaves alone."""


class HindsightMap(WheelMoves, RampCanvas):
    """One row an estimator. With the focus, arrows choose the one whose past the charts show."""

    BORDER_TITLE = TITLE
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.HINDSIGHT_MAP]
    COMPONENT_CLASSES = {"canvas--cursor"}
    DEFAULT_CSS = "HindsightMap > .canvas--cursor { text-style: reverse; }"

    class Scrubbed(Message):
        """The past under another row is to be shown, or under none any more: see `scrubbed`."""

    @dataclass
    class Applied(Message):
        """The user wants the run's statistics to be made as those of a row are."""

        row: str

    @dataclass
    class Pointed(Message):
        """The user points at a moment: the crosshair belongs there."""

        update: float

    @dataclass
    class Opened(Message):
        """The user wants to see the layers of a moment: as of the last look up to `update`."""

        update: float

    row = ""
    """The row that is read; the run's own until another is chosen."""

    _snapshot = Snapshot()
    _looks: Looks | None = None
    _view = FOLLOWING
    _x = FOLLOWING.sight(0.0, None)

    def show(
        self,
        snapshot: Snapshot,
        *,
        view: View = FOLLOWING,
        end: float = 0.0,
        planned: float | None = None,
    ) -> None:
        """Show `snapshot`'s map over what `view` has in sight, as the charts do.

        `end` is how far the longest line on the charts goes, in the unit of the view's axis, if
        that is further than the run; `planned` where they end (see `view.planned_end`).
        """
        clock = snapshot.series.get(view.axis)
        old, self._snapshot, self._view = self._snapshot, snapshot, view
        if old.hindsight is not snapshot.hindsight or old.reports is not snapshot.reports:
            self._looks = looks_of(snapshot)
        end = max(end, float(x_of(snapshot.update, clock)))
        self._x = view.sight(end, clock, planned)
        self._say()
        self.repaint()

    @property
    def hint(self) -> str:
        """What keys do here."""
        if self._snapshot.followed:
            past = "" if self._looks and self._looks.distance else ", its past on the chart"
            return f"↑ ↓ another momentum{past} · , . another moment, m opens it"
        return (
            "↑ ↓ another momentum, its past on the chart; enter uses it"
            " · , . another moment, m opens it · w what if, for these weights"
        )

    @property
    def shown_keys(self) -> tuple[Shown, ...]:
        """What the line of keys shows while the map has the focus."""
        use = () if self._snapshot.followed else (Shown("enter", "use it"),)
        return (Shown("↑ ↓", "momentum"), *use, Shown("m", "open moment"))

    @property
    def scrubbed(self) -> str:
        """The row whose past is to be drawn over the charts; empty for none."""
        looks = self._looks
        if not self.has_focus or looks is None or looks.distance or self.chosen == looks.own_row:
            return ""
        return self.chosen

    @property
    def looks(self) -> Looks | None:
        """What is known of every momentum; None before the first look back."""
        return self._looks

    @property
    def chosen(self) -> str:
        """The row that is read: of a run that lacks the one chosen, its own."""
        looks = self._looks
        if looks is None:
            return ""
        return self.row if self.row in looks.rows else looks.own_row

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show the past under the chosen row, or no longer."""
        super().watch_has_focus(_has_focus)
        self.post_message(self.Scrubbed())

    def take_colours(self) -> None:
        """Write the title anew."""
        self._say()

    def on_resize(self) -> None:
        """Say as much in the title as it has room for."""
        self._say()

    def action_move(self, by: int) -> None:
        """Choose the row so many further down (1) or up (−1): a lower or a higher momentum."""
        looks = self._looks
        if looks is None:
            self.notify(NOTHING)
            return
        row = beside(looks.rows, self.chosen, by)
        if row == self.chosen:
            self.notify(f"{looks.called(row)} is the {'last' if by > 0 else 'first'} row")
        self._choose(row)

    def action_apply(self) -> None:
        """Have the run use the chosen row's momentum or estimator; of its own row, open the moment."""
        if self._looks is None or self.chosen == self._looks.own_row:
            self.action_open()
        else:
            self.post_message(self.Applied(self.chosen))

    def action_open(self) -> None:
        """Open the moment at the crosshair, or the newest."""
        looks, update = self._looks, self._update
        if looks is None:
            self.notify(NOTHING)
        else:
            self.post_message(self.Opened(looks.updates[-1] if update is None else update))

    def on_click(self, event: events.Click) -> None:
        """Choose the row and the moment under the pointer; open them if they are chosen already."""
        looks, offset = self._looks, event.get_content_offset(self)
        columns = self.size.width - AXIS - LEGEND
        if looks is None or offset is None or columns < 1:
            return
        rows = looks.kept(self._rows(looks, self.size.height), self.chosen)
        column = min(offset.x - AXIS, columns - 1)
        if offset.y >= len(rows) or column < 0:
            return
        clock = self._snapshot.series.get(self._view.axis)
        at = update_at(column, self._x, columns, DOTS[self.glyphs][0])
        update = float(updates_of(at, clock))
        here = self._update
        same = rows[offset.y] == self.chosen and here is not None
        if same and here is not None and looks.at(here) == looks.at(update):
            self.action_open()
            return
        place = max(looks.at(update), 0)
        self.post_message(self.Pointed(float(looks.updates[place])))
        self._choose(rows[offset.y])

    def draw(self, width: int, height: int) -> Picture:
        """Return the map and the reading below it; or a line saying what it waits for."""
        snapshot, looks = self._snapshot, self._looks
        if reason := why_no_hindsight(snapshot.config):
            return [[(f" {reason}", "faint")]]
        if looks is None:
            return waiting_for("the first look back", snapshot)
        view, clock = self._view, snapshot.series.get(self._view.axis)
        across, update, rows = DOTS[self.glyphs][0], self._update, self._rows(looks, height)
        reads = self.has_focus or view.cursor is not None
        picture = heat_map(
            looks,
            x_of(looks.updates, clock),
            x_of(looks.ends, clock),
            width=width,
            height=rows,
            x=self._x,
            cursor=None if update is None else float(x_of(update, clock)),
            row=self.chosen if reads else "",
            ramp=self.ramp,
            across=across,
        )
        columns = width - AXIS - LEGEND
        if columns > 0 and height > rows + 1:
            below = x_axis(columns, *self._x, view.axis, flags(snapshot.marks, clock), across)
            picture.append([(" " * AXIS, ""), *below, (f" {LABELS[view.axis]}", "axis")])
        return [*picture, [(f" {self._below(looks, rows, width - 1, reads=reads)}", "faint")]]

    def role_style(self, role: str) -> Style:
        """Return what a role looks like; a shade has its colour of the ramp."""
        role, level = shade_of(role)
        style = super().role_style(role)
        if level is not None and not self.app.no_color:
            style += Style(color=self.colour(level))
        return style

    @property
    def _update(self) -> float | None:
        """The update that is read; None for the newest."""
        view = self._view
        return view.window[1] if view.cursor is None and view.window else view.cursor

    def _rows(self, looks: Looks, height: int) -> int:
        """Return how many rows there is room for, beside the line below and the axis.

        Where not all rows fit, and the charts above show the same axis, one more takes its place.
        """
        whole = height - 2 >= len(looks.rows) or not self.screen.has_class("-full")
        return height - 2 if whole else height - 1

    def _below(self, looks: Looks, rows: int, width: int, *, reads: bool) -> str:
        """Return the line below the map: what is read, and which rows find no room."""
        kept = looks.kept(rows, self.chosen if reads else "")
        hidden = [name for name in looks.rows if name not in kept]
        update, row = self._update, self.chosen
        if not hidden:
            return reading(looks, update, row, width)
        whole = reading(looks, update, row)
        missing = f"hidden: {', '.join(map(looks.label, hidden))}"
        if len(whole) + len(missing) + 3 <= width:
            return f"{whole} · {missing}"
        count = f"{len(hidden)} row{'s' * (len(hidden) > 1)} hidden"
        if reads or len(missing) > width:
            return f"{reading(looks, update, row, width - len(count) - 3)} · {count}"
        return missing

    def _choose(self, row: str) -> None:
        if row != self.chosen:
            self.row = row
            self.repaint()
            self.post_message(self.Scrubbed())

    def _say(self) -> None:
        """Write the title, with the ramp in the map's own colours."""
        shades = self.legend()
        share = f" · measuring {self._snapshot.observed_share:.0%}" if self._snapshot.update else ""
        (what, worst, best), names = self._ends(), self._titles()
        room = self.size.width - BESIDE_TITLE
        used = len(f" · {what} {worst}  {best}") + len(shades)
        titles = [(names[0], share), *((name, "") for name in names)]
        fit = [one for one in titles if len("".join(one)) + used <= room]
        before, after = fit[0] if fit else titles[-1]
        self.retitle(f"{before} · {what} {worst} ", *shades, f" {best}", after)

    def _ends(self) -> tuple[str, str, str]:
        """Return what shades stand for, and which values the two ends of the ramp."""
        looks = self._looks
        if looks is None or not looks.distance:
            return (looks.score if looks else "accuracy"), "0", "1"
        return "distance", f"{WORST:g}", "0"

    def _titles(self) -> tuple[str, ...]:
        """Return the title in its forms, the longest first."""
        looks = self._looks
        if looks is None or not (looks.distance or looks.torchs):
            return TITLE, "every momentum", "momenta"
        name = looks.momentum_name
        if looks.distance:
            far = f"how far each {name}'s statistics are from fresh ones"
            return far, "momenta: how far from fresh statistics", f"every {name}", "momenta"
        return f"every {name}, in hindsight", f"every {name}", "momenta"
