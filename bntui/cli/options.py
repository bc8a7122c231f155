"""The options that describe a run: the same on the command line and in an experiment's file.

Their values are judged by the `parse_*` functions of `core/limits.py` and `core/changes.py`, and
nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from bntui.core import limits
from bntui.core.changes import CHANGES, parse_change, parse_twin
from bntui.core.config import (
    DATASETS,
    NORMS,
    PUBLISHED,
    Knobs,
    RunConfig,
    looks_like_torch,
    torch_momentum,
)
from bntui.core.text import ConfigError, exact


class Refused(click.ClickException):
    """A setting that can't be used: one sentence on standard error."""

    exit_code = 2


class Checked(click.ParamType[object]):
    """A click type around one of the engine's `parse_*` functions."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the parsed value; a ConfigError becomes one sentence and exit code 2."""
        try:
            return self._parse(str(value))
        except ConfigError as error:
            raise Refused(str(error)) from None


def _option(flag: str, parse: Callable[[str], object], metavar: str, text: str) -> Any:
    return click.option(flag, type=Checked(metavar, parse), metavar=metavar, help=text)


_DATA = (
    f"{', '.join(DATASETS)}, a folder of images (train/CLASS/, test/CLASS/) or an .npz "
    "(x_train, y_train, x_test, y_test) [digits]."
)
OPTIONS = (
    _option("--dataset", limits.parse_dataset, "DATA", _DATA),
    _option(
        "--data-dir",
        limits.parse_data_dir,
        "DIR",
        "Where torchvision's files lie; also BNTUI_DATA.",
    ),
    _option("--train-size", limits.parse_train_size, "N", "Use so many training images [all]."),
    _option("--batch-size", limits.parse_batch_size, "N", "Images per update [256]."),
    _option("--momentum", limits.parse_momentum, "M", "BN's, Keras's convention [0.99]."),
    _option("--lr", limits.parse_learning_rate, "RATE", "Adam's learning rate [0.001]."),
    click.option("--bn/--no-bn", default=None, help="Short for --norm batch and --norm none."),
    _option("--norm", limits.parse_norm, "KIND", f"{', '.join(NORMS)} [batch]."),
    _option(
        "--estimator", limits.parse_estimator, "NAME", "Of the run's own statistics [momentum]."
    ),
    _option("--epochs", limits.parse_epochs, "N", "Pause after so many epochs [10]."),
    _option("--steps", limits.parse_steps, "N", "Pause after so many updates."),
    _option("--width", limits.parse_width, "F", "Factor on all channels; 1 is the thread's net."),
    _option("--depth", limits.parse_depth, "N", "Blocks of norm and convolution beyond those [0]."),
    _option("--norm-layers", limits.parse_norm_layers, "N", "Keep only the first N norm layers."),
    _option("--ghost-batch", limits.parse_ghost_batch, "N", "Images that Ghost BN sees [32]."),
    _option("--ghost-updates", limits.parse_ghost_updates, "HOW", "each of them, or once [each]."),
    _option("--optimizer", limits.parse_optimizer, "NAME", "adam, or sgd with momentum [adam]."),
    _option("--batch-schedule", limits.parse_batch_schedule, "S", "x2/1, or 1:16,5:64 by epoch."),
    _option("--lr-rule", limits.parse_lr_rule, "RULE", "Rate only, by batch: none, sqrt, linear."),
    _option("--lr-warmup", limits.parse_lr_warmup, "N", "Updates over which the rate rises [0]."),
    _option("--base-batch", limits.parse_base_batch, "N", "Batch that rate and m are for [64]."),
    _option("--seed", limits.parse_seed, "N", "Of weights and data order [0]."),
    _option("--device", limits.parse_device, "NAME", "auto, cpu, cuda, cuda:N or mps [auto]."),
    click.option("--amp/--no-amp", default=None, help="Train in bfloat16 where it is safe [no]."),
    click.option("--compile/--no-compile", default=None, help="Compile the network first [no]."),
    _option("--threads", limits.parse_threads, "N", "CPU threads [one a core, at most 16]."),
    _option("--pace", limits.parse_pace, "N", "Updates a second at most [max]."),
    click.option(
        "--at",
        type=Checked("CHANGE", parse_change),
        metavar="CHANGE",
        multiple=True,
        help="Change a knob on the way: 97:momentum=0.9 or 120:recalibrate; may be repeated.",
    ),
    _option("--twin", parse_twin, "NAME=VALUE", "A second run in lockstep that differs so."),
)
_FIELDS = {"lr": "learning_rate"}
_KNOBS = {field for field, _ in CHANGES.values()}


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a run."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def kept(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of what is kept of runs."""
    store = click.option("--store/--no-store", default=True, help="Keep what is run [yes].")
    weights = click.option("--keep-weights", is_flag=True, help="And the weights it ends with.")
    resume = click.option("--resume", metavar="RUN", help="Go on with a run of `bntui runs`.")
    return store(weights(resume(command)))


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
        help="An experiment of `bntui experiments`, or a .toml.",
    )(command)


@click.command("bntui run", add_help_option=False)
@shared
def _run(**_: Any) -> None:
    """Parse words; nobody runs it."""


def names() -> tuple[str, ...]:
    """Return what an option can be called, without its dashes."""
    return tuple(option.opts[0].removeprefix("--") for option in _run.params)


def switches() -> frozenset[str]:
    """Return the names of the options that take no value: --bn, --no-bn."""
    return frozenset(
        option.opts[0].removeprefix("--") for option in _run.params if option.secondary_opts
    )


def parse(words: Sequence[str]) -> dict[str, Any]:
    """Return the values of the options in `words`, of those that are given. Raises ConfigError."""
    try:
        context = _run.make_context(None, list(words))
    except click.ClickException as error:
        raise ConfigError(error.format_message()) from None
    return given(context.params)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a value, --bn and --no-bn as the norm they mean.

    Raises ConfigError if two of them contradict each other.
    """
    values = {**options, "norm": _norm(options.get("bn"), options.get("norm"))}
    return {name: v for name, v in values.items() if name != "bn" and v not in {None, ()}}


def config_of(options: dict[str, Any]) -> tuple[RunConfig, frozenset[str]]:
    """Return the run that the options describe, and the names of the fields they leave open."""
    fields = {_FIELDS.get(name, name): value for name, value in given(options).items()}
    left_open = frozenset({_FIELDS.get(name, name) for name in options} - fields.keys() - {"bn"})
    if "steps" in fields:
        fields.setdefault("epochs", limits.MAX_EPOCHS)
    knobs = Knobs(**{name: fields.pop(name) for name in _KNOBS & fields.keys()})
    _check_data(fields)
    return RunConfig(**fields, knobs=knobs), left_open


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


def _norm(batch_norm: bool | None, norm: str | None) -> str | None:
    """Return the norm that --bn or --no-bn and --norm ask for. Raises ConfigError if they differ."""
    if batch_norm is None:
        return norm
    if norm is not None and batch_norm is (norm == "none"):
        flag = "--bn" if batch_norm else "--no-bn"
        raise ConfigError(f"{flag} and --norm {norm} contradict each other: leave one of them out.")
    return norm or ("batch" if batch_norm else "none")


def _check_data(fields: dict[str, Any]) -> None:
    """Find out about an unusable data folder before anything is opened. Raises DataError."""
    from bntui.data.sources import check_given

    data_dir = fields.get("data_dir")
    # Without a name, a folder is taken for one with MNIST: on a GPU the explorer would open it.
    dataset = fields.get("dataset") or (None if data_dir is None else "mnist")
    if dataset in PUBLISHED:
        check_given(dataset, data_dir)
