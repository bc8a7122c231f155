"""The command line: `bntui` opens the explorer, `bntui run` trains without a screen.

Training and the screen are imported only when a command needs them.
"""

import gc
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bntui import __version__
from bntui.cli import runs as stored
from bntui.cli.attach import attach
from bntui.cli.check import check
from bntui.cli.crash import save_report
from bntui.cli.doctor import doctor
from bntui.cli.experiments import experiments, old_name_of
from bntui.cli.export import export
from bntui.cli.options import Refused, config_of, configs_of, guided, kept, looks, remark, shared
from bntui.cli.sweep import sweep
from bntui.cli.sweeps import sweeps
from bntui.cli.terminal import refuse_without_terminal
from bntui.cli.toy import toy
from bntui.cli.watch import watch
from bntui.core.config import Observation, RunConfig
from bntui.core.settings import SETTINGS, given
from bntui.core.text import ConfigError

if TYPE_CHECKING:  # NumPy, which these load, would be half of the time that `--version` takes
    from bntui.core.run import Recorder
    from bntui.core.run_request import Origin
    from bntui.experiments.experiment import Experiment
    from bntui.ui.experiments.progress import Experiments

MACHINE_OPTIONS = ("device", "threads", "data_dir")
"""Options of the explorer that also hold for experiments begun in it: where to compute and to find data."""


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
    """A group in which a ConfigError ends the program with one sentence and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise Refused(str(error)) from None
        except BrokenPipeError:
            _end_unread()
        except click.UsageError as error:
            raise _literally(error) from None

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the words in front of a command."""
        try:
            return super().make_context(*arguments, **options)
        except click.UsageError as error:
            raise _literally(error) from None
        except BrokenPipeError:
            _end_unread()


def _end_unread() -> NoReturn:
    """End the program whose output nobody reads; click would end it with 1, which means a bug.

    Raises the error that is handled where it is of another pipe.
    """
    from bntui.machine.signals import UNREAD, is_unread, write_nowhere_if_unread

    if not is_unread():
        raise
    write_nowhere_if_unread()
    sys.exit(UNREAD)


def _literally(error: click.UsageError) -> click.UsageError:
    """Return click's error with control characters in what was typed written as escapes."""
    from bntui.core.text import literal

    return click.UsageError(literal(error.format_message()), error.ctx)


@click.group(
    cls=OneSentence,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="bntui %(version)s")
