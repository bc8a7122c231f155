"""`bntui export`: a stored run, or a sweep, as a file for other programs.

What reads the store or draws is imported when the command runs: the start of bntui needs none of it.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bntui.cli import runs
from bntui.cli.options import Checked
from bntui.cli.written_files import write_file, write_folder, write_out
from bntui.core.parsers import MAX_EPOCHS, Whole
from bntui.core.text import ConfigError, literal

if TYPE_CHECKING:
    from bntui.core.sweep import SweepView
    from bntui.store.database import Store

Made = Iterable[str] | Iterable[bytes] | Callable[[Path], object]
"""Texts or bytes of a file, or what fills a folder."""
FORMATS = {
    "csv": ".csv",
    "jsonl": ".jsonl",
    "svg": ".svg",
    "tensorboard": "-tensorboard",
    "weights": ".pt",
}
"""How the name of what is written ends."""
STANDARD_OUTPUT = "-"
parse_epoch = Whole("epoch", 1, MAX_EPOCHS, "10")


def file_format(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the format to export in. Raises ConfigError."""
    name = value.strip().lower()
    if name not in FORMATS:
        raise ConfigError(f"format {value!r} is unknown: choose one of {', '.join(FORMATS)}.")
    return name


@click.command()
@click.argument("name", metavar="RUN|SWEEP")
@click.option(
    "--format", "kind", required=True, metavar="|".join(FORMATS), callback=file_format,
    help="csv and jsonl: every value; svg: a picture; tensorboard: a folder; weights: a state dict.",
)  # fmt: skip
@click.option("--to", metavar="PATH", help="Where to; - is standard output [bntui-RUN.csv …].")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option(
    "--x",
    metavar="AXIS",
    help="Of a sweep's picture: batch-size, updates, momentum, lr … [batch-size].",
)
@click.option("--y", metavar="AXIS", help="Of a sweep's picture [momentum].")
@click.option(
    "--value", metavar="VALUE",
    help="Of a sweep's picture: gap, running, fresh or updates-until-sound [gap].",
)  # fmt: skip
@click.option(
    "--epoch",
    type=Checked("N", parse_epoch),
    metavar="N",
    help="Of a sweep's picture: at whose end [the last].",
)
@click.option(
    "--at", multiple=True, metavar="NAME=VALUE",
    help="Of a sweep's picture: the value of another axis, such as lr=0.01 [its first]; may be repeated.",
)  # fmt: skip
def export(name: str, kind: str, to: str | None, force: bool, **picture: Any) -> None:
    """Write a run (how its id begins, or `last`) or a sweep to a file that does not exist yet."""
    from bntui.store.database import Store

    with Store() as store:
        view = _sweep(store, name)
        run = view.name if view else store.find(name).id
        asked = {option: value for option, value in picture.items() if value not in (None, ())}
        if asked and not (view and kind == "svg"):
            raise ConfigError(
                f"--{next(iter(asked))} is of a sweep's picture: --format svg of one."
            )
        if to == STANDARD_OUTPUT and kind in {"tensorboard", "weights"}:
            raise ConfigError(f"--format {kind} writes no text: name with --to where it goes.")
        made = _of_sweep(view, kind, asked) if view else _of_run(store, run, kind)
        path = Path(to) if to else Path(f"bntui-{run}{FORMATS[kind]}")
        _write(made, path, force=force)
        runs.remark(store)
    if to != STANDARD_OUTPUT:
        click.echo(f"wrote {literal(str(path))}")


def _write(made: Made, path: Path, *, force: bool) -> None:
    """Write an export where it goes. Raises ConfigError."""
    try:
        if callable(made):
            write_folder(path, made, force=force)
        elif str(path) == STANDARD_OUTPUT:
            write_out(made)
        else:
            write_file(path, made, force=force)
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError | BrokenPipeError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path} can't be written: {reason}.") from None


def _of_run(store: "Store", run: str, kind: str) -> Made:
    """Return a run in a format. Raises ConfigError."""
    if kind == "svg":
        from bntui.store.export.svg import svg

        return [svg(store, run)]
    if kind == "tensorboard":
        from bntui.store.export.tensorboard import write_events

        return lambda folder: write_events(store, run, folder)
    if kind == "weights":
        kept = store.weights(run)
        if kept is None:
            raise ConfigError(
                f"run {run} has no weights in the store: W in the explorer keeps them, and "
                "--keep-weights does at a run's end."
            )
        return [kept[1]]
    from bntui.store.export.csv_and_json import csv_lines, json_lines

    return csv_lines(store, run) if kind == "csv" else json_lines(store, run)


def _of_sweep(view: "SweepView", kind: str, picture: Mapping[str, Any]) -> Made:
    """Return a sweep in a format. Raises ConfigError."""
    if kind == "svg":
        from bntui.sweeps.export.svg import svg
        from bntui.sweeps.named import choice_named

        return [svg(view, choice_named(view, **picture))]
    if kind == "tensorboard":
        from bntui.sweeps.export.hparams import write_hparams

        return lambda folder: write_hparams(view, folder)
    if kind == "weights":
        raise ConfigError(
            f"sweep {view.name} has no weights: its runs keep none; csv, jsonl, svg and "
            "tensorboard are what it has."
        )
    from bntui.sweeps.export.csv_and_json import csv_lines, json_lines

    return csv_lines(view) if kind == "csv" else json_lines(view)


def _sweep(store: "Store", name: str) -> "SweepView | None":
    """Return the sweep of this name, if it is one: no run's id can be. Raises StoreError."""
    from bntui.store.follow_sweep import means_sweep, read_sweep

    if not means_sweep(store, name):
        return None
    view = read_sweep(store.path, name)
    if view.message:
        click.echo(view.message, err=True)
    return view
