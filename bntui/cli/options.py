"""The options that describe a run, made from the table of settings, and those of what is kept of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from bntui.cli import completion
from bntui.core import settings
from bntui.core.config import RunConfig, looks_like_torch, torch_momentum
from bntui.core.parsers import PUBLISHED
from bntui.core.row import Row
from bntui.core.settings import OPTIONS, given
from bntui.core.text import ConfigError, exact

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from bntui.experiments.experiment import Experiment

FIRST = (
    *("dataset", "data-dir", "train-size", "batch-size", "momentum", "lr", "bn", "norm"),
    *("estimator", "epochs", "steps", "width", "depth"),
)
"""What most runs set is first in the help; the others follow in the order of the table."""


class Refused(click.ClickException):
    """A setting that can't be used: one sentence on standard error."""

    exit_code = 2


class Checked(click.ParamType[object]):
    """A click type around a setting's parser."""

    def __init__(
        self, name: str, parse: Callable[[str], object], one: Callable[[str], object] | None = None
    ) -> None:
        """`one` parses a value where `parse` takes a list of them."""
        self.name = name
        self._parse = parse
        self._one = one or parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the parsed value; a ConfigError becomes one sentence and exit code 2."""
        try:
            return self._parse(str(value))
        except ConfigError as error:
            raise Refused(str(error)) from None

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Return what a shell offers for the value."""
        return completion.values(self._one, incomplete)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run, by their fields."""
    for flag in reversed(list(dict.fromkeys((*FIRST, *OPTIONS)))):
        command = _option(OPTIONS[flag])(command)
    return command


def listed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run, by their fields, each with any number of lists of values."""
    for flag in reversed(list(dict.fromkeys((*FIRST, *OPTIONS)))):
        if flag != "twin":
            command = _list_option(OPTIONS[flag])(command)
    return command


def _list_option(row: Row) -> Any:
    """Return the click option of a setting that may have several values."""
    if row.parse is None:
        switch = f"--{row.flag}/--no-{row.flag}"
        return click.option(switch, row.field, default=None, multiple=True, help=row.option_help)

    def parse(text: str) -> object:
        from bntui.sweeps.values import parse_values

        return parse_values(row, text)

    return click.option(
        f"--{row.flag}",
        row.field,
        type=Checked(row.metavar, parse, row.parse),
        metavar=row.metavar,
        multiple=True,
        help=row.option_help,
    )


def _option(row: Row) -> Any:
    """Return the click option of a setting."""
    if row.parse is None:
        switch = f"--{row.flag}/--no-{row.flag}"
        return click.option(switch, row.field, default=None, help=row.option_help)
    return click.option(
        f"--{row.flag}",
        row.field,
        type=Checked(row.metavar, row.parse),
        metavar=row.metavar,
        multiple=isinstance(row.default, tuple),
        help=row.option_help,
    )


def kept(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of what is kept of runs."""
    store = click.option("--store/--no-store", default=True, help="Keep what is run [yes].")
    weights = click.option("--keep-weights", is_flag=True, help="And the weights it ends with.")
    resume = click.option("--resume", metavar="RUN", help="Go on with a run of `bntui runs`.")
    return store(weights(resume(command)))


def themed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command with a screen the option of its colours."""
    return click.option(
        "--theme",
        metavar="NAME",
        shell_complete=completion.themes,
        help="Colours, this time [the last chosen].",
    )(command)


def looks(command: Callable[..., None]) -> Callable[..., None]:
    """Give the explorer the options of how it looks at first."""
    tour = click.option(
        "--tour/--no-tour", default=None, help="Three cards on what you see [once]."
    )
    return themed(tour(command))


class _Renamed(click.Option):
    """An option whose last name is the one it had: accepted for one release, and not in the help."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0].replace(f", {self.opts[-1]}", ""), record[1])


def guided(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option that names a guided experiment."""
    return click.option(
        "--experiment",
        "--scenario",
        "experiment",
        cls=_Renamed,
        metavar="NAME",
        shell_complete=completion.experiments,
        help="An experiment of `bntui experiments`, or a .toml.",
    )(command)


def config_of(options: Mapping[str, Any]) -> tuple[RunConfig, frozenset[str]]:
    """Return the run that the options describe, and the names of the fields they leave open.

    Raises ConfigError, DataError for an unusable data folder.
    """
    config, left_open = settings.config_of(options)
    check_data(given(options))
    return config, left_open


def configs_of(experiment: "Experiment", over: Mapping[str, Any]) -> tuple[RunConfig, ...]:
    """Return the runs of an experiment, with other options over its own.

    Raises ConfigError, DataError for an unusable data folder.
    """
    from bntui.experiments import library

    configs = library.configs_of(experiment, over)
    for arm in experiment.arms:
        check_data({**arm.options, **over})
    return configs


def remark(config: RunConfig) -> str:
    """Return what to ask about a momentum that looks like torch's; else nothing."""
    momentum = config.knobs.momentum
    if not looks_like_torch(momentum):
        return ""
    meant = torch_momentum(momentum)
    return (
        f"momentum {exact(momentum)} keeps {momentum:.0%} of the old value; if you "
        f"meant torch's convention, that is --momentum {exact(meant)} here."
    )


def check_data(options: Mapping[str, Any]) -> None:
    """Find out about an unusable data folder before anything is opened. Raises DataError."""
    from bntui.data.sources import check_given

    data_dir = options.get("data_dir")
    # Without a name, a folder is taken for one with MNIST: on a GPU the explorer would open it.
    dataset = options.get("dataset") or (None if data_dir is None else "mnist")
    if dataset in PUBLISHED:
        check_given(dataset, data_dir)
