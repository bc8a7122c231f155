"""`bntui sweeps`: the sweeps that are kept."""

from typing import TYPE_CHECKING

import click

from bntui.cli import output
from bntui.core.text import literal

if TYPE_CHECKING:
    from bntui.core.sweep import SweepView
    from bntui.store.sweeps import StoredSweep


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
def sweeps(as_json: bool) -> None:
    """List the sweeps that are kept, the newest first."""
    from bntui.cli.lines import write_json
    from bntui.machine.places import store_path
    from bntui.store.database import Store
    from bntui.store.follow_sweep import read_sweep

    path = store_path()
    with Store(path) as store:
        kept = store.sweeps()
        for remark in store.remarks:
            click.echo(remark, err=True)
    views = [read_sweep(path, one.name) for one in kept]
    if as_json:
        for one, view in zip(kept, views, strict=True):
            write_json(**_values(one, view))
    elif kept:
        output.console().print(_table(kept, views))
    else:
        click.echo(f"No sweep is kept yet in {literal(str(path))}.")


def _table(kept: "list[StoredSweep]", views: "list[SweepView]") -> object:
    from bntui.cli.sweep_lines import axes_in_words, standings_in_words
    from bntui.cli.tables import Column, local_time, table

    columns = [
        Column("sweep", [one.name for one in kept]),
        Column("begun", [local_time(one.begun) for one in kept]),
        Column("runs", [f"{len(view.cells):,}" for view in views], number=True),
        Column("varies", [axes_in_words(one.design) for one in kept], least=20),
        Column("standing", list(map(standings_in_words, views)), least=12),
    ]
    return table(columns, output.width(), ("begun", "runs"))


def _values(one: "StoredSweep", view: "SweepView") -> dict[str, object]:
    from bntui.core.settings import SETTINGS
    from bntui.core.sweep import Standing

    return {
        "sweep": one.name,
        "begun": one.begun.isoformat(),
        "axes": {SETTINGS[axis.setting].flag: axis.values for axis in one.design.axes},
        "seeds": one.design.seeds,
        "runs": len(view.cells),
        **{standing.value: view.count(standing) for standing in Standing},
    }
