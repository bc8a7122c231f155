"""The command line: what it refuses, its exit codes, and its options."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bntui import __version__
from bntui.cli.main import cli
from bntui.cli.options import config_of
from bntui.core.config import RunConfig
from bntui.core.text import literal
from bntui.data.idx import MNIST
from bntui.machine.device import fit_to_machine
from tests.cli.running import TINY, bntui, events, refusal

pytestmark = pytest.mark.usefixtures("no_data_dir")


class TestRefusals:
    @pytest.mark.parametrize("words", [("show", "a", "\x1b[2J"), ("\x9b2J",), ("run", "--\x1b[2J")])
    def test_what_click_refuses_is_said_literally(self, words: tuple[str, ...]) -> None:
        result = bntui(*words)
        assert result.exit_code == 2
        assert result.stderr.splitlines()[-1].startswith("Error: ")
        assert "\\x" in result.stderr
        assert not {"\x1b", "\x9b"} & set(result.stderr)

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            *(("--batch-size", value) for value in ("0", "-1", "3.5", "abc")),
            *(("--momentum", value) for value in ("1.0", "-0.1", "nan")),
            *(("--lr", value) for value in ("0", "-1", "inf")),
            ("--epochs", "0"),
            ("--dataset", "cifar"),
            ("--device", "tpu"),
            ("--data-dir", "/nowhere/at/all"),
            ("--data-dir", "a\0b"),
        ],
    )
    @pytest.mark.parametrize("command", [(), ("run",)])
    def test_a_bad_value_is_refused_in_one_sentence_that_names_it(
        self, command: tuple[str, ...], option: str, value: str
    ) -> None:
        assert literal(value) in refusal(*command, option, value)

    def test_a_device_that_is_not_there_is_refused_by_the_run(self) -> None:
        assert "cuda:99" in refusal("run", *TINY, "--device", "cuda:99")

    def test_a_folder_without_mnist_is_refused(self, tmp_path: Path) -> None:
        sentence = refusal("run", "--dataset", "mnist", "--data-dir", str(tmp_path))
        assert str(tmp_path / "MNIST" / "raw" / MNIST.files[0]) in sentence
        assert "--dataset digits" in sentence

    def test_a_folder_with_files_that_cant_be_read_is_refused_by_the_run(
        self, tmp_path: Path
    ) -> None:
        for file in MNIST.files:
            (tmp_path / "MNIST" / "raw" / file).mkdir(parents=True)
        sentence = refusal("run", "--dataset", "mnist", "--data-dir", str(tmp_path))
        assert str(tmp_path / "MNIST" / "raw" / MNIST.files[0]) in sentence
        assert "--dataset digits" in sentence

    @pytest.mark.parametrize("option", ["--batch-size=64", "--lr=0.1", "--no-bn", "--data-dir=/x"])
    def test_options_in_front_of_run_are_refused_with_a_hint(self, option: str) -> None:
        result = bntui(option, "run")
        assert result.exit_code == 2
        name = option.partition("=")[0]
        assert result.stderr == f"Error: {name} goes behind the command: bntui run {name} …\n"
        assert result.stdout == ""

    @pytest.mark.parametrize(
        "option", ["--paused", "--no-validation", "--ascii", "--theme=nord", "--tour"]
    )
    def test_options_of_the_explorer_are_not_for_run(self, option: str) -> None:
        result = bntui(option, "run")
        assert result.exit_code == 2
        assert f"{option.partition('=')[0]} is for the explorer" in result.stderr

    def test_a_theme_that_is_none_is_refused_with_the_nearest_and_all(self) -> None:
        said = refusal("--theme", "drakula")
        assert "no theme 'drakula', the nearest is dracula; there are ansi-dark, " in said
        assert "bntui, bntui-light, " in said
        assert "needs a terminal" in bntui("--theme", "dracula").stderr
        assert "--theme NAME" in bntui("--help").stdout

    def test_without_a_terminal_the_explorer_names_the_way_out(self) -> None:
        result = bntui()
        assert result.exit_code == 2
        assert "needs a terminal" in result.stderr
        assert "`bntui run`" in result.stderr
        assert result.stdout == ""

    @pytest.mark.parametrize("typed", ["--no-bn", "--lr 0.1", "--amp", "--at 3:momentum=0.9"])
    def test_a_run_that_goes_on_takes_no_settings(self, typed: str) -> None:
        said = refusal("run", "--resume", "last", *typed.split())
        assert said.endswith(f"leave out {typed.split()[0]}.")


class TestProcess:
    def test_the_module_runs_as_a_program(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "bntui", "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == f"bntui {__version__}\n"

    def test_ctrl_c_ends_a_run_with_130_and_without_a_traceback(self) -> None:
        command = [sys.executable, "-m", "bntui", "run", *TINY, "--epochs", "100000", "--json"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Shells have what they start in the background ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as run:
            assert run.stdout is not None
            first = run.stdout.readline()
            run.send_signal(signal.SIGINT)
            rest, complaints = run.communicate(timeout=60)
        assert run.returncode == 130
        assert complaints == ""
        end = events(first + rest)[-1]
        assert (end["event"], end["phase"]) == ("end", "stopped")


OF_THE_EXPLORER = {"version", "paused", "validation", "plain", "theme", "tour"}


def test_every_option_of_the_explorer_but_its_own_is_one_of_run_too() -> None:
    run = cli.commands["run"]
    names = {option.name for option in cli.params} - OF_THE_EXPLORER
    assert "batch_size" in names
    assert names <= {option.name for option in run.params}


OWN = {"version", "paused", "validation", "plain", "store", "keep_weights", "resume"}
"""Options of the explorer that describe no run."""


def test_the_machine_decides_only_what_the_user_left_open() -> None:
    context = cli.make_context("bntui", ["--batch-size", "64", "--width", "1"])
    options = {name: value for name, value in context.params.items() if name not in OWN}
    config, left_open = config_of(options)
    fitted = fit_to_machine(config, left_open, gpu=True, mnist_on_disk=True)
    assert (fitted.dataset, fitted.knobs.batch_size, fitted.width) == ("mnist", 64, 1.0)
    fitted = fit_to_machine(RunConfig(), left_open | {"batch_size"}, gpu=True, mnist_on_disk=True)
    assert fitted.knobs.batch_size == 4096
