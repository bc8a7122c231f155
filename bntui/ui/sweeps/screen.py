"""The screen of a sweep: its phase diagram as it fills, and what was measured at the crosshair."""

from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Label

from bntui.core.cells import wrapped
from bntui.core.sweep import CellState, Standing, SweepLead, SweepSource, tried_again
from bntui.core.text import literal
from bntui.sweeps import phase
from bntui.sweeps.phase import MOMENTUM, Choice, Tile, Value
from bntui.ui import sweep_keys
from bntui.ui.dialogs.saving import save_and_tell
from bntui.ui.explorer.refresh_rate import RefreshRate
from bntui.ui.runs.archive import ID
from bntui.ui.sweeps import choice as choices
from bntui.ui.sweeps.lines import ChoiceLine, Held, Reading, SweepLine
from bntui.ui.sweeps.map import PhaseMap
from bntui.ui.sweeps.words import flowed, meaning, reading, settings_at, standings, when
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines

ROOMY, SMALLEST, LOW = (100, 30), (60, 16), 20
"""Columns and rows from which on the diagram has a frame; columns and rows needed; rows below which little is said."""
WIDE = 130
"""Columns from which on all that is read at the crosshair takes one line."""
MOST_LINES = 3
"""Of what lead or source say."""
TITLE = 66
"""Cells of the title over the runs behind a tile."""
TOO_SMALL = (
    f"bntui needs {SMALLEST[0]} columns and {SMALLEST[1]} rows: please enlarge the terminal."
)
GOES_ON = " The sweep goes on."
"""Where it is led from here."""


