"""`bntui runs`, `bntui show` and `bntui export`: stored runs on the command line.

What reads the store or draws is imported when a command runs: the start of bntui needs none of it.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from bntui.cli import output
from bntui.core.text import ConfigError
from bntui.machine import environment
from bntui.machine.places import keep_private, make_folder, new_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bntui.store.database import Store
    from bntui.store.rows import StoredRun

FORMATS = {
    "csv": ".csv",
    "jsonl": ".jsonl",
    "svg": ".svg",
    "tensorboard": "-tensorboard",
    "weights": ".pt",
}
"""How the name of what is written ends."""
STANDARD_OUTPUT = "-"


def sort_column(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the column to sort by. Raises ConfigError."""
    from bntui.store.listing import SORTED_BY

    name = value.strip().lower().replace("-", "_")
    if name not in SORTED_BY:
        raise ConfigError(f"column {value!r} is unknown: sort by one of {', '.join(SORTED_BY)}.")
    return name


def file_format(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the format to export in. Raises ConfigError."""
    name = value.strip().lower()
    if name not in FORMATS:
        raise ConfigError(f"format {value!r} is unknown: choose one of {', '.join(FORMATS)}.")
    return name


@click.command()
@click.option(
    "--sort", "column", default="started", metavar="COLUMN", callback=sort_column,
    help="By started, val_acc, val_acc_fresh, momentum, batch_size, note … [started].",
)  # fmt: skip
@click.option(
    "--filter", "text", default="", metavar="TEXT",
    help="Only runs with every word of TEXT, such as 'momentum=0.9 digits'.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
def runs(column: str, text: str, as_json: bool) -> None:
    """List the runs that are kept."""
    from bntui.core.text import literal
    from bntui.store.database import Store
    from bntui.store.listing import matching, ordered

    with Store() as store:
        kept = store.runs()
        found = ordered(matching(kept, text), column)
        _remark(store)
    if as_json:
        for run in found:
            click.echo(_json(run))
    elif found:
        from bntui.cli.tables import listing

        output.console().print(listing(found, output.width()))
    elif kept:
        click.echo(f"None of the {len(kept)} runs has all of {text!r}.")
    else:
        click.echo(f"No run is kept yet in {literal(str(store.path))}.")


@click.command()
@click.argument("run")
def show(run: str) -> None:
    """Show all about RUN: how its id begins, or `last`."""
    from bntui.cli.tables import page
    from bntui.core.text import literal
    from bntui.store.database import Store
    from bntui.store.stored_snapshot import repeating

    with Store() as store:
        found = store.find(run)
        marks, verdicts = store.marks(found.id), store.verdicts(found.id)
        reports, line = store.reports(found.id), repeating(store, found)
        _remark(store)
    out = output.console()
    for part in page(found, marks, verdicts, reports, output.width()):
        out.print(part)
    gone = "No one line repeats this run: the run that it branched off is no longer kept."
    click.echo(f"\n{literal(line) if line else gone}")


@click.command()
@click.argument("run")
@click.option(
    "--format", "kind", required=True, metavar="|".join(FORMATS), callback=file_format,
    help="csv and jsonl: every value; svg: accuracy and loss; tensorboard: a folder; weights: a state dict.",
)  # fmt: skip
@click.option("--to", metavar="PATH", help="Where to; - is standard output [bntui-RUN.csv …].")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def export(run: str, kind: str, to: str | None, force: bool) -> None:
    """Write RUN (how its id begins, or `last`) to a file that does not exist yet."""
    from bntui.core.text import literal
    from bntui.store.database import Store

    with Store() as store:
        found = store.find(run)
        if to == STANDARD_OUTPUT:
            _write_out(store, found.id, kind)
            _remark(store)
            return
        path = Path(to) if to else Path(f"bntui-{found.id}{FORMATS[kind]}")
        try:
            if kind == "tensorboard":
                _write_folder(store, found.id, path, force=force)
            elif kind == "weights":
                _write_weights(store, found.id, path, force=force)
            else:
                _write_file(path, _texts(store, found.id, kind), force=force)
        except (OSError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"{path} can't be written: {reason}.") from None
        _remark(store)
    click.echo(f"wrote {literal(str(path))}")


def _texts(store: "Store", run: str, kind: str) -> "Iterable[str]":
    if kind == "svg":
        from bntui.store.export.svg import svg

        return [svg(store, run)]
    from bntui.store.export.csv_and_json import csv_lines, json_lines

    return csv_lines(store, run) if kind == "csv" else json_lines(store, run)


def _write_out(store: "Store", run: str, kind: str) -> None:
    """Write an export to standard output. Raises ConfigError for a format that is no text."""
    if kind in {"tensorboard", "weights"}:
        raise ConfigError(f"{kind} are no text for standard output: name a file with --to.")
    for text in _texts(store, run, kind):
        click.echo(_encoded(text), nl=False)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _write_file(path: Path, texts: "Iterable[str]", *, force: bool) -> None:
    try:
        with new_file(path, over=force) as file:
            file.writelines(map(_encoded, texts))
    except FileExistsError:
        raise _exists(path) from None


def _write_weights(store: "Store", run: str, path: Path, *, force: bool) -> None:
    kept = store.weights(run)
    if kept is None:
        raise ConfigError(
            f"run {run} has no weights in the store: W in the explorer keeps them, and "
            "--keep-weights does at a run's end."
        )
    try:
        with new_file(path, over=force) as file:
            file.write(kept[1])
    except FileExistsError:
        raise _exists(path) from None


def _write_folder(store: "Store", run: str, path: Path, *, force: bool) -> None:
    from bntui.store.export.tensorboard import EVENTS, write_events

    there = list(path.glob(EVENTS)) if path.is_dir() else []
    if there and not force:
        raise _exists(path)
    make_folder(path.parent)
    with TemporaryDirectory(prefix=".bntui-", dir=path.parent) as folder:
        write_events(store, run, Path(folder))
        make_folder(path)
        for file in Path(folder).iterdir():
            keep_private(file)
            file.rename(path / file.name)
    for file in there:  # TensorBoard would show both as one
        file.unlink()


def _exists(path: Path) -> ConfigError:
    return ConfigError(f"{path} exists: give another name with --to, or --force to overwrite it.")


def _remark(store: "Store") -> None:
    """Say on standard error what of the store can't be read, and what of the environment isn't followed."""
    for remark in (*store.remarks, *environment.remarks()):
        click.echo(remark, err=True)


def _json(run: "StoredRun") -> str:
    """Return one run as an object on a line; what is not finite is null."""
    from bntui.store.encoding import finite
    from bntui.store.export.csv_and_json import about

    values = about(run) | {
        name: getattr(run, name)
        for name in (
            *("updates", "epoch", "seconds", "loss", "acc", "val_acc", "val_acc_fresh"),
            *("message", "checkpoint"),
        )
    }
    return json.dumps(finite(values), allow_nan=False)
