"""A sweep on a terminal: `bntui sweep` and `bntui attach NAME`. Importing it loads no torch."""

import asyncio
import gc
import os
import sys

from textual import on
from textual.screen import Screen

from bntui.core.run import LEAVE_SECONDS, MakeRun
from bntui.core.run_request import Follow, RunRequest
from bntui.core.sweep import Standing, SweepLead, SweepSource, SweepView
from bntui.core.text import ConfigError
from bntui.machine.signals import BY_USER
from bntui.store.follow import followed
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.host import ExplorerHost
from bntui.ui.explorer.screen import Explorer
from bntui.ui.remembered import Memory
from bntui.ui.runs.archive import Archive
from bntui.ui.sweeps.screen import SweepScreen
from bntui.ui.terminal import capabilities
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.terminal_app import on_this_terminal


class SweepApp(ExplorerHost):
    """Begins with a sweep, from which runs are opened in the explorer, one at a time."""

    def __init__(
        self,
        source: SweepSource,
        lead: SweepLead | None,
        *,
        archive: Archive | None = None,
        make_run: MakeRun = followed,
        updates_per_second: float = capabilities.LOCAL_UPDATES_PER_SECOND,
        glyphs: Glyphs = Glyphs.BRAILLE,
        memory: Memory | None = None,
        theme: str | None = None,
    ) -> None:
        """`source` has the sweep; `lead` runs its cells, if it is this process that does.

        `make_run` follows a run that is opened. `memory` has the theme that was chosen before; a `theme`
        that is given goes over it.
        """
        super().__init__(glyphs=glyphs, memory=memory, theme=theme)
        self._source, self._lead = source, lead
        self._archive, self._make_run = archive, make_run
        self._updates_per_second = updates_per_second
        self._explorer: Explorer | None = None

    @property
    def shown_explorer(self) -> Explorer | None:
        """The explorer of the run that is open; None while the sweep is in front."""
        return self._explorer

    def get_default_screen(self) -> Screen[None]:
        """Open with the sweep."""
        return SweepScreen(self._source, self._lead, updates_per_second=self._updates_per_second)

    @on(SweepScreen.Opened)
    def _open(self, event: SweepScreen.Opened) -> None:
        """Show a run in the explorer, as `bntui attach` does."""
        cell = event.run.cell
        request = RunRequest(cell.config, origin=Follow(cell.id))
        try:
            self._explorer = Explorer(
                self._make_run,
                request,
                archive=self._archive,
                experiments=Experiments(),
                updates_per_second=self._updates_per_second,
                leaves="back to the sweep",
            )
        except ConfigError as error:
            self.notify(str(error), severity="error", markup=False)
        else:
            self.push_screen(self._explorer)

    async def action_quit(self) -> None:
        """Go from the explorer back to the sweep; from there leave the program."""
        explorer, self._explorer = self._explorer, None
        if explorer is None:
            self.exit()
            return
        while self.screen is not self.screen_stack[0]:
            await self.pop_screen()
        await asyncio.to_thread(explorer.end, interrupted=False)

    def end_runs(self) -> bool:
        """End what leads and reads the sweep, and what follows a run; return whether all of it has ended."""
        interrupted = self.asked_to_end not in {0, BY_USER}
        ended = [self._lead.leave(LEAVE_SECONDS, interrupted=interrupted)] if self._lead else []
        ended.append(self._source.leave(LEAVE_SECONDS))
        if self._explorer:
            ended.append(self._explorer.end(interrupted=interrupted))
        return all(ended)


def show(
    source: SweepSource,
    lead: SweepLead | None,
    *,
    archive: Archive,
    plain: bool,
    memory: Memory,
    theme: str | None,
) -> int:
    """Show a sweep on this terminal, in ASCII if `plain`, and return the exit code.

    Starts both, once there is a picture, and leaves both at the end: cells under way are kept. `lead` runs
    the sweep's cells; None where another process does, or none. What is left is said on stdout at the end,
    and on stderr why the lead has given up, if it has: the code is 2 then. `archive` has the runs that are kept.
    """
    app = SweepApp(
        source,
        lead,
        archive=archive,
        updates_per_second=capabilities.updates_per_second(),
        glyphs=capabilities.glyphs(plain=plain),
        memory=memory,
        theme=theme,
    )
    gc.freeze()  # what is loaded stays: to look through all of it held a picture up for 50 ms now and then
    on_this_terminal(app)
    gc.unfreeze()
    code = app.return_code or 0
    if lead:
        print(left_over(source.view), flush=True)
        if lead.failure:
            print(f"Error: {lead.failure}", file=sys.stderr, flush=True)
            code = code or 2
    if not app.all_ended:
        os._exit(code)  # as in `app.explore`
    return code


def left_over(view: SweepView) -> str:
    """Return how far a sweep is as its screen is left, and how to go on with it."""
    finished, failed = view.count(Standing.FINISHED), view.count(Standing.FAILED)
    runs = f"sweep {view.name}: {finished} of {len(view.cells)} runs are finished"
    runs += f", {failed} failed" if failed else ""
    if view.over and failed:
        return f"{runs}; `bntui sweep --resume {view.name} --retry-failed` tries those again."
    return f"{runs}." if view.over else f"{runs}; `bntui sweep --resume {view.name}` goes on."
