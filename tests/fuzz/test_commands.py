"""Every option of the command line, with any value: exit 0, or 2 and one sentence.

The commands and options are click's own, so that new ones are tried without a word here. What a
command line would train is made tiny; the explorer and the toy end before they draw.
"""

import gc
import os
import re
import traceback
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bntui.cli import report, sweep_plan, sweep_report
from bntui.cli.main import cli
from bntui.core.parsers import DATASETS, PUBLISHED
from bntui.core.run_request import RunRequest
from bntui.core.toy import Toy, step
from bntui.experiments.library import built_in
from bntui.store.database import Store
from bntui.train.runner import Runner
from tests.fuzz.states import HOSTILE
from tests.store.recorded import keep

NUMBERS = (
    *("0", "-0", "1", "2", "-1", "0.5", "0.9", "0.99", "0.01", "1.0", "3", "7.5", "64", "256"),
    *("1e308", "1e309", "-1e308", "5e-324", "inf", "-inf", "nan", "NaN", "infinity", "1e12"),
    *("4294967295", "4294967296", "18446744073709551616", "9" * 400, "0x10", "1_000", "１２", "٣"),
    *("+5", " 5 ", "5 ", "1e3", "1.", ".5", "--5", "1,000", "½", "²", "1e-9", "65536", "65537"),
)
WORDS = (
    *DATASETS,
    *("none", "batch", "ghost", "renorm", "group", "layer", "momentum", "bias-corrected", "all"),
    *("cumulative", "warm-up", "scaled", "adam", "sgd", "linear", "sqrt", "each", "once", "auto"),
    *("cpu", "cuda", "cuda:0", "cuda:99999999999999999999", "cuda:²", "mps", "max", "x2/1"),
    *("x1e308/1", "1:16,5:64", "1:", ":", "1:1,1:2", "97:momentum=0.9", "5:recalibrate", "x"),
    *("0:lr=nan", "1:batch=0", "momentum=0.9", "norm=none", "seed=7", "depth=64", "last", "LAST"),
    *("csv", "jsonl", "svg", "tensorboard", "weights", "started", "val_acc", "note"),
)
PATHS = (
    *(".", "..", "/", "~", "~nobody", "/dev/null", "/nowhere/at/all", "/proc/self/mem", "a/b/c"),
    *("there.npz", "there.toml", "folder", "missing.toml", "missing.npz", "-", "a" * 5000),
)
VALUES = (
    st.sampled_from([*NUMBERS, *WORDS, *PATHS, *HOSTILE])
    | st.text(max_size=6)
    | st.integers().map(str)
    | st.floats().map(str)
)
SENTENCE = re.compile(r"Error: .+[.?!…)]", re.DOTALL)


def commands() -> dict[str, click.Command]:
    """Return every command by its name, the explorer by an empty one."""
    return {"": cli, **cli.commands}


