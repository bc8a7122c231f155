"""`bntui watch`: a script of the user's, run as Python runs it, and its models watched while they train.

Nothing that bntui sets up for its own commands may reach the script: `launched` comes before all of that,
and leaves what is to be said of mistakes and help to the command. Every start of bntui imports this module:
what takes long to load is imported where it is used.
"""

import atexit
import os
import sys
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bntui.cli.options import Checked
from bntui.core.text import ConfigError

if TYPE_CHECKING:
    from bntui.probe.watching.how import How
    from bntui.probe.watching.script import Program

NAME = "watch"
RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK")
"""Variables in which torchrun, Slurm, Open MPI and Lightning say which of several processes this is."""


def _updates(text: str) -> int:
    """Return the value of --every. Raises ConfigError."""
    number = int(text) if text.isdecimal() and len(text) < 19 else 0
    if number < 1:
        raise ConfigError(
            f"every {text!r} is not possible: give a whole number of updates from 1 up."
        )
    return number


def _share(text: str) -> float:
    """Return the value of --share. Raises ConfigError."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"share {text!r} is not possible: give a number from 0 to 1.")
    return share


@click.command(
    NAME,
    context_settings={
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help"],
    },
)
@click.option("-m", "is_module", is_flag=True, help="SCRIPT is the name of a module.")
@click.option(
    "--every", type=Checked("N", _updates), metavar="N",
    help="Look at the weights every N updates, instead of as --share allows.",
)  # fmt: skip
@click.option(
    "--share", type=Checked("SHARE", _share), metavar="SHARE",
    help="The share of the time that looks may take [0.05].",
)  # fmt: skip
@click.option("--store", metavar="FILE", help="Keep it there, not in the store of `bntui runs`.")
@click.option("--no-store", is_flag=True, help="Keep nothing.")
@click.option("--name", default="", metavar="NAME", help="What the run is called [the model's].")
@click.option(
    "--control", is_flag=True, help="Recalibrate where `bntui attach` asks for it: changes the run."
)
@click.argument("words", metavar="SCRIPT [ARGS]…", nargs=-1, type=click.UNPROCESSED)
def watch(**options: Any) -> None:
    """Run a training script as Python does, and say what is wrong with its batch norm.

    `bntui watch train.py --epochs 90` stands for `python train.py --epochs 90`, and `-m` for `python -m`.
    Options behind SCRIPT are the script's. While it runs, `bntui attach` shows it in another terminal.
    """
    _run(*_asked_for(options))


def launched(words: list[str]) -> bool:
    """Run the script that the words behind `bntui watch` ask for; tell if they do not ask for one.

    Then nothing is printed yet. Ends and raises as the script does.
    """
    context = click.Context(watch, **watch.context_settings)
    try:
        _, _, met = watch.make_parser(context).parse_args(words.copy())
        if any(one.is_eager for one in met):  # --help, which would be printed
            return False
        asked = _asked_for(watch.make_context(NAME, words.copy()).params)
    except (click.ClickException, click.exceptions.Exit, ConfigError):
        return False
    _run(*asked)
    return True


def _asked_for(options: dict[str, Any]) -> "tuple[Program, How]":
    """Return what the options ask for. Raises ConfigError."""
    from bntui.probe.watching.how import How
    from bntui.probe.watching.script import Script, find

    words: tuple[str, ...] = options["words"]
    file, keep_none = options["store"], options["no_store"]
    if not words:
        raise ConfigError(
            "name a script to watch, as in `bntui watch train.py`, or a module, as in "
            "`bntui watch -m project.train`."
        )
    if file is not None and keep_none:
        raise ConfigError(f"--no-store keeps nothing: leave out --store {file}.")
    how = How(name=options["name"], control=options["control"], every=options["every"])
    if options["share"] is not None:
        how = replace(how, share=options["share"])
    if keep_none or file is not None:
        how = replace(how, store=False if keep_none else str(Path(file).absolute()))
    return find(Script(words[0], words[1:], options["is_module"])), how


def _run(program: "Program", how: "How") -> None:
    """Run the script; what was found is told when all else in the process has ended.

    Of several processes that train together all are watched, and the first alone keeps and tells it.
    """
    from bntui.probe.watching.watched_script import WatchedScript

    first = _rank() == 0
    watched = WatchedScript(program, how if first else replace(how, store=False))

    def end() -> None:
        with suppress(KeyboardInterrupt):  # once more: then there is no time for it
            said = watched.end()
            _tell(said if first else ())

    atexit.register(end)  # what is registered first is called last
    watched.run()


def _rank() -> int:
    """Return the number of this process among those that train together, as what has started them says."""
    told = (os.environ.get(name, "") for name in RANKS)
    return next((int(one) for one in told if one.isdecimal()), 0)


def _tell(paragraphs: tuple[str, ...]) -> None:
    """Write paragraphs to standard error, behind what the script has written to either stream.

    The script may have put other objects in their place, and whether these can write is its own affair.
    """
    if not paragraphs:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    with suppress(AttributeError, OSError, ValueError):
        descriptor = sys.__stderr__.fileno()  # type: ignore[union-attr]
        cells = os.get_terminal_size(descriptor).columns if os.isatty(descriptor) else 0
        wrapped = [textwrap.fill(one, cells) if cells else one for one in paragraphs]
        # In front of them an empty line, or the end of a progress bar's line
        text = "".join(f"\n{one}\n" for one in wrapped)
        left = _encoded(text, sys.__stderr__.encoding)  # type: ignore[union-attr]
        while left:
            left = left[os.write(descriptor, left) :]


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        from bntui.ui.terminal.glyphs import ascii_cells

        return "\n".join(map(ascii_cells, text.split("\n"))).encode(encoding)
