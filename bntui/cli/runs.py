"""`bntui runs` and `bntui show`: stored runs on the command line.

What reads the store is imported when a command runs: the start of bntui needs none of it.
"""

import json
from typing import TYPE_CHECKING

import click

from bntui.cli import output
from bntui.core.text import ConfigError
from bntui.machine import environment

if TYPE_CHECKING:
    from bntui.store.database import Store
    from bntui.store.rows import StoredRun


def sort_column(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the column to sort by. Raises ConfigError."""
    from bntui.store.listing import SORTED_BY

    name = value.strip().lower().replace("-", "_")
    if name not in SORTED_BY:
        raise ConfigError(f"column {value!r} is unknown: sort by one of {', '.join(SORTED_BY)}.")
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
    """List the runs that are kept, those of sweeps only with --filter or --json."""
    from bntui.core.text import literal
    from bntui.store.database import Store
    from bntui.store.listing import listed, matching, ordered

    with Store() as store:
        kept = store.runs()
        found = ordered(matching(kept, text), column)
        remark(store)
    if as_json:
        for run in found:
            click.echo(_json(run))
    elif found:
        from bntui.cli.tables import listing

        if shown := listed(found, text):
            output.console().print(listing(shown, output.width()))
        if left_out := len(found) - len(shown):
            click.echo(
                f"{left_out:,} {'more ' if shown else ''}runs are of sweeps: `bntui sweeps` lists sweeps, "
                "`bntui runs --filter sweep` lists their runs."
            )
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
        remark(store)
    out = output.console()
    for part in page(found, marks, verdicts, reports, output.width()):
        out.print(part)
    gone = "No one line repeats this run: the run that it branched off is no longer kept."
    click.echo(f"\n{literal(line) if line else gone}")


def remark(store: "Store") -> None:
    """Say on standard error what of the store can't be read, and what of the environment isn't followed."""
    for one in (*store.remarks, *environment.remarks()):
        click.echo(one, err=True)


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
