"""The command line: `bntui` opens the explorer, `bntui run` trains without a screen.

The engine and the screen are imported only when a command needs them.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from bntui import __version__
from bntui.commands import runs as stored
from bntui.engine import config as limits
from bntui.engine.config import ConfigError, Knobs, Observation, RunConfig


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
    f"{', '.join(limits.DATASETS)}, a folder of images (train/CLASS/, test/CLASS/) or an .npz "
    "(x_train, y_train, x_test, y_test) [digits]."
)
OPTIONS = (
    _option("--dataset", limits.parse_dataset, "DATA", _DATA),
    click.option(
        "--data-dir", metavar="DIR", help="Where torchvision's files lie; also BNTUI_DATA."
    ),
    _option("--train-size", limits.parse_train_size, "N", "Use so many training images [all]."),
    _option("--batch-size", limits.parse_batch_size, "N", "Images per update [256]."),
    _option("--momentum", limits.parse_momentum, "M", "BN's, Keras's convention [0.99]."),
    _option("--lr", limits.parse_learning_rate, "RATE", "Adam's learning rate [0.001]."),
    click.option("--bn/--no-bn", default=None, help="Short for --norm batch and --norm none."),
    _option("--norm", limits.parse_norm, "KIND", f"{', '.join(limits.NORMS)} [batch]."),
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
    _option(
        "--lr-rule", limits.parse_lr_rule, "RULE", "Grow it with the batch: none, sqrt, linear."
    ),
    _option("--lr-warmup", limits.parse_lr_warmup, "N", "Updates over which the rate rises [0]."),
    _option("--base-batch", limits.parse_base_batch, "N", "Batch that rate and m are for [64]."),
    _option("--seed", limits.parse_seed, "N", "Of weights and data order [0]."),
    _option("--device", limits.parse_device, "NAME", "auto, cpu, cuda, cuda:N or mps [auto]."),
    _option("--threads", limits.parse_threads, "N", "CPU threads [all cores]."),
    _option("--pace", limits.parse_pace, "N", "Updates a second at most [max]."),
    click.option(
        "--at",
        type=Checked("CHANGE", limits.parse_change),
        metavar="CHANGE",
        multiple=True,
        help="Change a knob on the way: 97:momentum=0.9 or 120:recalibrate; may be repeated.",
    ),
    _option("--twin", limits.parse_twin, "NAME=VALUE", "A second run in lockstep that differs so."),
)
_FIELDS = {"lr": "learning_rate"}
_KNOBS = {field for field, _ in limits.CHANGES.values()}


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def config_of(options: dict[str, Any]) -> tuple[RunConfig, frozenset[str]]:
    """Return the run that the options describe, and the names of the fields they leave open."""
    named = {_FIELDS.get(name, name): value for name, value in options.items()}
    named["norm"] = _norm(named.pop("bn"), named["norm"])
    given = {name: value for name, value in named.items() if value not in {None, ()}}
    left_open = frozenset(named.keys() - given.keys())
    if "steps" in given:
        given.setdefault("epochs", limits.MAX_EPOCHS)
    knobs = Knobs(**{name: given.pop(name) for name in _KNOBS & given.keys()})
    _check_data(given)
    if limits.looks_like_torch(knobs.momentum):
        meant = limits.torch_momentum(knobs.momentum)
        click.echo(
            f"momentum {knobs.momentum:g} keeps {knobs.momentum:.0%} of the old value; if you "
            f"meant torch's convention, that is --momentum {meant:g} here.",
            err=True,
        )
    return RunConfig(**given, knobs=knobs), left_open


def _norm(batch_norm: bool | None, norm: str | None) -> str | None:
    """Return the norm that --bn or --no-bn and --norm ask for. Raises ConfigError if they differ."""
    if batch_norm is None:
        return norm
    if norm is not None and batch_norm is (norm == "none"):
        flag = "--bn" if batch_norm else "--no-bn"
        raise ConfigError(f"{flag} and --norm {norm} contradict each other: leave one of them out.")
    return norm or ("batch" if batch_norm else "none")


def _check_data(given: dict[str, Any]) -> None:
    """Find out about an unusable data folder before anything is opened. Raises DataError."""
    from bntui.engine.datafiles import check_given

    data_dir = given.get("data_dir")
    # Without a name, a folder is taken for one with MNIST: on a GPU the explorer would open it.
    dataset = given.get("dataset") or (None if data_dir is None else "mnist")
    if dataset in limits.PUBLISHED:
        check_given(dataset, data_dir)


def _refuse_misplaced(ctx: click.Context, command: str) -> None:
    """Raise ConfigError for an option in front of a command: it would do nothing there."""
    of_command = {param.name for param in cli.commands[command].params}
    for param in ctx.command.params:
        name = param.name or ""
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE:
            continue
        off = param.secondary_opts and ctx.params[name] is False
        flag = (param.secondary_opts if off else param.opts)[0]
        if name in of_command:
            raise ConfigError(f"{flag} goes behind the command: bntui {command} {flag} …")
        raise ConfigError(f"{flag} is for the explorer, not for `bntui {command}`: leave it out.")


class OneSentence(click.Group):
    """A group in which the engine's ConfigError ends the program with one sentence and exit 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise Refused(str(error)) from None


@click.group(
    cls=OneSentence,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="bntui %(version)s")
@_shared
@click.option("--paused", is_flag=True, help="Open without training; space begins.")
@click.option("--validation/--no-validation", default=True, help="Measure beside training [yes].")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@click.pass_context
def cli(ctx: click.Context, /, paused: bool, validation: bool, plain: bool, **options: Any) -> None:
    """See, live, why batch normalization breaks validation when there are few updates.

    Without a command it opens the explorer, with settings that fit the machine.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_misplaced(ctx, ctx.invoked_subcommand)
        return
    config, left_open = config_of(options)
    if not all(stream and stream.isatty() for stream in (sys.stdout, sys.stdin)):
        raise ConfigError(
            "the explorer needs a terminal, and standard output or input is none: "
            "use `bntui run` to train without a screen."
        )
    from bntui.engine.runner import Runner
    from bntui.ui import terminal

    terminal.prepare()
    from bntui.ui.app import explore

    observation = Observation(
        live=validation, epoch_ends=validation, epoch_fresh=False, noise_scale=validation
    )

    def make_run(config: RunConfig, left_open: frozenset[str]) -> Runner:
        return Runner(config, observation, left_open=left_open)

    sys.exit(explore(make_run, config, left_open, paused=paused, plain=plain))


@cli.command()
@_shared
@click.option("--hindsight", is_flag=True, help="Validate under every estimator's statistics.")
@click.option("--noise-scale", is_flag=True, help="Measure the gradient noise scale.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
def run(as_json: bool, hindsight: bool, noise_scale: bool, **options: Any) -> None:
    """Train without a screen, with the same defaults on every machine."""
    config, _ = config_of(options)
    from bntui.headless import train

    sys.exit(train(config, hindsight=hindsight, noise_scale=noise_scale, as_json=as_json))


for command in (stored.runs, stored.show, stored.export):
    cli.add_command(command)
