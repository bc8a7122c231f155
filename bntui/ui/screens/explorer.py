"""The explorer: knobs on the left, what they do to the run on the right."""

import asyncio
import time
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Label

from bntui.engine.config import MAX_SEED, Knobs, RunConfig
from bntui.engine.run import Command, MakeRun, Run
from bntui.engine.series import Series
from bntui.engine.snapshot import Phase, Snapshot
from bntui.ui.charts import Line
from bntui.ui.knobs import KNOBS
from bntui.ui.scales import UNIT
from bntui.ui.screens.keys import KeysScreen
from bntui.ui.screens.value import ValueScreen
from bntui.ui.widgets.chart import Chart
from bntui.ui.widgets.drift import DriftTable
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.predictions import Predictions
from bntui.ui.widgets.status import StatusLine
from bntui.ui.widgets.verdict import VerdictPanel

FULL = (100, 32)
"""Columns and rows from which on all panels are shown at once."""
CURVES = (("train", "train"), ("fresh", "fresh"), ("val", "running"))
"""The prefix of a series' name, and how it is called and drawn on the charts."""
SMALLEST = (60, 16)
TABS = "1 accuracy  2 loss  3 drift  4 it says"
PENDING_SECONDS = 1.0
"""How long a turned knob waits to be echoed: a clipped value never is."""
JOIN_SECONDS = 2.0
EMPTY = Series(2).view()


