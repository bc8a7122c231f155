"""The Textual application around the explorer. Importing it loads no torch."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.run import MakeRun
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.machine.signals import BY_USER
from bntui.ui import key_lines
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.host import ExplorerHost
from bntui.ui.explorer.screen import Explorer
from bntui.ui.remembered import Memory
from bntui.ui.runs.archive import Archive
from bntui.ui.terminal import capabilities
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.terminal_app import on_this_terminal

if TYPE_CHECKING:
    from bntui.ui.tour.tour import Tour

NO_EXPERIMENTS = Experiments()


class BntuiApp(ExplorerHost):
    """The explorer on a terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.SKIP_TOUR]

    def __init__(
        self,
        make_run: MakeRun,
        request: RunRequest,
        *,
        archive: Archive | None = None,
        experiments: Experiments = NO_EXPERIMENTS,
        updates_per_second: float = capabilities.LOCAL_UPDATES_PER_SECOND,
        glyphs: Glyphs = Glyphs.BRAILLE,
        memory: Memory | None = None,
        theme: str | None = None,
        tour: bool = False,
    ) -> None:
        """`memory` has what was chosen before; a `theme` that is given goes over its.

        `tour` tells whether to open with the cards of the first start.
        """
        super().__init__(glyphs=glyphs, memory=memory, theme=theme)
        self._opens_with_tour = tour
        self.explorer = Explorer(
            make_run,
            request,
            archive=archive,
            experiments=experiments,
            updates_per_second=updates_per_second,
        )

    @property
    def shown_explorer(self) -> Explorer:
        """The explorer that it opens with."""
        return self.explorer

    def get_default_screen(self) -> Screen[None]:
        """Open with the explorer."""
        return self.explorer

    def on_ready(self) -> None:
        """Show the cards of the first start, if they are to be shown, once there is a picture."""
        if self._opens_with_tour:
            self.show_tour()

    def show_tour(self) -> None:
        """Show the cards over the explorer, from the first on."""
        from bntui.ui.tour.tour import Tour  # the first picture doesn't need it

        if tour := self._tour:
            tour.begin()
        else:
            self.explorer.mount(Tour(self._tour_seen))

    @property
    def _tour(self) -> "Tour | None":
        """The cards that are shown."""
        found = self.explorer.query("#tour")
        return cast("Tour", found.first()) if found else None

    def _tour_seen(self) -> None:
        self.memory.keep(tour_seen=True)
        self.explorer.set_focus(
            self.explorer.query_one("#momentum")
        )  # now, not after the next event

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave esc alone where there are no cards."""
        if action == "skip_tour":
            return self._tour is not None
        return super().check_action(action, parameters)

    def action_skip_tour(self) -> None:
        """Take the cards away, wherever the focus is."""
        if tour := self._tour:
            tour.close()

    def on_resize(self, event: events.Resize) -> None:
        """Find another place for the cards."""
        if tour := self._tour:
            tour.fit(event.size)

    def end_runs(self) -> bool:
        """Stop every run and wait for the threads; return whether all have ended."""
        return self.explorer.end(interrupted=self.asked_to_end not in {0, BY_USER})

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List the cards of the first start as well."""
        yield from super().get_system_commands(screen)
        if screen is self.explorer and not self.explorer.run.snapshot.followed:
            shown = "what you see, what to look at, what to press"
            yield SystemCommand("Show the cards of the first start", shown, self.show_tour)


def explore(
    make_run: MakeRun,
    request: RunRequest,
    *,
    archive: Archive,
    experiments: Experiments,
    plain: bool,
    memory: Memory,
    theme: str | None,
    tour: bool,
    on_bug: Callable[[str], object],
) -> int:
    """Run the explorer on this terminal, in ASCII if `plain`, and return the exit code.

    It opens with the run that is asked for, in the `theme` if one is given, else in the remembered one; with the cards
    of the first start if `tour`.

    `on_bug` gets the traceback of a run that a bug has ended. One of the screen is raised.
    """
    app = BntuiApp(
        make_run,
        request,
        archive=archive,
        experiments=experiments,
        updates_per_second=capabilities.updates_per_second(),
        glyphs=capabilities.glyphs(plain=plain),
        memory=memory,
        theme=theme,
        tour=tour,
    )
    on_this_terminal(app)
    last = app.explorer.run.snapshot
    refused = last.phase is Phase.FAILED and last.facts is None and not last.traceback
    code = app.return_code or (2 if refused else 0)
    if last.traceback:
        code = code or 1
        on_bug(last.traceback)
    if not app.all_ended:
        # A step of many seconds is under way. Python would end its thread in the middle of torch,
        # which aborts the process; nothing is left to save.
        os._exit(code)
    return code
