"""`bntui attach`: the explorer on a run of another process, or on a kept one; or a sweep's diagram."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bntui.cli.options import themed
from bntui.cli.terminal import refuse_without_terminal
from bntui.core.text import ConfigError, literal

if TYPE_CHECKING:  # NumPy, which these load, would be half of the time that `--version` takes
    from bntui.store.follow_sweep import FollowedSweep
    from bntui.store.rows import StoredRun


@click.command()
@click.argument("name", metavar="[RUN|SWEEP]", required=False)
@click.option(
    "--store", metavar="FILE", help="Where it is kept, if not in the store of `bntui runs`."
)
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@themed
def attach(name: str | None, store: str | None, plain: bool, theme: str | None) -> None:
    """Look at a run or a sweep, which another process trains or which is kept.

    RUN is how its id begins, or `last`; without it, the newest that is under way is shown, in the explorer's
    screens. SWEEP is a sweep's name: its diagram is shown. What is looked at is not led: it goes on whatever is
    done here.
    """
    from bntui.store.database import Store
    from bntui.store.follow import which
    from bntui.store.follow_sweep import FollowedSweep, means_sweep
    from bntui.ui.terminal import capabilities

    if store is not None:
        os.environ["BNTUI_STORE"] = str(
            _existing(store)
        )  # for all screens, the list of runs as well
    with Store() as kept:
        sweep = FollowedSweep(kept.path, name) if name and means_sweep(kept, name) else None
        run = None if sweep else which(kept, name)
    capabilities.prepare()  # before textual is imported
    if theme is not None:
        from bntui.ui.themes import known_theme

        theme = known_theme(theme)
    way_out = (
        "`bntui sweeps` lists sweeps" if sweep else "`bntui show` prints what is kept of a run"
    )
    refuse_without_terminal("attach", way_out)
    gc.disable()  # the app turns it on again, once there is a picture
    sys.exit(_show(run, sweep, plain=plain, theme=theme))


def _show(
    run: "StoredRun | None", sweep: "FollowedSweep | None", *, plain: bool, theme: str | None
) -> int:
    """Show one of them on this terminal, and return the exit code."""
    from bntui.machine.places import config_path
    from bntui.store.archive import KeptRuns
    from bntui.ui.remembered import Memory

    memory = Memory(config_path())
    if sweep is not None:
        from bntui.ui.sweeps.app import show

        return show(sweep, None, archive=KeptRuns(), plain=plain, memory=memory, theme=theme)
    from bntui.core.run_request import Follow, RunRequest
    from bntui.store.follow import followed
    from bntui.ui.app import explore
    from bntui.ui.experiments.progress import Experiments

    assert run is not None
    return explore(
        followed,
        RunRequest(run.config, origin=Follow(run.id)),
        archive=KeptRuns(),
        experiments=Experiments(),
        plain=plain,
        memory=memory,
        theme=theme,
        tour=False,
        on_bug=lambda _: None,  # a traceback is its own process's, which has told of it
    )


def _existing(store: str) -> Path:
    """Return the store that was named. Raises ConfigError if there is no such file."""
    path = Path(store).absolute()
    if not path.is_file():
        raise ConfigError(
            f"there is no store {literal(store)}: give the file that was named behind `bntui watch --store`."
        )
    return path
