"""The explorer: knobs on the left, what they do to the run on the right."""

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widgets import Label

from bntui.core.changes import option_of
from bntui.core.command_line import command_line
from bntui.core.config import Knobs, RunConfig
from bntui.core.limits import MAX_SEED
from bntui.core.run import Command, MakeRun, Purpose, Run
from bntui.core.snapshot import Checkpoint, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.diagnose.health import recent
from bntui.store.export.csv_and_json import series_csv
from bntui.ui.dialogs.keys import KeysScreen
from bntui.ui.dialogs.saving import save_and_tell
from bntui.ui.dialogs.text_screen import TextScreen
from bntui.ui.dialogs.value import ValueScreen
from bntui.ui.experiments.guide import Guide
from bntui.ui.experiments.guideline import GuideLine
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.available_keys import label, waits, why_not
from bntui.ui.explorer.branch import BranchScreen
from bntui.ui.explorer.current_run import Succession
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.evidence import why
from bntui.ui.explorer.ghosts import Ghosts
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.explorer.hint import HintLine
from bntui.ui.explorer.knob_effects import consequence
from bntui.ui.explorer.layer import LayerScreen
from bntui.ui.explorer.predictions import Predictions
from bntui.ui.explorer.refresh_rate import Rhythm
from bntui.ui.explorer.results import Results
from bntui.ui.explorer.resume_offer import Offer
from bntui.ui.explorer.status import StatusLine
from bntui.ui.explorer.verdict import VerdictPanel
from bntui.ui.explorer.whatif import WhatIfScreen
from bntui.ui.new_run.screen import Changes, StructureScreen, with_changes
from bntui.ui.runs.archive import Archive
from bntui.ui.runs.columns import ID
from bntui.ui.runs.screen import Chosen, RunsScreen
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.knob_spec import KNOBS, PACE, Setting
from bntui.ui.widgets.view_keys import LOOKS

FULL = (116, 34)
"""Columns and rows from which on all panels are shown at once."""
KNOBS_FIT = 76
"""Columns in which all knobs fit with their longest values."""
SMALLEST = (60, 16)
TWIN_HINT = "Both begin at update 0, with the same seed and the same batches; all else is alike."
TABS = "1 accuracy  2 loss  3 momenta  4 drift  5 it says"