def experiments() -> tuple[str, ...]:
    return tuple(experiment.name for experiment in built_in())


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Return the words behind `bntui`."""
    name = draw(st.sampled_from([*sorted(commands()), "run", "run", ""]))
    command = commands()[name]
    words = [name] if name else []
    options = [param for param in command.params if isinstance(param, click.Option)]
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    values = VALUES | st.sampled_from(experiments())
    for option in draw(st.lists(st.sampled_from(options), max_size=4)) if options else ():
        flag = draw(st.sampled_from([*option.opts, *option.secondary_opts]))
        if option.is_flag:
            words.append(flag)
        elif draw(st.booleans()) and flag.startswith("--"):
            words.append(f"{flag}={draw(values)}")
        else:
            words += [flag, draw(values)]
    for argument in arguments:
        words += draw(st.lists(values, min_size=int(argument.required), max_size=1))
    odd = draw(st.integers(0, 9))
    if odd == 0:
        words.insert(draw(st.integers(0, len(words))), draw(VALUES))
    elif odd == 1 and words:
        words.pop(draw(st.integers(0, len(words) - 1)))
    elif odd == 2:
        words.insert(0, draw(st.sampled_from(["--help", "--version", "--nope", "-x", "--"])))
    return words


class Tiny(Runner):
    """Trains one update of what it was asked for, on a few images."""

    def __init__(self, request: RunRequest, **options: Any) -> None:
        config = request.config
        tiny = replace(
            config,
            dataset="digits" if config.dataset in PUBLISHED else config.dataset,  # no downloads
            data_dir=None,
            train_size=min(config.train_size or 64, 64),
            width=1 / 32,
            depth=min(config.depth, 1),
            norm_layers=config.norm_layers and min(config.norm_layers, 5),
            threads=1,
            steps=1,
            epochs=1,
            knobs=replace(config.knobs, batch_size=min(config.knobs.batch_size, 32)),
            at=config.at[:2],
        )
        super().__init__(replace(request, config=tiny), **options)


@pytest.fixture
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a folder with odd files to be in, a store with runs, and nothing of it cost time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BNTUI_DATA", raising=False)
    Path("there.npz").write_bytes(b"PK\x03\x04 no")
    Path("there.toml").write_bytes(b"title = \xff")
    Path("folder/train/a").mkdir(parents=True)
    runs = [keep(Path(os.environ["BNTUI_STORE"]), updates=12) for _ in range(2)]
    with Store() as store:
        store.set_note(runs[0], "[/red]\x1b[2J\n")
    monkeypatch.setattr(report, "Runner", Tiny)
    # A terminal is there for the explorer, which makes its run, and for the toy; both are left at once.
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)

    def explore(make_run: Any, request: RunRequest, **_: Any) -> int:
        make_run(request)
        gc.enable()  # as the app does
        return 0

    def play(*, seed: int, **_: Any) -> int:
        step(Toy(seed=seed), 0.99)
        gc.enable()
        return 0

    monkeypatch.setattr("bntui.cli.watch._run", lambda *_: None)  # programs of anybody's
    monkeypatch.setattr(sweep_report, "run", sweep_report.list_runs)  # what is trained is not tiny
    monkeypatch.setattr(sweep_plan, "trial", lambda *_: [])
    monkeypatch.setattr("bntui.ui.app.explore", explore)
    monkeypatch.setattr("bntui.ui.toy.app.play", play)
    monkeypatch.setattr("bntui.ui.terminal.capabilities.prepare", lambda: None)


def judge(words: list[str], result: Result) -> None:
    """Raise AssertionError unless the program ended as it promises."""
    said = result.stderr
    if result.exception and not isinstance(result.exception, SystemExit):
        raise AssertionError("".join(traceback.format_exception(result.exception)))
    assert "Traceback" not in result.output, result.output
    assert result.exit_code in {0, 2}, (result.exit_code, said)
    if result.exit_code == 2:
        # click shows a line of usage above what it refuses itself.
        sentence = said[said.rindex("Error: ") :].rstrip("\n")
        assert sentence.isprintable(), sentence
        assert SENTENCE.fullmatch(sentence), sentence
        assert said.count("Error: ") == 1 or "Error: " in " ".join(words), said


def tried(number: int, *, thorough: bool) -> None:
    """Have so many command lines tried."""
    passed = 0

    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        derandomize=not thorough,
        phases=[Phase.generate] if thorough else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(command_lines())
    def each(words: list[str]) -> None:
        nonlocal passed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            judge(words, CliRunner().invoke(cli, words, prog_name="bntui"))
        passed += 1

    while passed < number:
        each()
    print(f"{passed:,} command lines")


@pytest.mark.usefixtures("_surroundings")
def test_no_command_line_of_some_hundred_ends_in_anything_but_success_or_a_sentence() -> None:
    tried(300, thorough=False)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("_surroundings")
def test_no_command_line_ends_in_anything_but_success_or_a_sentence(
    request: pytest.FixtureRequest,
) -> None:
    tried(request.config.getoption("--command-lines"), thorough=True)
