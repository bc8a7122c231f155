"""The explorer: knobs on the left, what they do to the run on the right."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import DescendantFocus
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Label

from bntui.core.config import RunConfig
from bntui.core.row import Value
from bntui.core.run import MakeRun, Run
from bntui.core.run_request import Branch, Follow, New, Purpose, Resume, RunRequest
from bntui.core.settings import with_values
from bntui.core.snapshot import Snapshot
from bntui.core.text import ConfigError
from bntui.ui import key_table
from bntui.ui.experiments.experiment_line import ExperimentLine
from bntui.ui.experiments.guide import ExperimentGuide
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer import (
    arrangement,
    new_run_commands,
    overlay_commands,
    reading_commands,
    run_commands,
)
from bntui.ui.explorer.available_keys import why_not
from bntui.ui.explorer.body import Body
from bntui.ui.explorer.current_run import CurrentRun
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.evidence_panel import EvidencePanel
from bntui.ui.explorer.facts import FactsPanel
from bntui.ui.explorer.follower import SnapshotFollower
from bntui.ui.explorer.footer import hint, show_keys
from bntui.ui.explorer.ghosts import Ghosts
from bntui.ui.explorer.headline import HeadlinePanel
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.explorer.notices import notices
from bntui.ui.explorer.predictions import Predictions
from bntui.ui.explorer.refresh_rate import RefreshRate
from bntui.ui.explorer.results import Results, no_score
from bntui.ui.explorer.scrubbing import use_row
from bntui.ui.runs.archive import Archive
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine


class Explorer(Screen[None]):
    """One run at a time, on one screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.EXPLORER.bindings()]

    def __init__(
        self,
        make_run: MakeRun,
        request: RunRequest,
        *,
        archive: Archive | None = None,
        experiments: Experiments,
        updates_per_second: float,
        leaves: str = "quit",
    ) -> None:
        """`request` is for the first run; `archive` has the runs that are kept.

        `experiments` are the guided ones, and the one to begin with instead, if any. `leaves` says what
        the last key of the line does.
        """
        super().__init__()
        *keys, last = key_table.EXPLORER.shown()
        self._keys = [*keys, replace(last, word=leaves)]
        self.current = CurrentRun(make_run, request)
        self.follower = SnapshotFollower(
            self,
            lambda: self.run.snapshot,
            show=self._show,
            rate=RefreshRate(updates_per_second),
        )
        self._archive = archive
        self._experiments = experiments
        self._guide = ExperimentGuide(
            self,
            experiments,
            archive,
            latest=lambda: self.run.snapshot,
            begin=lambda config, purpose: self._replace(config, purpose=purpose),
            redraw=self._redraw,
        )
        self._ghosts = Ghosts()
        self._follows = isinstance(request.origin, Follow)
        self._offers = isinstance(request.origin, New) and not experiments.first
        self._commands = self._made_commands()

    def _made_commands(self) -> dict[str, Callable[[], object]]:
        """Return what keys do, by the names of commands in the table of keys."""
        current, begin, ghosts, redraw = self.current, self._begin, self._ghosts, self._redraw
        return {
            "pause": lambda: run_commands.pause(self, current),
            "step": lambda: run_commands.step(current),
            "recalibrate": lambda: self._guide.leave_by(
                partial(run_commands.recalibrate, self, current)
            ),
            "try_recalibration": lambda: run_commands.try_recalibration(self, current),
            "keep_weights": lambda: run_commands.keep_weights(self, current),
            "restart": lambda: new_run_commands.restart(current, begin, seeds=0),
            "restart_with_new_seed": lambda: new_run_commands.restart(current, begin, seeds=1),
            "digits": lambda: new_run_commands.use_digits(current, begin),
            "structure": lambda: new_run_commands.ask_structure(self, current, begin),
            "twin": lambda: new_run_commands.ask_twin(self, current, begin),
            "branch": lambda: new_run_commands.ask_branch(
                self, current, begin, near=self.query_one(Results).view.cursor
            ),
            "resume": lambda: new_run_commands.resume_interrupted(self, self._archive, begin),
            "pin": lambda: overlay_commands.pin(self, ghosts, current.run, redraw),
            "runs": lambda: overlay_commands.open_runs(
                self, self._archive, lambda: current.snapshot, ghosts, begin, redraw
            ),
            "experiments": self._guide.open,
            "what_if": lambda: reading_commands.open_what_if(self, current, self.turn),
            "verdict": lambda: reading_commands.open_verdict(self, current.snapshot),
            "repeat": lambda: reading_commands.open_command_line(self, current.snapshot),
            "save_data": lambda: reading_commands.save_data(self, current.snapshot),
            "choose_a_knob": lambda: self.notify("← → turn a knob: tab goes to the knobs"),
        }

    @property
    def run(self) -> Run:
        """The run under way."""
        return self.current.run

    @property
    def pinned(self) -> bool:
        """Whether a run's curves are pinned."""
        return self._ghosts.pinned is not None

    def compose(self) -> ComposeResult:
        """Lay out the panels; `app.tcss` arranges them."""
        self._arrange(self.app.size)  # before the first picture, which would be laid out twice else
        yield StatusLine()
        yield HeadlinePanel()
        yield ExperimentLine()
        yield Body(self.run.snapshot.config, followed=self._follows)
        yield Label(arrangement.TOO_SMALL, id="too-small")
        yield MessageLines()
        yield KeyLine(self._keys)

    def on_mount(self) -> None:
        """Begin the run once there is a picture, and follow it."""
        if self._experiments.first:
            unanswered = partial(self._start, self.run)
            self.call_after_refresh(self._guide.ask, self._experiments.first, unanswered)
        else:
            self.call_after_refresh(self._start, self.run)
        self.follower.start()
        if self._offers:
            self.call_after_refresh(self._offer_to_resume)

    def _offer_to_resume(self) -> None:
        from bntui.ui.explorer.resume_offer import offer  # the first picture needs no store

        self.run_worker(offer(self, self._archive))

    def _start(self, run: Run) -> None:
        """Start the first run, unless a key typed ahead has put another in its place."""
        if run is self.run:
            self.current.start()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement that fits."""
        self._arrange(event.size)
        if not self.has_class("-tiny") and self.focused is None:
            # A screen too small for knobs took the focus away.
            self.call_after_refresh(self.query_one(Body).knob.focus)

    def _arrange(self, size: Size) -> None:
        """Suit a terminal of this size; at once: styles are matched anew each time."""
        found = arrangement.classes(size)
        self.update_classes(found)
        for body in self.query(Body):  # there is none before the first picture is laid out
            body.suit(found)

    def on_screen_resume(self) -> None:
        """Catch up with what happened under another screen."""
        self.follower.poll()

    def _show(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        """Show a new snapshot of the run; `before` is the one that was shown."""
        self.current.saw(before, snapshot)
        with self.app.batch_update():
            self.query_one(StatusLine).show(snapshot)
            self._show_knobs(snapshot)
            for facts in self.query(FactsPanel):
                facts.show(snapshot)
                self.query_one(Body).begin_with_loss(scored=not no_score(snapshot))
            self._show_results(snapshot)
            self.query_one(Predictions).show(snapshot)
            self.query_one(HeadlinePanel).show(snapshot)
            self.query_one(EvidencePanel).show(snapshot)
        for notice in notices(before, snapshot, guided=self._guide.leads):
            self.notify(notice, markup=False)
        self._guide.follow(snapshot)

    def _show_knobs(self, snapshot: Snapshot) -> None:
        self.query_one(Body).show_knobs(snapshot)
        self._explain()

    @on(DescendantFocus)
    def _explain(self) -> None:
        """Say what the value of what has the focus means, and what keys do there."""
        focused, snapshot = self.focused, self.run.snapshot
        self.query_one(MessageLines).show_hint(hint(focused, self.current.knobs, snapshot))
        show_keys(self.query_one(KeyLine), snapshot, focused, pinned=self.pinned)

    @on(Knob.Turned)
    def _turn(self, event: Knob.Turned) -> None:
        name, value = event.knob.spec.name, event.value
        if event.knob.spec.structural:
            self._begin(with_values(self.current.config, {name: value}))
        elif name == "pace":
            self.current.turn(pace=value)
        else:
            self.turn({name: value})
        self._show_knobs(self.run.snapshot)  # the old value, for as long as the reader is asked

    def turn(self, values: Mapping[str, Value], then: Callable[[], object] = lambda: None) -> None:
        """Turn live knobs, once the reader agrees to leave the experiment, if there is one."""

        def do() -> None:
            self.current.turn(**values)
            self._show_knobs(self.run.snapshot)
            then()

        self._guide.leave_by(do)

    def action_command(self, name: str) -> None:
        """Do what a key is for, or say why it can't be done now."""
        if reason := why_not(name, self.run.snapshot):
            self.notify(reason, markup=False)
            return
        self._commands[name]()
        self.follower.poll_soon()

    @on(HindsightMap.Opened)
    def _open_moment(self, event: HindsightMap.Opened) -> None:
        reading_commands.open_moment(self, self.current.snapshot, event.update)

    @on(HindsightMap.Applied)
    def _use_row(self, event: HindsightMap.Applied) -> None:
        if reason := why_not("use_row", self.run.snapshot):
            self.notify(reason)
        else:
            use_row(self.current, event.row, turn=self.turn, told=self.notify)

    @on(DriftTable.Opened)
    def _open_layer(self, event: DriftTable.Opened) -> None:
        reading_commands.open_layer(self, self.current, event.index)

    def action_look(self, change: str, amount: float) -> None:
        """Change the view of all charts."""
        results = self.query_one(Results)
        if reason := results.look(change, amount):
            self.notify(reason)
        elif change == "log" and not self.query_one("#panel-2").display:
            axis = "a logarithmic" if results.view.log_loss else "a plain"
            self.notify(f"loss has {axis} axis now: 2 shows it")
        elif self.query_one(Body).charts_hidden:
            self.notify("the view of the charts has changed: 1, 2 and 3 show them")

    def action_panel(self, number: int) -> None:
        """Go to one panel; show it where there is no room for all."""
        self.query_one(Body).go_to(number)

    def action_next_panel(self, by: int) -> None:
        """Go to the next panel (1) or the one before (−1)."""
        self.query_one(Body).next_panel(by)

    def action_next_knob(self, by: int) -> None:
        """Choose the knob below (1) or above (−1)."""
        if not self.query_one(Body).next_knob(by):
            what = "a row" if self._follows else "a knob or a row"
            self.notify(f"↑ ↓ choose {what}: tab goes from panel to panel")

    def _redraw(self) -> None:
        self._explain()
        self._show_results(self.run.snapshot)

    def _show_results(self, snapshot: Snapshot) -> None:
        experiment = self._guide.progress
        before = experiment.ghosts(snapshot) if experiment else None
        pencil = experiment.line(snapshot) if experiment else None
        ghosts = self._ghosts.behind(self.run, before)
        self.query_one(Results).show(snapshot, ghosts, pencil)

    def end(self, *, interrupted: bool) -> bool:
        """Stop every run and wait for the threads; return whether all have ended.

        `interrupted` are runs that their user did not mean to end.
        """
        return self.current.end(interrupted=interrupted)

    def _begin(
        self,
        config: RunConfig,
        origin: Branch | Resume | Follow | None = None,
        *,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        """Replace the run by one of the reader's own, once they agree to leave the experiment, if any.

        It goes from its start, unless it has another `origin`. `begun` is called if it is begun.
        """

        def do() -> None:
            if self._replace(config, origin):
                begun()

        self._guide.before_leaving(do)

    def _replace(
        self,
        config: RunConfig,
        origin: Branch | Resume | Follow | None = None,
        purpose: Purpose | None = None,
    ) -> bool:
        """Replace the run by another, whose old curves stay as a ghost; say why if it can't be begun.

        Returns whether it was.
        """
        try:
            old = self.current.replace(config, origin, purpose=purpose)
        except ConfigError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        if purpose is None:
            self._guide.replaced()
        if old.snapshot.series and not old.snapshot.followed:
            self._ghosts.before = old
        self.query_one(Results).reset_view()
        self.current.start(after=old)
        self.follower.poll_soon()
        return True
