"""`bntui sweep`: runs of every combination of some settings' values, on the screen or without one."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bntui.cli import completion
from bntui.cli.options import Checked, check_data, listed, remark, themed
from bntui.core.parsers import Whole, parse_number
from bntui.core.settings import SETTINGS
from bntui.core.text import ConfigError

if TYPE_CHECKING:
    from bntui.cli.sweep_plan import Sweep
    from bntui.core.sweep import Design

MOST_JOBS = 1024
parse_jobs = Whole("jobs", 1, MOST_JOBS, "2")


def parse_gpus(text: str) -> float:
    """Return the share of a GPU that a run takes. Raises ConfigError."""
    way_out = "give more than 0 and at most 1, such as 0.25 for four runs on each"
    return parse_number("GPUs per run", text, lambda share: 0.0 < share <= 1.0, way_out)


def _seeds(text: str) -> int:
    from bntui.sweeps.grid import parse_seeds

    return parse_seeds(text)


def _file(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    return completion.files(incomplete)


@click.command()
@click.argument("file", required=False, metavar="[DESIGN.toml]", shell_complete=_file)
@listed
@click.option(
    "--seeds", type=Checked("N", _seeds), metavar="N", help="So many seeds, from --seed on [1]."
)
@click.option("--name", metavar="NAME", help="What the sweep is called [sweep-1, sweep-2 …].")
@click.option("--dry-run", is_flag=True, help="List the runs, and how long they will take.")
@click.option(
    "--jobs",
    type=Checked("N", parse_jobs),
    metavar="N",
    help="Runs at once on this machine [as many as fit; 1 on a GPU].",
)
@click.option(
    "--address", metavar="ADDRESS", help="Run on a Ray cluster: ray://HOST:PORT, or auto."
)
@click.option(
    "--gpus-per-run",
    type=Checked("X", parse_gpus),
    metavar="X",
    help="Share of a GPU that a run takes on a cluster.",
)
@click.option("--no-screen", is_flag=True, help="A progress bar, and a table at the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run, nothing else.")
@click.option("--resume", metavar="NAME", help="Go on with a sweep of `bntui sweeps`.")
@click.option("--retry-failed", is_flag=True, help="Run again what has failed.")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@themed
def sweep(
    file: str | None,
    seeds: int | None,
    name: str | None,
    dry_run: bool,
    jobs: int | None,
    address: str | None,
    gpus_per_run: float | None,
    no_screen: bool,
    as_json: bool,
    resume: str | None,
    retry_failed: bool,
    plain: bool,
    theme: str | None,
    **options: Any,
) -> None:
    """Run every combination of settings' values, and draw when validation fails.

    Every setting may be a list, --batch-size 16,64,256, or a range, 64..4096x2 (each twice the last) or
    0..8+2; DESIGN.toml can say all of it. What has finished is not run again: the same command goes on.
    """
    from bntui.cli.sweep_report import How, has_terminal, list_runs, run

    if address is None and gpus_per_run is not None:
        raise ConfigError("--gpus-per-run is for a cluster: add --address.")
    if address is not None and jobs is not None:
        raise ConfigError("--jobs is for this machine, and a cluster says itself: leave it out.")
    wanted = _wanted(file, _values(options), seeds, name, resume)
    _check_data(wanted.design)
    if resume is None:
        from bntui.sweeps.needless import needless_words

        _say(remark(wanted.design.base))
        _say(needless_words(wanted.design))
    how = How(
        jobs=jobs,
        address=address,
        gpus_per_run=gpus_per_run,
        retry_failed=retry_failed,
        as_json=as_json,
        on_screen=not (no_screen or as_json) and has_terminal(),
        plain=plain,
        theme=theme,
    )
    sys.exit(list_runs(wanted, how) if dry_run else run(wanted, how))


def _wanted(
    file: str | None,
    options: Mapping[str, tuple[Any, ...]],
    seeds: int | None,
    name: str | None,
    resume: str | None,
) -> "Sweep":
    """Return the sweep that is asked for. Raises ConfigError."""
    from bntui.cli.sweep_plan import asked_for, to_resume
    from bntui.machine.places import store_path
    from bntui.sweeps.grid import read_design

    if resume is None:
        return asked_for(
            store_path(),
            read_design(Path(file)) if file is not None else None,
            options,
            seeds,
            name,
        )
    beside: dict[str, object] = {"DESIGN.toml": file, "--seeds": seeds, "--name": name}
    beside |= {f"--{_flag(field, values)}": values for field, values in options.items()}
    if given := next((flag for flag, value in beside.items() if value not in (None, ())), None):
        raise ConfigError(
            f"--resume {resume} goes on with the runs that the sweep has: leave out {given}."
        )
    return to_resume(store_path(), resume)


def _check_data(design: "Design") -> None:
    """Find out about unusable data folders before anything begins. Raises DataError."""
    axis = next((axis.values for axis in design.axes if axis.setting == "dataset"), ())
    for dataset in axis or (design.base.dataset,):
        check_data({"dataset": dataset, "data_dir": design.base.data_dir})


def _values(options: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return all values of each option, however they were spread over its lists."""
    return {
        name: tuple(one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
        for name, parts in options.items()
    }


def _flag(field: str, values: tuple[Any, ...]) -> str:
    return f"{'no-' if values[:1] == (False,) else ''}{'bn' if field == 'bn' else SETTINGS[field].flag}"


def _say(remark: str) -> None:
    if remark:
        click.echo(remark, err=True)
