"""The list of guided experiments, and what the chosen one is about."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import OptionList, Static

from bntui.core.snapshot import Snapshot
from bntui.experiments.experiment import Experiment
from bntui.ui import course_keys
from bntui.ui.experiments.sheet import Paragraph, about, facts
from bntui.ui.experiments.standing import Standing
from bntui.ui.runs.archive import Archive
from bntui.ui.runs.store_jobs import StoreJobs
from bntui.ui.terminal.glyphs import fit
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.option_list import Options
from bntui.ui.widgets.status import StatusLine

if TYPE_CHECKING:  # for its types only
    from bntui.store.rows import StoredRun

NARROW = 100
"""Columns below which the list leaves out what the sheet says as well."""
KnownStandings = Callable[["Sequence[StoredRun]"], Callable[[Experiment], Standing]]
"""Returns, given the runs of the store, what tells where an experiment stands."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An entry of the list that is no experiment."""

    title: str
    fact: str
    """What is said below its title."""
    paragraphs: Sequence[Paragraph]
    """What the sheet shows."""
    open: "Callable[[ExperimentsScreen], object]"
    """What enter does."""
    number: str = ""
    """Its place before the first experiment, if it has one."""


class ExperimentsScreen(Screen[Experiment | None]):
    """Closes with the experiment to begin, or with None for none."""

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.EXPERIMENTS.bindings()]
    DEFAULT_CSS = """
    ExperimentsScreen {
        Horizontal { height: 1fr; }
        OptionList { width: 42%; max-width: 60; height: auto; padding: 0; background: $background; }
        VerticalScroll { width: 1fr; max-width: 90; height: auto; padding: 0 1; }
        OptionList, VerticalScroll { max-height: 100%; }
        OptionList, VerticalScroll { scrollbar-size-vertical: 1; }
    }
    """

    def __init__(
        self,
        entries: Sequence[Experiment | Lesson],
        at: int,
        *,
        latest: Snapshot,
        known: KnownStandings,
        archive: Archive | None,
    ) -> None:
        """Begin at the entry in place `at`.

        `latest` is the run that the header tells of; the store is read while the list is shown.
        """
        super().__init__()
        self._entries = entries
        self._at = at
        self._latest = latest
        self._known = known
        self._standing = known(())
        self._archive = archive
        self._jobs = StoreJobs(self, archive, refused=lambda _: None) if archive else None

    def compose(self) -> ComposeResult:
        """Lay out the list, and beside it a sheet."""
        yield StatusLine()
        with Horizontal():
            listed = Options(*map(self._line, self._entries), classes="panel")
            listed.border_title = "experiments"
            yield listed
            with VerticalScroll(classes="panel") as sheet:
                sheet.border_title = "what it is about"
                yield Static(id="sheet")
        yield MessageLines()
        yield KeyLine(course_keys.EXPERIMENTS.shown())

    def on_mount(self) -> None:
        """Begin where the reader is, and read the store."""
        self.query_one(StatusLine).show(self._latest)
        listed = self.query_one(OptionList)
        listed.highlighted = self._at
        listed.focus()
        if self._jobs and self._archive:
            self._jobs.do(self._archive.runs, self._take)

    def on_unmount(self) -> None:
        """End the thread that reads the store."""
        if self._jobs:
            self._jobs.close()

    def on_resize(self, event: Resize) -> None:
        """Say as much below each title as there is room for."""
        self._write()

    def action_begin(self) -> None:
        """Close with the chosen one, from the sheet too; open a lesson."""
        place = self.query_one(OptionList).highlighted
        entry = None if place is None else self._entries[place]
        if isinstance(entry, Lesson):
            entry.open(self)
        else:
            self.dismiss(entry)

    def read_on(self) -> None:
        """Go to the sheet."""
        self.query_one(VerticalScroll).focus()

    @on(OptionList.OptionSelected)
    def _select(self) -> None:
        self.action_begin()

    @on(OptionList.OptionHighlighted)
    def _read(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the chosen one is about, from its beginning."""
        before, self._at = self._at, event.option_index
        self._write({before, self._at})
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _take(self, kept: "Sequence[StoredRun]") -> None:
        """Say what the store knows."""
        if self.query(OptionList):  # not closed meanwhile
            self._standing = self._known(kept)
            self._write()

    def _write(self, places: Iterable[int] = ()) -> None:
        """Write the lines in these places anew, all if there are none, and the sheet."""
        listed = self.query_one(OptionList)
        for place in places or range(len(self._entries)):
            listed.replace_option_prompt_at_index(place, self._line(self._entries[place]))
        self._show_sheet(self._entries[self._at])

    def _line(self, entry: Experiment | Lesson) -> Table:
        """Return number and title, and below it what there is to know of it.

        The chosen one has its own colours: what is dim elsewhere could not be read there.
        """
        line = Table.grid(padding=(0, 1, 0, 0), expand=True)
        line.add_column(width=2, justify="right", no_wrap=True)
        line.add_column(ratio=1)
        number = str(entry.number or "")
        if isinstance(entry, Lesson):
            below = [(entry.fact, "dim")]
        else:
            brief = self.app.size.width < NARROW
            below = facts(entry, self._standing(entry), brief=brief)
        chosen = entry is self._entries[self._at]
        words = Text(f"{fit(self.app, entry.title)}\n")
        for text, style in below:
            words.append(fit(self.app, text), "" if chosen else style)
        line.add_row(number, words)
        return line

    def _show_sheet(self, entry: Experiment | Lesson) -> None:
        paragraphs = (
            entry.paragraphs if isinstance(entry, Lesson) else about(entry, self._standing(entry))
        )
        self.query_one("#sheet", Static).update(
            Group(
                *(
                    Padding(
                        Text.assemble(*((fit(self.app, text), style) for text, style in parts)), pad
                    )
                    for parts, pad in paragraphs
                )
            )
        )
