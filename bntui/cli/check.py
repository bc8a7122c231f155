"""`bntui check`: what is wrong with the batch norm of the user's own model.

Every start of bntui imports this module: what takes long to load is imported where it is used.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bntui.cli import output
from bntui.cli.options import Checked
from bntui.core.text import ConfigError, literal, reason
from bntui.machine.environment import worthwhile_threads

if TYPE_CHECKING:
    from bntui.probe.report import Report

USAGE = 2
"""The exit status of a mistake in what was asked for."""
EXAMPLE = "bntui_check.py"
"""The file that --example writes, and the one beside this that it is a copy of."""
STANDARD_OUTPUT = "-"


def _cause(text: str) -> str:
    """Return the name of a cause. Raises ConfigError."""
    from bntui.probe.causes import Cause

    name = text.strip().lower().replace("_", "-")
    if name not in list(Cause):
        raise ConfigError(f"cause {text!r} is unknown: ignore one of {', '.join(Cause)}.")
    return name


def _number(name: str, least: int) -> "Checked":
    """Return a type for whole numbers from `least` up."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number < 2**63:
            raise ConfigError(
                f"{name} {text!r} is not possible: give a whole number from {least} up."
            )
        return number

    return Checked("N", parse)


@click.command()
@click.argument("parts", metavar="[MODULE:FUNCTION]", required=False)
@click.option(
    "--checkpoint", metavar="FILE", help="Put the weights of this file into the model first."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, nothing else.")
@click.option(
    "--samples",
    type=_number("samples", 1),
    metavar="N",
    help="Validation samples to measure on [512].",
)
@click.option(
    "--fresh-batches", type=_number("fresh-batches", 1), metavar="N",
    help="Training batches that fresh statistics are pooled over [16].",
)  # fmt: skip
@click.option(
    "--seed", type=_number("seed", 0), metavar="N", help="Of all that is drawn at random [0]."
)
@click.option(
    "--ignore", multiple=True, type=Checked("CAUSE", _cause), metavar="CAUSE",
    help="Report it, but leave it out of the exit status; may be repeated.",
)  # fmt: skip
@click.option(
    "--example", is_flag=False, flag_value=EXAMPLE, metavar="[FILE]",
    help=f"Write a file to start from; - prints it [{EXAMPLE}].",
)  # fmt: skip
def check(
    parts: str | None,
    checkpoint: str | None,
    as_json: bool,
    samples: int | None,
    fresh_batches: int | None,
    seed: int | None,
    ignore: tuple[str, ...],
    example: str | None,
) -> None:
    """Say what is wrong with the batch norm of your own model: cause, evidence, cure.

    FUNCTION of MODULE, as in my_project.train:parts or train.py:parts, returns a dict of what bntui.check takes:
    model and validation; training, forward, metric, averaged_from and against if you like.

    Exit status: 0 sound, 1 unsound, 2 not possible, 3 undecided.
    """
    if example is not None:
        if parts is not None:
            raise ConfigError(f"--example checks nothing: leave out {parts}.")
        _write_example(example)
        return
    if parts is None:
        raise ConfigError(
            "name a function that returns what to check, as in `bntui check my_project.train:parts`: "
            "`bntui check --example` writes a file to start from."
        )
    given = {"samples": samples, "fresh_batches": fresh_batches, "seed": seed}
    options = {name: value for name, value in given.items() if value is not None}
    report = _checked(parts, checkpoint, options)
    if as_json:
        click.echo(report.to_json())
    elif output.width() is None:
        click.echo(str(report))
    else:
        output.console().print(report, width=output.width())
    kept = tuple(one for one in report.verdicts if one.cause not in ignore)
    sys.exit(replace(report, verdicts=kept).exit_status)


def _checked(parts: str, checkpoint: str | None, options: dict[str, int]) -> "Report":
    """Call the user's function and check what it returns. Raises ConfigError."""
    from bntui.cli.user_code import UserCodeError, find, judged, kind_of, users_code
    from bntui.machine.libraries import loading

    with loading("torch"):
        import torch

    from bntui.probe.check import check as measured

    # In a container torch would take a thread for each core of the machine. Their code may set others.
    torch.set_num_threads(worthwhile_threads(os.environ, torch.get_num_threads()))

    try:
        function = find(parts)
        with users_code():
            made = function()
        name = getattr(function, "__name__", "the function")
        arguments = judged(made, name)
        model = arguments.pop("model")
        if not isinstance(model, torch.nn.Module):
            raise ConfigError(
                f"{name}() returned {kind_of(model)} as model: a check needs a torch.nn.Module."
            )
        if checkpoint is not None:
            from bntui.cli import weights_file

            if said := weights_file.load(checkpoint, model):
                click.echo(literal(said), err=True)
        validation, training = arguments.pop("validation"), arguments.pop("training", None)
        with users_code():
            return measured(model, validation, training, **{**arguments, **options})
    except UserCodeError as error:
        click.echo(
            f"{error}\nError: your own code raised this, so that nothing was checked.", err=True
        )
        sys.exit(USAGE)


def _write_example(name: str) -> None:
    """Write the example to a new file, or to standard output. Raises ConfigError."""
    text = Path(__file__).with_name(EXAMPLE).read_text(encoding="utf-8")
    if name == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    path = Path(name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(
            f"{name} exists already, and nothing is overwritten: name another file behind --example."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} can't be written: {reason(error)}.") from None
    click.echo(f"wrote {literal(name)}; now: bntui check {literal(name)}:parts", err=True)