class SweepScreen(Screen[None]):
    """One sweep, read from the store."""

    BINDINGS: ClassVar[list[BindingType]] = [*sweep_keys.SWEEP.bindings()]
    DEFAULT_CSS = """
    SweepScreen {
        layout: vertical;
        PhaseMap { height: 1fr; }
        MessageLines { height: 2; }
        #too-small { display: none; width: 100%; }
        &.-compact {
            MessageLines { height: 1; }
        }
        &.-wide Reading { height: 3; }
        &.-low Reading { height: 2; }
        &.-tiny {
            SweepLine, ChoiceLine, PhaseMap, Reading, MessageLines, KeyLine { display: none; }
            #too-small { display: block; }
        }
    }
    """

    class Opened(Message):
        """The user wants to see a run in the explorer."""

        def __init__(self, run: CellState) -> None:
            super().__init__()
            self.run = run

    def __init__(
        self, source: SweepSource, lead: SweepLead | None, *, updates_per_second: float
    ) -> None:
        """`lead` runs the sweep's cells, if it is this process that does."""
        super().__init__()
        self._source, self._lead = source, lead
        self._rate = RefreshRate(updates_per_second)
        self._seen = source.view
        """What the source showed last."""
        self._retrying: frozenset[str] = lead.retrying if lead else frozenset()
        """What the lead tries again, as it said last."""
        self._view = tried_again(self._seen, self._retrying)
        self._places: dict[str, int] = {}
        """Where each run is among the cells: their order changes with the design alone."""
        self._read_of: tuple[object, ...] = ()
        """What was read last at the crosshair, and of which runs as they stood."""
        self._told = ""
        """What lead or source have said last."""
        self._workers = lead.workers if lead else ""
        """With what the lead works, as it said last."""
        self._begin_anew()
        self._diagram = phase.diagram(self._view, self.choice)
        self._setting = 0
        """Which of the settings that are no axis [ and ] change."""

    def _begin_anew(self) -> None:
        """Choose the first diagram of a design."""
        self._places = {one.cell.id: place for place, one in enumerate(self._view.cells)}
        self.choice = phase.first_choice(self._view)
        """Which diagram is shown."""

    def compose(self) -> ComposeResult:
        """Lay out the parts."""
        self._arrange(self.app.size)
        yield SweepLine()
        yield ChoiceLine()
        yield PhaseMap()
        yield Reading()
        yield Label(TOO_SMALL + GOES_ON * (self._lead is not None), id="too-small")
        yield MessageLines()
        yield KeyLine(sweep_keys.SWEEP.shown())

    def on_mount(self) -> None:
        """Show what there is, and follow the sweep once there is a picture."""
        self.query_one(PhaseMap).focus()
        self._show(choices.first_tile(self.choice))
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._source.start()
        if self._lead:
            self._lead.start()
        self._follow()

    def _follow(self) -> None:
        self.poll()
        self.set_timer(self._rate.wait(), self._follow)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement that fits."""
        self._arrange(event.size)
        if self.query(MessageLines):
            self._say()

    def _arrange(self, size: Size) -> None:
        width, height = size
        self.update_classes(
            {
                "-compact": width < ROOMY[0] or height < ROOMY[1],
                "-wide": width >= WIDE,
                "-low": height < LOW,
                "-tiny": width < SMALLEST[0] or height < SMALLEST[1],
            }
        )

    def on_screen_resume(self) -> None:
        """Catch up with what happened under another screen."""
        self.poll()

    # What is shown

    def poll(self) -> None:
        """Show the sweep as it is now, if it has changed and no other screen is in front."""
        view, lead = self._source.view, self._lead
        if self.app.screen is not self or not self.query(PhaseMap):
            return
        said = (lead.failure or lead.message if lead else "") or view.message
        news = (said, lead.workers, lead.retrying) if lead else (said, "", self._retrying)
        if view is not self._seen or news != (self._told, self._workers, self._retrying):
            other = view.design != self._view.design  # the name means another sweep now
            self._seen, (self._told, self._workers, self._retrying) = view, news
            self._view = view = tried_again(view, self._retrying)
            if other:
                self._begin_anew()
            fitting = phase.fitting(view, self.choice)
            begins = other or fitting != self.choice
            self.choose(fitting, choices.first_tile(fitting) if begins else None)

    def _show(self, cursor: tuple[int, int] | None = None) -> None:
        """Show everything anew; with another crosshair, if one is given."""
        self._diagram = phase.diagram(self._view, self.choice)
        shown = self.query_one(PhaseMap)
        with self.app.batch_update():
            self.query_one(SweepLine).show(self._view, self._workers)
            self.query_one(ChoiceLine).show(self._diagram, self._held())
            shown.show(self._diagram, shown.cursor if cursor is None else cursor)
            self._say()
            self._read()

    def _say(self) -> None:
        """Show what lead or source say, in as many lines as it takes, else what the value means."""
        messages, said = self.query_one(MessageLines), literal(self._told)
        lines = min(MOST_LINES, len(wrapped(said, self.app.size.width - 2)))
        usual = 1 if self.has_class("-compact") else 2
        messages.styles.height = lines if lines > usual else None
        messages.show_hint(said or meaning(self.choice.value), whole=bool(said))

    def _held(self) -> list[Held]:
        """Return the settings that are no axis, with their values."""
        self._setting %= max(1, len(self._diagram.held))
        return [
            (label, value, place == self._setting)
            for place, (label, value) in enumerate(self._diagram.held)
        ]

    @on(PhaseMap.Moved)
    def _read(self) -> None:
        """Say what was measured at the crosshair."""
        found = self.query_one(PhaseMap)
        tile = found.chosen
        if tile is None:
            return
        drawn, runs = self._diagram, self._runs(tile)
        of = (self.choice, drawn.epoch, drawn.x, drawn.y, found.cursor, runs)
        if of == self._read_of:
            return
        self._read_of = of
        others = {
            one: self._at_crosshair(one).median
            for one in (Value.RUNNING, Value.FRESH, Value.GAP)
            if one is not self.choice.value and tile.measured
        }
        self.query_one(Reading).show(
            ("strong", settings_at(drawn, found.cursor)),
            ("plain", [*reading(drawn, tile, others), *when(drawn, tile)]),
            ("faint", standings(runs, ID)),
        )

    def _at_crosshair(self, value: Value) -> Tile:
        """Return another value of the chosen tile."""
        single = choices.at_tile(self.choice, self.query_one(PhaseMap).cursor, value)
        return phase.diagram(self._view, replace(single, epoch=self._diagram.epoch)).tiles[0][0]

    def _runs(self, tile: Tile) -> tuple[CellState, ...]:
        """Return the runs behind a tile, as they stand."""
        return tuple(self._view.cells[self._places[run]] for run in tile.runs)

    # What the keys do

    def choose(self, choice: Choice, cursor: tuple[int, int] | None = None) -> None:
        """Show another diagram, and another tile of it if one is given."""
        self.choice = choice
        self._show(cursor)

    def action_epoch(self, by: int) -> None:
        """Show the next epoch's end (1) or the one before (−1)."""
        if self.choice.value is Value.UNTIL_SOUND:
            self.notify(f"{Value.UNTIL_SOUND} are found over all epochs")
            return
        changed = choices.next_epoch(self.choice, self._diagram.epochs, by)
        if changed == self.choice:
            self.notify(f"this is the {'newest' if by > 0 else 'first'} epoch")
        self.choose(changed)

    def action_value(self) -> None:
        """Show the next value."""
        self.choose(choices.next_value(self.choice))

    def action_axis(self, which: str) -> None:
        """Have another axis across (x) or up (y); the crosshair stays on its run."""
        found = self.query_one(PhaseMap)
        changed = choices.next_axis(self._view, self.choice, found.cursor, which)
        if changed is None:
            self.notify("this sweep has no other axis")
            return
        before = choices.places(self.choice, found.cursor)
        momentum = before.get(MOMENTUM, choices.USUAL)
        tile = found.chosen
        shown = phase.diagram(self._view, changed)
        at = choices.tile_of(shown, tile.runs[0], momentum) if tile and tile.runs else (0, 0)
        self.choose(changed, at)

    def action_next_setting(self, by: int) -> None:
        """Choose which of the other settings [ and ] change."""
        if len(self._diagram.held) < 2:
            self.notify(self._nothing_held() or "there is one other setting: [ and ] change it")
        self._setting += by
        self._show()

    def action_setting(self, by: int) -> None:
        """Look at another value of a setting that is no axis."""
        if reason := self._nothing_held():
            self.notify(reason)
            return
        name = choices.held(self._view, self.choice)[self._setting]
        self.choose(choices.next_setting(self._view, self.choice, name, by))

    def _nothing_held(self) -> str:
        return "" if self._diagram.held else "both axes are all that this sweep varies"

    def action_save_diagram(self) -> None:
        """Write the diagram to an SVG file, as `bntui sweeps` does."""
        from bntui.sweeps.export.svg import svg  # the first picture needs none of this

        save_and_tell(self.app, svg(self._view, self.choice), "svg")

    def action_save_data(self) -> None:
        """Write all that was measured to a CSV file."""
        from bntui.sweeps.export.csv_and_json import csv_lines

        save_and_tell(self.app, "".join(csv_lines(self._view)), "csv")

    @on(PhaseMap.Opened)
    def _list_runs(self) -> None:
        """List the runs behind the chosen tile."""
        from bntui.ui.sweeps.behind import RunsBehindScreen  # the first picture doesn't need it

        found = self.query_one(PhaseMap)
        tile = found.chosen
        if tile is None or not tile.runs:
            self.notify("no run is behind this tile")
            return
        title = flowed(settings_at(self._diagram, found.cursor), TITLE)[0]
        momentum = choices.places(self.choice, found.cursor).get(MOMENTUM, choices.OWN)
        behind = RunsBehindScreen(title, self._runs(tile), self._diagram.epoch, momentum)
        self.app.push_screen(behind, self._open)

    def _open(self, run: CellState | None) -> None:
        if run is None:
            return
        if run.standing is Standing.WAITING:
            self.notify(f"run {run.cell.id[:ID]} has not begun yet")
        else:
            self.post_message(self.Opened(run))