class Explorer(Screen[None]):
    """One run at a time, on one screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "pause"),
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("g", "experiments", "experiments"),
        Binding("c", "recalibrate", "recalibrate"),
        Binding("w", "what_if", "what if"),
        Binding("n", "step", "step"),
        Binding("r", "restart(0)", "restart"),
        Binding("k", "structure", "structure"),
        Binding("o", "runs", "runs"),
        Binding("t", "twin", "twin"),
        Binding("b", "branch", "branch"),
        *LOOKS,
        Binding("p", "pin", "pin"),
        Binding("v", "verdict", "verdict"),
        Binding("y", "repeat", "repeat"),
        Binding("q", "app.quit", "quit"),
        Binding("R", "restart(1)", "restart with a new seed", show=False),
        Binding("d", "digits", "use digits", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        *(Binding(str(number), f"panel({number})", show=False) for number in range(1, 6)),
        Binding("D", "save_data", "save the data as CSV", show=False),
        Binding("W", "keep_weights", "keep the weights", show=False),
        Binding("left,right", "choose_a_knob", show=False),
        Binding("i", "go_on", "go on with the interrupted run", show=False),
    ]

    def __init__(
        self,
        make_run: MakeRun,
        config: RunConfig,
        left_open: frozenset[str],
        *,
        begin: Checkpoint | None = None,
        archive: Archive | None = None,
        experiments: Experiments,
        paused: bool,
        updates_per_second: float,
    ) -> None:
        """`begin` is the checkpoint of a run to resume, instead of beginning one with `config`.

        `archive` has the runs that are kept; `course` the guided experiments, and the one to begin
        with instead, if any.
        """
        super().__init__()
        self._succession = Succession(make_run, config, left_open, begin)
        self._archive = archive
        self._pausing = paused
        """Whether the user wants the run to wait; it pauses by itself when it is finished."""
        self._updates_per_second = updates_per_second
        self._rhythm = Rhythm(updates_per_second)
        self._experiments = experiments
        self._guide = Guide(
            self,
            experiments,
            latest=lambda: self.run.snapshot,
            begin=lambda config, purpose: self._begin(config, purpose=purpose),
        )
        self._shown: Snapshot | None = None
        self._ghosts = Ghosts()
        self._peeked_at: int | None = None
        self._asked: Knobs | None = None
        self._offer = Offer(self, archive)
        self._offers = begin is None and not experiments.first

    @property
    def run(self) -> Run:
        """The run under way."""
        return self._succession.run

    def compose(self) -> ComposeResult:
        """Lay out the panels; `app.tcss` arranges them."""
        config = self.run.snapshot.config
        yield StatusLine()
        yield GuideLine()
        with Container(id="body"):
            with Container(id="left"):
                with Container(id="knobs") as knobs:
                    knobs.border_title = "knobs"
                    for spec in KNOBS:
                        owner = config if spec.structural else config.knobs
                        yield Knob(spec, getattr(owner, spec.name))
                yield VerdictPanel(id="verdict")
                yield Predictions(id="panel-5", classes="panel")
            yield Results()
        yield Label(
            f"bntui needs {SMALLEST[0]} columns and {SMALLEST[1]} rows: please enlarge the "
            "terminal. The run goes on.",
            id="too-small",
        )
        yield HintLine()
        yield KeyLine([key for key in self.BINDINGS if isinstance(key, Binding)])

    def on_mount(self) -> None:
        """Begin the run once there is a picture, and follow it."""
        self._show_panel(1)
        self.query(Knob).first().focus()
        if self._experiments.first:
            unanswered = partial(self._start, self.run)
            self.call_after_refresh(self._guide.ask, self._experiments.first, unanswered)
        else:
            self.call_after_refresh(self._start, self.run)
        self._keep_following()
        if self._offers:
            self.run_worker(self._offer.make())

    def _keep_following(self) -> None:
        self.follow()
        self.set_timer(self._rhythm.wait(), self._keep_following)

    def action_go_on(self) -> None:
        """Go on with the run that was interrupted last."""

        async def go_on() -> None:
            if checkpoint := await self._offer.take():
                self._begin(checkpoint.config, checkpoint, resume=True)

        self.run_worker(go_on(), exclusive=True, group="resume")

    def _start(self, run: Run) -> None:
        """Start the first run, unless a key typed ahead has put another in its place."""
        if run is self.run:
            run.start(paused=self._pausing)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement that fits."""
        width, height = event.size
        full = width >= FULL[0] and height >= FULL[1]
        tiny = width < SMALLEST[0] or height < SMALLEST[1]
        classes = {
            "-full": full,
            "-tabs": not full and not tiny,
            "-narrow": width < KNOBS_FIT,
            "-tiny": tiny,
        }
        self.update_classes(classes)  # at once: styles are matched anew each time
        for panel in self.query(".panel"):
            panel.border_subtitle = None if full else TABS
        if not tiny and self.focused is None:  # a screen too small for knobs took the focus away
            self.call_after_refresh(self.query(Knob).first().focus)

    def on_screen_resume(self) -> None:
        """Catch up with what happened under another screen."""
        self.follow()

    def action_choose_a_knob(self) -> None:
        """Say what turns knobs, where something else was chosen."""
        self.notify("← → turn a knob: choose one with ↑ ↓ or tab")

    # From the run to the screen

    def follow(self) -> None:
        """Show the run's latest snapshot, if it is a new one.

        Under a dialog only the line on top, once a second: Textual draws the dialog's cells again for
        every change behind it.
        """
        snapshot = self.run.snapshot
        if self.app.screen is not self:
            behind = self.app.screen.is_modal and self.is_current
            if behind and self._rhythm.another_second():
                self.query_one(StatusLine).show(snapshot)
            return
        if snapshot is self._shown:
            return
        before, self._shown = self._shown, snapshot
        if snapshot.phase is Phase.FINISHED and (before is None or _moved(before, snapshot)):
            self._pausing = True
        with self.app.batch_update():
            self.query_one(StatusLine).show(snapshot)
            self._show_knobs(snapshot)
            self.query_one(Results).show(snapshot, self._behind)
            self.query_one(Predictions).show(snapshot)
            self.query_one(KeyLine).show(
                said=lambda action: label(action, snapshot),
                hidden=lambda action: bool(why_not(action, snapshot)),
            )
            self.query_one(VerdictPanel).show(snapshot)
        self._tell(snapshot, before)
        self._guide.follow(snapshot)

    def _show_knobs(self, snapshot: Snapshot) -> None:
        if snapshot.asked is self._asked:
            self._asked = None
        for knob in self.query(Knob):
            owner = snapshot.config if knob.spec.structural else snapshot.knobs
            knob.show(getattr(owner, knob.spec.name), keep_wanted=self._asked is not None)
        self._explain()

    @on(DescendantFocus)
    def _explain(self) -> None:
        """Say what the chosen knob's value means."""
        if isinstance(self.focused, Knob):
            snapshot = self.run.snapshot
            knobs = self._asked or snapshot.knobs
            said = consequence(self.focused.spec, knobs, snapshot)
            if self.focused.wanted != self.focused.applied and (when := waits(snapshot)):
                said = f"{when} · {said}"
            self.query_one(HintLine).show(said)
        elif self.focused is not None:
            self.query_one(HintLine).show(getattr(self.focused, "hint", ""))

    def _tell(self, snapshot: Snapshot, before: Snapshot | None) -> None:
        """Give notice of what the run has to say, once."""
        if snapshot.phase in {Phase.LOADING, Phase.FAILED}:
            return
        if snapshot.message and (before is None or before.message != snapshot.message):
            self.notify(snapshot.message, markup=False)
        done = snapshot.recalibration
        if done and (before is None or before.recalibration is not done):
            gain = f"{done.before:.3f} → {done.after:.3f}"
            self.notify(
                f"recalibrated at update {done.update}: {gain}"
                if done.applied
                else f"a recalibration at update {done.update} would give {gain}; c again applies one"
            )

    # From the keys to the run

    @on(Knob.Turned)
    def _turn(self, event: Knob.Turned) -> None:
        event.knob.wanted = event.value  # a look at the run may have reset it meanwhile
        change: dict[str, Any] = {event.knob.spec.name: event.value}
        if event.knob.spec.structural:
            self._begin(replace(self._config(), **change))
            return
        if event.knob.spec is not PACE:
            self._guide.changed()
        self._asked = replace(self._asked or self.run.snapshot.knobs, **change)
        self.run.apply(self._asked)
        self._explain()

    def _refuses(self, action: str) -> bool:
        """Say why the key of an action can't act now, if it can't; return whether that is so."""
        reason = why_not(action, self.run.snapshot)
        if reason:
            self.notify(reason, markup=False)
        return bool(reason)

    def action_pause(self) -> None:
        """Pause, or train on."""
        if self._refuses("pause"):
            return
        self._pausing = not self._pausing
        if self.run.snapshot.phase is Phase.LOADING:
            self.notify("once loaded, the run " + ("waits" if self._pausing else "trains"))
        if self._pausing:
            self.run.pause()
        else:
            self.run.resume()
        self._follow_soon()

    def action_step(self) -> None:
        """Make one update and stay paused."""
        if self._refuses("step"):
            return
        self._pausing = True
        self.run.pause()
        self.run.command(Command.STEP)
        self._follow_soon()

    def action_recalibrate(self) -> None:
        """Find out what a recalibration would do; a second time, soon after, apply it."""
        if self._refuses("recalibrate"):
            return
        snapshot = self.run.snapshot
        soon = self._peeked_at is not None and recent(snapshot, self._peeked_at)
        self.run.command(Command.RECALIBRATE if soon else Command.PEEK)
        if soon:
            self._guide.changed()
        self._peeked_at = None if soon else snapshot.update
        self.query_one(HintLine).show(
            "recalibrating…" if soon else "trying a recalibration…; c again applies one"
        )
        self._follow_soon()

    def action_what_if(self) -> None:
        """Open the what-if of the weights at hand."""
        self.app.push_screen(
            WhatIfScreen(
                lambda: self.run.snapshot,
                lambda: self.run.command(Command.WHAT_IF),
                updates_per_second=self._updates_per_second,
            )
        )

    @on(HindsightMap.Opened)
    def _open_what_if(self) -> None:
        self.action_what_if()

    @on(DriftTable.Opened)
    def _open_layer(self, event: DriftTable.Opened) -> None:
        def closed(index: int | None) -> None:
            table = self.query_one(DriftTable)
            table.chosen = index or 0
            table.repaint()

        self.app.push_screen(
            LayerScreen(
                lambda: self.run.snapshot,
                lambda: self.run.command(Command.CHANNELS),
                event.index,
                updates_per_second=self._updates_per_second,
            ),
            closed,
        )

    def action_structure(self) -> None:
        """Open the settings that take a new run."""

        def begin(changes: Changes | None) -> None:
            if changes is not None:
                self._succession.choose(changes.keys())
                self._begin(with_changes(self._config(), changes))

        self.app.push_screen(StructureScreen(self._config(), self.run.snapshot), begin)

    def action_keep_weights(self) -> None:
        """Keep the weights of this moment in the store."""
        if self._refuses("keep_weights"):
            return
        self.run.command(Command.KEEP_WEIGHTS)
        at, run = self.run.snapshot.update, self.run.snapshot.run[:ID]
        self.notify(
            f"the weights of update {at} go to the store: bntui export {run} --format weights"
        )

    def action_experiments(self) -> None:
        """Open the guided experiments."""
        self._guide.open()

    def action_twin(self) -> None:
        """Begin again beside a twin that differs in the chosen knob; with a twin, without."""
        config = self._config()
        if config.twin:
            self._begin(replace(config, twin=""))
            return
        knob = self.focused
        if not isinstance(knob, Knob) or knob.spec is PACE:
            self.notify("choose a knob first: a twin is a second run that differs in one.")
            return
        spec, option = knob.spec, option_of(knob.spec.name)
        other = spec.step(knob.wanted, -1)
        if other == knob.wanted:
            other = spec.step(knob.wanted, 1)

        def begin(value: Setting) -> None:
            # As it is by then: it may have been fitted to the machine meanwhile.
            self._begin(replace(self._config(), twin=f"{option}={value}"))

        self.app.push_screen(
            ValueScreen(
                spec, other, begin, title=f"a twin with another {spec.label}", hint=TWIN_HINT
            )
        )

    def action_branch(self) -> None:
        """Return to a checkpoint, and wait there for other knobs."""
        if self._refuses("branch"):
            return
        checkpoints = self.run.snapshot.checkpoints

        def begin(checkpoint: Checkpoint | None) -> None:
            if checkpoint is not None:
                without = ", without the twin" if self.run.snapshot.config.twin else ""
                self._begin(checkpoint.config, checkpoint)
                self.notify(
                    f"back at update {checkpoint.update}{without}: turn knobs, then space goes on "
                    "from there."
                )

        near = self.query_one(Results).view.cursor
        self.app.push_screen(BranchScreen(checkpoints, near), begin)

    def action_restart(self, seeds: int) -> None:
        """Begin again, `seeds` further on."""
        config = self._config()
        self._begin(replace(config, seed=(config.seed + seeds) % (MAX_SEED + 1)))

    def action_digits(self) -> None:
        """After a failure, go on with the data set that is always there."""
        if self._refuses("digits"):
            return
        self._begin(
            replace(self._config(), dataset="digits", data_dir=None, train_size=None, device="auto")
        )

    # What is looked at, and taken away

    def action_look(self, change: str, amount: float) -> None:
        """Change the view of all charts."""
        results = self.query_one(Results)
        if reason := results.look(change, amount):
            self.notify(reason)
        elif change == "log" and not self.query_one("#panel-2").display:
            axis = "a logarithmic" if results.view.log_loss else "a plain"
            self.notify(f"loss has {axis} axis now: 2 shows it")

    def action_panel(self, number: int) -> None:
        """Show one panel, where there is room for one only; else go to it."""
        self._show_panel(number)
        if self.has_class("-full"):
            chosen = self.query_one(f"#panel-{number}")
            if chosen.can_focus:
                chosen.focus()
            else:
                self.notify("all panels are in sight; 3 and 4 go to the map and the drift table")

    def _show_panel(self, number: int) -> None:
        for panel in self.query(".panel"):
            panel.set_class(panel.id == f"panel-{number}", "shown")
        self.query_one("#body").set_class(number == 5, "-fifth")
        chosen = self.query_one(f"#panel-{number}")
        if self.has_class("-tabs"):
            (chosen if chosen.can_focus else self.query(Knob).first()).focus()

    def action_pin(self) -> None:
        """Keep this run's curves as a ghost behind all runs to come; again: no longer."""
        pinned = self._ghosts.pinned = None if self._ghosts.pinned else self.run
        self.notify("this run's curves are pinned" if pinned else "no run is pinned now")
        self._draw_ghosts()

    @property
    def _behind(self) -> list[tuple[str, Snapshot]]:
        """Return the runs to draw behind this one: an experiment's instead of the one before."""
        ghosts, experiment = self._ghosts.behind(self.run), self._guide.performance
        if experiment:
            ghosts = [ghost for ghost in ghosts if ghost[0] != "was"]
            ghosts += experiment.ghosts(self.run.snapshot)
        return ghosts

    def _draw_ghosts(self) -> None:
        self.query_one(Results).show(self.run.snapshot, self._behind)

    def action_runs(self) -> None:
        """Open the list of the runs that are kept."""
        if self._archive is None:
            self.notify("no runs are kept here")
            return
        stored = self._ghosts.stored
        self.app.push_screen(
            RunsScreen(self._archive, lambda: self.run.snapshot, stored.keys()), self._take_stored
        )

    def _take_stored(self, chosen: Chosen | None) -> None:
        """Go on from a checkpoint, or lay a run over the charts or take it away."""
        if isinstance(chosen, Checkpoint):
            self._begin(chosen.config, chosen, resume=True)
        elif chosen:
            run, snapshot = chosen
            if snapshot is None:
                self._ghosts.stored.pop(run, None)
            else:
                self._ghosts.stored[run] = snapshot
            self._draw_ghosts()

    def action_verdict(self) -> None:
        """Show the whole verdict, and every measurement behind it."""
        self.app.push_screen(TextScreen("verdict", why(self.run.snapshot)))

    def action_keys(self) -> None:
        """Open the help."""
        self.app.push_screen(KeysScreen())

    def action_repeat(self) -> None:
        """Show and copy the command line that repeats this run, and why it failed if it did."""
        snapshot = self.run.snapshot
        line = command_line(snapshot)
        self.app.copy_to_clipboard(line)
        text = f"{line}\n\n{snapshot.traceback}".rstrip()
        self.app.push_screen(TextScreen("to repeat this run (sent to the clipboard)", text))

    def action_save_data(self) -> None:
        """Write what the charts show to a CSV file."""
        if not self._refuses("save_data"):
            save_and_tell(self.app, series_csv(self.run.snapshot), "csv")

    def end(self, *, unasked: bool) -> bool:
        """Stop every run and wait for the threads; return whether all have ended.

        `unasked` tells that the user did not mean to end them.
        """
        return self._succession.end(unasked=unasked)

    def _config(self) -> RunConfig:
        """Return the configuration of the run as it is now, live changes included."""
        snapshot = self.run.snapshot
        return replace(snapshot.config, knobs=self._asked or snapshot.knobs)

    def _begin(
        self,
        config: RunConfig,
        begin: Checkpoint | None = None,
        *,
        resume: bool = False,
        purpose: Purpose | None = None,
    ) -> None:
        """Replace the run by a new one, which may branch off a checkpoint, resume, have a purpose.

        The old curves stay as a ghost.
        """
        try:
            old = self._succession.replace(config, begin, resume=resume, purpose=purpose)
        except ConfigError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if purpose is None:
            self._guide.replaced()
        if old.snapshot.series:
            self._ghosts.before = old
        self._asked = None
        self._peeked_at, self._pausing = None, begin is not None and not resume
        self.query_one(Results).follow()
        self.run.start(paused=self._pausing, after=old)
        self._follow_soon()

    def _follow_soon(self) -> None:
        """Show the effect of a key before the next regular look."""
        for seconds in (0.02, 0.08):
            self.set_timer(seconds, self.follow)


def _moved(before: Snapshot, now: Snapshot) -> bool:
    """Tell whether something was done between two snapshots, or they are of two runs."""
    return (
        before.config is not now.config
        or before.phase is not now.phase
        or before.update != now.update
    )
