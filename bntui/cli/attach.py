"""`bntui attach`: the explorer on a run of another process, or on a kept one."""

import gc
import os
import sys
from pathlib import Path

import click

from bntui.cli.options import themed
from bntui.cli.terminal import refuse_without_terminal
from bntui.core.text import ConfigError, literal


@click.command()
@click.argument("run", required=False)
@click.option(
    "--store", metavar="FILE", help="Where RUN is kept, if not in the store of `bntui runs`."
)
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@themed
def attach(run: str | None, store: str | None, plain: bool, theme: str | None) -> None:
    """Look at RUN, which another process trains or which is kept, in the explorer's screens.

    RUN is how its id begins, or `last`; without it, the newest that is under way. It is looked at, and
    not led: it goes on whatever is done here.
    """
    from bntui.store.database import Store
    from bntui.store.follow import followed, which
    from bntui.ui.terminal import capabilities

    if store is not None:
        os.environ["BNTUI_STORE"] = str(
            _existing(store)
        )  # for all screens, the list of runs as well
    with Store() as kept:
        found = which(kept, run)
    capabilities.prepare()  # before textual is imported
    if theme is not None:
        from bntui.ui.themes import known_theme

        theme = known_theme(theme)
    refuse_without_terminal("attach", "`bntui show` prints what is kept of a run")
    gc.disable()  # the app turns it on again, once there is a picture
    from bntui.core.run_request import Follow, RunRequest
    from bntui.machine.places import config_path
    from bntui.store.archive import KeptRuns
    from bntui.ui.app import explore
    from bntui.ui.experiments.progress import Experiments
    from bntui.ui.remembered import Memory

    code = explore(
        followed,
        RunRequest(found.config, origin=Follow(found.id)),
        archive=KeptRuns(),
        experiments=Experiments(),
        plain=plain,
        memory=Memory(config_path()),
        theme=theme,
        tour=False,
        on_bug=lambda _: None,  # a traceback is its own process's, which has told of it
    )
    sys.exit(code)


def _existing(store: str) -> Path:
    """Return the store that was named. Raises ConfigError if there is no such file."""
    path = Path(store).absolute()
    if not path.is_file():
        raise ConfigError(
            f"there is no store {literal(store)}: give the file that was named behind `bntui watch --store`."
        )
    return path
