"""The runs that are kept: to find, remark, lay over, compare, repeat and resume."""

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from bntui.core.run_request import Follow
from bntui.core.snapshot import Checkpoint, Snapshot
from bntui.core.text import ConfigError, literal
from bntui.store.listing import listed, matching, ordered
from bntui.store.rows import StoredRun
from bntui.ui import run_keys
from bntui.ui.dialogs.prompt import PromptScreen
from bntui.ui.dialogs.text_screen import TextScreen
from bntui.ui.remembered import memory_of
from bntui.ui.runs.archive import ID, Archive
from bntui.ui.runs.columns import RUN_COLUMNS, about, measured
from bntui.ui.runs.comparison import ComparisonScreen, Side
from bntui.ui.runs.list import RunList
from bntui.ui.runs.preview import Preview
from bntui.ui.runs.store_jobs import StoreJobs
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine

Chosen = tuple[str, Snapshot | None] | Checkpoint | Follow
"""A run to lay over the charts (to take away, if None); where to go on from; or which run to follow."""
STYLES = {"strong": "bold", "bad": "$text-error", "faint": "$foreground 60%"}
READING_STORE = "reading the runs that are kept…"
_SORTABLE = [column.name for column in RUN_COLUMNS]
ROOMY = (116, 34)
"""Columns and rows from which on the chosen run's curves have room."""
PREVIEW_AFTER = 0.1
"""Seconds for which a run is chosen before its curves are read: a held key chooses many."""
NONE_KEPT = "No run is kept yet."
ALL_OF_SWEEPS = (
    "All runs that are kept are of sweeps: / and sweep list them, and `bntui sweeps` the sweeps."
)