@shared
@click.option("--paused", is_flag=True, help="Open without training; space begins.")
@click.option("--validation/--no-validation", default=True, help="Measure beside training [yes].")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@looks
@guided
@kept
@click.pass_context
def cli(
    ctx: click.Context,
    /,
    paused: bool,
    validation: bool,
    plain: bool,
    theme: str | None,
    tour: bool | None,
    experiment: str | None,
    store: bool,
    keep_weights: bool,
    resume: str | None,
    **options: Any,
) -> None:
    """See, live, why batch normalization breaks validation when there are few updates.

    Without a command it opens the explorer, with settings that fit the machine; with --experiment, a
    guided experiment in it, over whose own options the others go.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_misplaced(ctx, ctx.invoked_subcommand)
        return
    from bntui.core.run_request import New, Resume, RunRequest

    offered = _experiments(experiment, resume, given(options))
    config, origin = _config_and_origin(resume, options)
    if offered.first:
        config, origin, paused = offered.configs(offered.first)[0], New(), True
    if resume is None:
        _say(remark(config))
    if theme is not None:
        theme = _known_theme(theme)
    refuse_without_terminal("the explorer", "use `bntui run` to train without a screen")
    # No garbage collection until the first picture: nothing made so far is garbage, and collecting took
    # a tenth of that time. The app turns it on again.
    gc.disable()
    from bntui.store.archive import KeptRuns
    from bntui.train.runner import Runner
    from bntui.ui.terminal import capabilities

    capabilities.prepare()
    from bntui.machine.places import config_path
    from bntui.ui.app import explore
    from bntui.ui.remembered import Memory

    memory = Memory(config_path())
    if resume is None and "pace" not in given(options):
        config = memory.choices.at_pace(config)
    if tour is None:
        tour = memory.first_start and resume is None and not offered.first

    keepers: list[Recorder] = []

    def keeper(request: RunRequest) -> "Recorder | None":
        from bntui.store.archive import recorder

        made = recorder(request)
        if made:
            keepers.append(made)
        return made

    def make_run(request: RunRequest) -> Runner:
        if isinstance(
            request.origin, Resume
        ):  # refused, if at all, before another run gives way to it
            made = keeper(request)
            return Runner(request, recorder=lambda: made)
        return Runner(request, recorder=lambda: keeper(request))

    request = RunRequest(
        config,
        Observation(
            live=validation, epoch_ends=validation, epoch_fresh=False, noise_scale=validation
        ),
        origin,
        paused=paused,
        keep=store,
        keep_weights=keep_weights,
    )
    code = explore(
        make_run,
        request,
        archive=KeptRuns(),
        experiments=offered,
        plain=plain,
        memory=memory,
        theme=theme,
        tour=tour,
        on_bug=lambda trace: _say(save_report(trace)),
    )
    for said in dict.fromkeys(said for one in keepers for said in (one.notice, one.problem)):
        _say(said)
    sys.exit(code)


@cli.command()
@shared
@click.option("--hindsight", is_flag=True, help="Validate under every estimator's statistics.")
@click.option("--noise-scale", is_flag=True, help="Measure the gradient noise scale.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, nothing else.")
@guided
@click.option("--predict", metavar="N", help="Your answer to the experiment's question.")
@kept
def run(
    as_json: bool,
    hindsight: bool,
    noise_scale: bool,
    experiment: str | None,
    predict: str | None,
    store: bool,
    keep_weights: bool,
    resume: str | None,
    **options: Any,
) -> None:
    """Train without a screen, with the same defaults on every machine.

    With --experiment, every run of a guided experiment, and what it shows; the other options go over
    the experiment's own.
    """
    if keep_weights and not store:
        raise ConfigError("--keep-weights keeps them in the store: leave out --no-store.")
    observation = Observation(live=False, hindsight=hindsight, epoch_noise=noise_scale)
    if experiment is not None:
        from bntui.cli.perform import perform_and_print

        sys.exit(
            perform_and_print(
                _experiment(experiment, resume),
                given(options),
                observation,
                predict=predict,
                as_json=as_json,
                store=store,
                keep_weights=keep_weights,
            )
        )
    if predict is not None:
        raise ConfigError("--predict answers the question of a --experiment: name one.")
    config, origin = _config_and_origin(resume, options)
    if resume is None:
        _say(remark(config))
    from bntui.cli.report import train
    from bntui.core.run_request import RunRequest

    request = RunRequest(config, observation, origin, keep=store, keep_weights=keep_weights)
    sys.exit(train(request, as_json=as_json))


def _known_theme(name: str) -> str:
    """Return the theme of --theme. Raises ConfigError."""
    from bntui.ui.terminal import capabilities

    capabilities.prepare()  # before textual is imported
    from bntui.ui.themes import known_theme

    return known_theme(name)


def _say(remark: str) -> None:
    if remark:
        click.echo(remark, err=True)


def _experiment(name: str, resume: str | None) -> "Experiment":
    """Return the experiment that --experiment means. Raises ConfigError."""
    from bntui.experiments.library import find

    if resume is not None:
        raise ConfigError("--resume goes on with one run: leave out --experiment.")
    return find(name)


def _experiments(name: str | None, resume: str | None, options: dict[str, Any]) -> "Experiments":
    """Return the experiments of the explorer, --experiment's the first. Raises ConfigError."""
    from bntui.ui.experiments.progress import Experiments

    first = _experiment(name, resume) if name is not None else None
    own = (first,) if first and not first.number else ()
    over = {key: value for key, value in options.items() if first or key in MACHINE_OPTIONS}

    def listed() -> "tuple[Experiment, ...]":
        from bntui.experiments.library import built_in  # the first picture needs none of them

        return (*own, *built_in())

    return Experiments(listed, lambda experiment: configs_of(experiment, over), first)


def _config_and_origin(resume: str | None, options: dict[str, Any]) -> "tuple[RunConfig, Origin]":
    """Return the configuration and the origin of the run that the options, or --resume, ask for.

    Raises ConfigError.
    """
    from bntui.core.run_request import New, Resume

    if resume is None:
        config, left_open = config_of(options)
        return config, New(left_open)
    if given(options):
        typed = ((name, value) for name, value in options.items() if value not in (None, ()))
        name, value = next(typed)
        flag = "bn" if name == "bn" else SETTINGS[name].flag
        raise ConfigError(
            f"--resume {resume} goes on with the settings that the run has: leave out "
            f"--{'no-' if value is False else ''}{flag}."
        )
    from bntui.store.archive import resumable

    checkpoint = resumable(resume)
    return checkpoint.config, Resume(checkpoint)


commands = (
    *(attach, check, watch, sweep, sweeps, stored.runs, stored.show, export),
    *(experiments, toy, doctor),
)
for command in commands:
    cli.add_command(command)
cli.add_command(old_name_of(experiments, "scenarios"))