class Explorer(Screen[None]):
    """One run at a time, on one screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause"),
        Binding("n", "step", "step"),
        Binding("r", "restart(0)", "restart"),
        Binding("R", "restart(1)", "new seed", key_display="R"),
        Binding("c", "recalibrate", "recalibrate"),
        Binding("d", "digits", "use digits", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        *(Binding(str(number), f"panel({number})", show=False) for number in range(1, 5)),
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("q", "app.quit", "quit"),
        Binding("ctrl+c", "app.quit", show=False),
    ]

    def __init__(
        self,
        make_run: MakeRun,
        config: RunConfig,
        left_open: frozenset[str],
        *,
        paused: bool,
        updates_per_second: float,
    ) -> None:
        super().__init__()
        self._make_run = make_run
        self._left_open = left_open
        self._start_paused = paused
        self._updates_per_second = updates_per_second
        self._shown: Snapshot | None = None
        self._ghost: Snapshot | None = None
        self._told = ""
        self._asked: Knobs | None = None
        self._asked_until = 0.0
        self.run = make_run(config, left_open)
        self.ended: list[Run] = []
        """Runs that were asked to stop, until their threads are joined."""

    def compose(self) -> ComposeResult:
        """Lay out the panels; `app.tcss` arranges them."""
        config = self.run.snapshot.config
        yield StatusLine()
        with Container(id="body"):
            with Container(id="left"):
                with Container(id="knobs") as knobs:
                    knobs.border_title = "knobs"
                    for spec in KNOBS:
                        owner = config if spec.structural else config.knobs
                        yield Knob(spec, getattr(owner, spec.name))
                yield VerdictPanel(id="verdict")
                yield Predictions(id="panel-4", classes="panel")
            with Container(id="right"):
                yield Chart("accuracy", y=UNIT, id="panel-1", classes="panel")
                yield Chart("loss", log=True, id="panel-2", classes="panel")
                yield DriftTable(id="panel-3", classes="panel")
        yield Label(
            f"bntui needs {SMALLEST[0]} columns and {SMALLEST[1]} rows: please enlarge the "
            "terminal. The run goes on.",
            id="too-small",
        )
        yield Footer()

    def on_mount(self) -> None:
        """Begin the run once there is a picture, and follow it."""
        self.action_panel(1)
        self.query(Knob).first().focus()
        self.call_after_refresh(self.run.start, paused=self._start_paused)
        self.set_interval(1.0 / self._updates_per_second, self.follow)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement that fits."""
        width, height = event.size
        full = width >= FULL[0] and height >= FULL[1]
        tiny = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(full, "-full")
        self.set_class(not full and not tiny, "-tabs")
        self.set_class(tiny, "-tiny")
        for panel in self.query(".panel"):
            panel.border_subtitle = None if full else TABS
        if not tiny and self.focused is None:  # a screen too small for knobs took the focus away
            self.call_after_refresh(self.query(Knob).first().focus)

    # From the run to the screen

    def follow(self) -> None:
        """Show the run's latest snapshot, if it is a new one."""
        snapshot = self.run.snapshot
        if snapshot is self._shown:
            return
        self._shown = snapshot
        with self.app.batch_update():
            self.query_one(StatusLine).show(snapshot)
            self._show_knobs(snapshot)
            self._show_curves(snapshot)
            self.query_one(DriftTable).show(snapshot)
            self.query_one(Predictions).show(snapshot.validation)
            self.query_one(VerdictPanel).show(snapshot)
        self._tell(snapshot)

    def _show_knobs(self, snapshot: Snapshot) -> None:
        settled = snapshot.knobs == self._asked or time.monotonic() > self._asked_until
        if settled and snapshot.phase is Phase.RUNNING:
            self._asked = None
        for knob in self.query(Knob):
            owner = snapshot.config if knob.spec.structural else snapshot.knobs
            knob.show(getattr(owner, knob.spec.name), keep_wanted=self._asked is not None)

    def _show_curves(self, snapshot: Snapshot) -> None:
        for what, chart in zip(("acc", "loss"), self.query(Chart), strict=True):
            lines = [
                Line(label, label, snapshot.series.get(f"{prefix}_{what}", EMPTY))
                for prefix, label in CURVES
            ]
            ghosts = [
                Line(label, f"{label} ghost", self._ghost.series[f"{prefix}_{what}"], ghost=True)
                for prefix, label in CURVES[1:]
                if self._ghost and f"{prefix}_{what}" in self._ghost.series
            ]
            chart.show([*ghosts, *lines], snapshot.marks)

    def _tell(self, snapshot: Snapshot) -> None:
        """Give notice of what the run has to say, once."""
        if snapshot.phase is Phase.LOADING or snapshot.message == self._told:
            return
        self._told = snapshot.message
        if snapshot.message and snapshot.phase is not Phase.FAILED:
            self.notify(snapshot.message, markup=False)

    # From the keys to the run

    @on(Knob.Turned)
    def _turn(self, event: Knob.Turned) -> None:
        change: dict[str, Any] = {event.knob.spec.name: event.value}
        if event.knob.spec.structural:
            self._begin(replace(self._config(), **change))
            return
        self._asked = replace(self._asked or self.run.snapshot.knobs, **change)
        self._asked_until = time.monotonic() + PENDING_SECONDS
        self.run.apply(self._asked)

    @on(Knob.Typing)
    def _type(self, event: Knob.Typing) -> None:
        def take(value: float | None) -> None:
            if value is not None:
                event.knob.turn_to(value)

        self.app.push_screen(ValueScreen(event.knob.spec, event.knob.wanted), take)

    def action_pause(self) -> None:
        """Pause, or train on."""
        if self.run.snapshot.phase is Phase.RUNNING:
            self.run.pause()
        else:
            self.run.resume()
        self._follow_soon()

    def action_step(self) -> None:
        """Make one update and stay paused."""
        self.run.pause()
        self.run.command(Command.STEP)
        self._follow_soon()

    def action_recalibrate(self) -> None:
        """Take the running statistics from training batches."""
        self.run.command(Command.RECALIBRATE)
        self._follow_soon()

    def action_restart(self, seeds: int) -> None:
        """Begin again, `seeds` further on."""
        config = self._config()
        self._begin(replace(config, seed=(config.seed + seeds) % (MAX_SEED + 1)))

    def action_digits(self) -> None:
        """After a failure, go on with the data set that is always there."""
        if self.run.snapshot.phase is Phase.FAILED:
            self._begin(replace(self._config(), dataset="digits", data_dir=None, train_size=None))

    def action_panel(self, number: int) -> None:
        """Show one panel, where there is room for one only."""
        for panel in self.query(".panel"):
            panel.set_class(panel.id == f"panel-{number}", "shown")

    def action_keys(self) -> None:
        """Open the help."""
        self.app.push_screen(KeysScreen())

    async def end(self) -> bool:
        """Stop every run and wait for the threads; return whether all have ended."""
        runs = [*self.ended, self.run]
        for run in runs:
            run.stop()
        ended = [await asyncio.to_thread(run.join, JOIN_SECONDS) for run in runs]
        return all(ended)

    def _config(self) -> RunConfig:
        """Return the configuration of the run as it is now, live changes included."""
        snapshot = self.run.snapshot
        return replace(snapshot.config, knobs=self._asked or snapshot.knobs)

    def _begin(self, config: RunConfig) -> None:
        """Replace the run by a new one; the old curves stay as a ghost."""
        old = self.run
        if old.snapshot.series:
            self._ghost = old.snapshot
        if old.snapshot.facts:
            self._left_open = frozenset()
        old.stop()
        self.ended = [run for run in (*self.ended, old) if not run.join(0)]
        self._asked = None
        self.run = self._make_run(config, self._left_open)
        self.run.start()
        self._follow_soon()

    def _follow_soon(self) -> None:
        """Show the effect of a key before the next regular look."""
        for seconds in (0.02, 0.08):
            self.set_timer(seconds, self.follow)