class RunsScreen(Screen[Chosen | None]):
    """Shows the store as it was when it was opened, and after each change made here.

    Closes with what was chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*run_keys.RUNS.bindings()]
    DEFAULT_CSS = """
    RunsScreen {
        #runs { height: 1fr; }
        #chosen { height: 7; max-height: 30%; }
        #about { height: auto; padding: 0 1; }
        &.-roomy #runs { height: auto; max-height: 50%; }
        &.-roomy #chosen { height: 1fr; max-height: 100%; }
        &.-roomy Preview { display: block; margin-top: 1; }
        #filter { display: none; height: 3; border: round $primary; }
        #filter.shown { display: block; }
    }
    """

    def __init__(
        self, archive: Archive, latest: Callable[[], Snapshot], overlaid: Collection[str]
    ) -> None:
        """`latest` returns the snapshot of the run under way, over whose charts lie the runs `overlaid`."""
        super().__init__()
        self._archive = archive
        self._latest = latest
        self._overlaid = overlaid
        self._runs: list[StoredRun] | None = None
        self._instead = READING_STORE
        """What to say in place of runs that are not read yet, or can't be."""
        self._jobs = StoreJobs(self, archive, refused=self._refuse)
        self._column = RUN_COLUMNS[1].name
        self._marked: list[str] = []
        self._deleted: list[str] = []
        self._soon: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the list, what is known of the chosen run, and the keys."""
        if (remembered := memory_of(self.app).choices.runs_by) in _SORTABLE:
            self._column = remembered
        yield StatusLine()
        yield RunList(id="runs", classes="panel")
        with VerticalScroll(id="chosen", classes="panel", can_focus=False):
            yield Static(id="about", markup=False)
            yield Preview()
        yield Input(id="filter", placeholder="words, or settings such as momentum=0.9")
        yield MessageLines()
        yield KeyLine(run_keys.shown_on_runs(followed=self._latest().followed))

    def on_mount(self) -> None:
        """Read the store."""
        self.query_one(RunList).focus()
        self._show()
        self._change(lambda: None)

    def on_unmount(self) -> None:
        """Leave the thread when all is written."""
        self._jobs.close()

    # What is shown

    def _show(self) -> None:
        """Show the runs that are to be seen, or say why there are none."""
        if not self.query(RunList):  # closed, while the store was at work
            return
        kept, text = self._runs or [], self.query_one("#filter", Input).value.strip()
        runs = ordered(listed(matching(kept, text), text), self._column)
        whole = len(kept) if text else len(runs)
        count = f"{f'{len(runs)} of ' if text else ''}{whole} run{'s' * (whole != 1)}"
        title = next(column.title for column in RUN_COLUMNS if column.name == self._column)
        of_sweeps = len(kept) - whole
        beside = f" · {of_sweeps:,} more of sweeps: / sweep" if of_sweeps else ""
        shown = self.query_one(RunList)
        shown.retitle(f"{count}, sorted by {title}{beside}")
        instead = self._instead
        if kept:
            instead = f"No run has all of {text!r}." if text else ALL_OF_SWEEPS
        shown.show(
            runs,
            signs={run.id: "".join(sign for sign, _ in self._signs(run)) for run in runs},
            column=self._column,
            instead=instead,
        )

    def _signs(self, run: StoredRun) -> list[tuple[str, str]]:
        """Return what stands before a run in the list, and what that means."""
        mark = "AB"[self._marked.index(run.id)] if run.id in self._marked else ""
        return [
            (mark or " ", f"marked {mark}" if mark else ""),
            ("●", "over the charts") if run.id in self._overlaid else (" ", ""),
            ("*", "pinned") if run.pinned else (" ", ""),
        ]

    def on_resize(self, event: events.Resize) -> None:
        """Show the chosen run's curves where there is room for them."""
        width, height = event.size
        self.set_class(width >= ROOMY[0] and height >= ROOMY[1], "-roomy")
        self._preview_soon()

    def _preview_soon(self) -> None:
        """Show the chosen run's curves, unless another one is chosen at once."""
        if self._soon:
            self._soon.stop()
        self._soon = self.set_timer(PREVIEW_AFTER, self._preview)

    def _preview(self) -> None:
        run, preview = self.query_one(RunList).chosen, self.query_one(Preview)
        preview.visible = run is not None
        if run is None or preview.run == run.id or not self.has_class("-roomy"):
            return

        def load() -> Snapshot:
            with suppress(ConfigError):  # the keys that need the run say why it can't be read
                return self._archive.load(run.id)
            return Snapshot(config=run.config)

        self._jobs.ask(load, partial(preview.show_run, run.id))

    @on(RunList.Chosen)
    def _tell_about(self, event: RunList.Chosen) -> None:
        """Say all about the chosen run."""
        self._preview_soon()
        lines: list[Content] = []
        if event.run:
            (first, role), *rest = about(event.run)
            signs = [meaning for _, meaning in self._signs(event.run) if meaning]
            for text, style in [(" · ".join([first, *signs]), role), *rest]:
                shown = fit(self.app, literal(text))
                lines.append(Content.styled(shown, STYLES.get(style, "")))
        self.query_one("#about", Static).update(Content("\n").join(lines))

    # What the keys do

    def action_filter(self) -> None:
        """Ask which runs are to be seen."""
        field = self.query_one("#filter", Input)
        field.add_class("shown")
        field.focus()

    @on(Input.Changed)
    def _filter(self) -> None:
        self._show()

    @on(Input.Submitted)
    def action_to_list(self) -> None:
        """Go from the filter to the list."""
        self.query_one(RunList).focus()

    def action_leave(self) -> None:
        """Give up the filter, or close."""
        field = self.query_one("#filter", Input)
        if not field.has_class("shown"):
            self.dismiss(None)
            return
        field.remove_class("shown")
        field.clear()
        self.action_to_list()

    def action_sort(self) -> None:
        """Sort by the next column."""
        names = [column.name for column in measured(self._runs or ())]
        after = _SORTABLE[_SORTABLE.index(self._column) + 1 :]
        self._column = next((name for name in after if name in names), _SORTABLE[0])
        memory_of(self.app).keep(runs_by=self._column)
        self._show()

    def _chosen(self) -> StoredRun | None:
        """Return the run that a key acts on; say it if there is none."""
        chosen = self.query_one(RunList).chosen
        if chosen is None:
            self.app.notify("there is no run to do that with")
        return chosen

    def action_mark(self) -> None:
        """Mark the chosen run to be compared, or no longer; a third one takes the first one's place."""
        if run := self._chosen():
            if run.id in self._marked:
                self._marked.remove(run.id)
            else:
                self._marked = [*self._marked, run.id][-2:]
            self._show()

    def action_note(self) -> None:
        """Ask what is to be remembered of the chosen run."""
        if run := self._chosen():

            def take(note: str | None) -> None:
                if note is not None:
                    self._change(lambda: self._archive.set_note(run.id, note))

            hint = "What to remember of it; the filter finds it too."
            self.app.push_screen(
                PromptScreen(f"note on run {run.id[:ID]}", hint, literal(run.note)), take
            )

    def action_pin(self) -> None:
        """Keep the chosen run on top of the list, or no longer."""
        if run := self._chosen():
            self._change(lambda: self._archive.pin(run.id, pinned=not run.pinned))

    def action_delete(self) -> None:
        """Take the chosen run off the list."""
        if run := self._chosen():
            self._deleted.append(run.id)
            self._marked = [marked for marked in self._marked if marked != run.id]
            self._change(lambda: self._archive.delete(run.id))
            self.app.notify(f"run {run.id[:ID]} is deleted; u brings it back")

    def action_undo(self) -> None:
        """Bring back the run that was deleted last."""
        if not self._deleted:
            self.app.notify("nothing has been deleted since this list was opened")
            return
        run = self._deleted.pop()
        self._change(lambda: self._archive.undelete(run))

    def action_repeat(self) -> None:
        """Show and copy the command line that repeats the chosen run."""
        if run := self._chosen():

            def show(line: str) -> None:
                self.app.copy_to_clipboard(line)
                title = f"to repeat run {run.id[:ID]} (sent to the clipboard)"
                self.app.push_screen(TextScreen(title, literal(line)))

            self._jobs.ask(lambda: self._archive.command(run.id), show)

    def action_resume(self) -> None:
        """Go on with a run that came to no end; where runs are followed, follow it."""
        if (run := self._chosen()) and self._latest().followed:
            self.dismiss(Follow(run.id))
        elif run:
            self._jobs.ask(lambda: self._archive.checkpoint(run.id), self.dismiss)

    def action_lay_over(self) -> None:
        """Lay the chosen run over the charts, or take it away again."""
        chosen = self._chosen()
        if chosen and chosen.id in self._overlaid:
            self.dismiss((chosen.id, None))
        elif chosen:
            run = chosen.id
            self._jobs.ask(
                lambda: self._archive.load(run), lambda snapshot: self.dismiss((run, snapshot))
            )

    def action_compare(self) -> None:
        """Compare the two marked runs; else the chosen one with the marked one, or the one under way."""
        chosen = self.query_one(RunList).chosen
        runs = [*self._marked, *([chosen.id] if chosen else [])]
        runs = list(dict.fromkeys(runs))[:2]
        if not runs:
            self._chosen()
            return

        def compare(snapshots: list[Snapshot]) -> None:
            notes = {run.id: run.note for run in self._runs or ()}
            sides = [
                Side(f"run {run[:ID]} {notes.get(run, '')}".rstrip(), snapshot)
                for run, snapshot in zip(runs, snapshots, strict=True)
            ]
            if len(sides) == 1:
                sides.append(Side("this run", self._latest()))
            self.app.push_screen(ComparisonScreen(*sides))

        self._jobs.ask(lambda: [self._archive.load(run) for run in runs], compare)

    def _change(self, change: Callable[[], None]) -> None:
        """Have `change` made, and the list read anew."""

        def job() -> list[StoredRun]:
            change()
            return self._archive.runs()

        def take(runs: list[StoredRun]) -> None:
            self._runs, self._instead = runs, NONE_KEPT
            self._show()

        self._jobs.do(job, take)

    def _refuse(self, sentence: str) -> None:
        """Say why something was not done."""
        if self._runs is None:
            self._instead = sentence
            self._show()
        else:
            self.app.notify(sentence, severity="error", markup=False)
