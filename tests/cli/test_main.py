"""The command line: what it prints, where, and with which exit code."""

import json
import math
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner, Result

from bntui import __version__
from bntui.cli.lines import JsonLines, Lines
from bntui.cli.main import cli
from bntui.cli.options import config_of
from bntui.core.config import RunConfig
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.core.text import literal
from bntui.data.idx import MNIST
from bntui.machine.device import fit_to_machine
from tests.ui.scripted import layers, mid_run, validation

TINY = ("--train-size", "300", "--width", "0.0625", "--epochs", "2", "--device", "cpu")
"""Two updates an epoch."""
START = (
    *("event", "schema", "run", "version", "device", "dataset", "train", "validation"),
    *("parameters", "updates_per_epoch", "config"),
)
CONFIG = {
    *("dataset", "data_dir", "train_size", "norm", "width", "seed", "device", "threads"),
    *("epochs", "steps", "batch_size", "momentum", "learning_rate", "pace"),
}
EPOCH = (
    *("event", "epoch", "update", "seconds", "images_per_s", "loss", "acc", "val_loss"),
    *("val_acc", "val_loss_fresh", "val_acc_fresh", "layers", "logits_error"),
)
LAYER = {
    *("name", "channels", "mean_gap", "mean_gap_max", "log_var_ratio", "output_error"),
    *("start_left", "quiet", "log_var_off"),
}
END = ("event", "phase", "updates", "seconds")
BN_LAYERS = ["conv1_bn", "conv2_bn", "conv3_bn", "flatten_bn", "dense1_bn"]


@pytest.fixture(autouse=True)
def _no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BNTUI_DATA", raising=False)


def bntui(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="bntui")


def trained(*options: str) -> Result:
    """Return the result of a tiny run, which has to succeed."""
    result = bntui("run", *TINY, *options)
    assert result.exit_code == 0, result.output
    return result


def events(text: str) -> list[dict[str, Any]]:
    """Read one JSON object a line: strictly, without NaN and Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def plain(text: str) -> list[dict[str, Any]]:
    """Read all but what is said in between: start, epochs and end."""
    return [event for event in events(text) if event["event"] not in {"mark", "verdict"}]


def refusal(*arguments: str) -> str:
    """Return the one sentence on standard error with which the program refuses to start."""
    result = bntui(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(r"Error: .+\.", line)
    return line


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


class TestJson:
    def test_a_run_is_a_start_its_epochs_and_an_end(self) -> None:
        start, *epochs, end = plain(trained("--json").stdout)
        assert tuple(start) == START
        assert start["event"] == "start"
        assert (start["train"], start["validation"], start["updates_per_epoch"]) == (300, 1000, 2)
        assert start["version"] == __version__
        assert start["config"].keys() >= CONFIG
        assert start["config"]["train_size"] == 300

        assert [tuple(epoch) for epoch in epochs] == [EPOCH, EPOCH]
        assert [epoch["event"] for epoch in epochs] == ["epoch", "epoch"]
        assert [(epoch["epoch"], epoch["update"]) for epoch in epochs] == [(1, 2), (2, 4)]
        for epoch in epochs:
            assert [layer["name"] for layer in epoch["layers"]] == BN_LAYERS
            assert all(layer.keys() >= LAYER for layer in epoch["layers"])

        assert tuple(end) == END
        assert (end["event"], end["phase"], end["updates"]) == ("end", "finished", 4)

    def test_hindsight_is_validation_accuracy_under_13_estimators(self) -> None:
        _, epoch, _ = plain(trained("--json", "--hindsight", "--epochs", "1").stdout)
        assert tuple(epoch) == (*EPOCH, "hindsight")
        assert len(epoch["hindsight"]) == 13
        assert all(0.0 <= accuracy <= 1.0 for accuracy in epoch["hindsight"].values())
        assert epoch["hindsight"]["0.99"] == epoch["val_acc"]

    def test_the_noise_scale_comes_with_the_batch_size_it_suggests(self) -> None:
        *_, epoch, _ = plain(trained("--json", "--noise-scale").stdout)
        ends = [f"noise_scale_{end}" for end in ("low", "high", "low_68", "high_68")]
        assert tuple(epoch) == (*EPOCH, "noise_scale", *ends, "suggested_batch")
        low, high, low_68, high_68 = (epoch[end] or math.inf for end in ends)
        assert 0 < low <= low_68 <= (epoch["noise_scale"] or math.inf) <= high_68 <= high
        assert epoch["suggested_batch"] in {None, *(2**power for power in range(9))}

    def test_a_run_that_goes_wrong_is_strict_json_too(self) -> None:
        start, *epochs, end = plain(trained("--json", "--lr", "100").stdout)
        assert start["config"]["learning_rate"] == 100.0
        assert start["config"]["pace"] is None  # unlimited: infinity
        assert epochs[-1]["loss"] > 100.0
        assert end["phase"] == "finished"

    def test_numbers_that_are_not_finite_are_null(self, capsys: pytest.CaptureFixture[str]) -> None:
        layer = layers(log_var_ratio=math.inf, mean_gap=math.nan)[0]
        report = EpochReport(
            epoch=1,
            update=2,
            seconds=0.5,
            images_per_s=9.0,
            loss=math.nan,
            acc=0.1,
            val_loss=math.inf,
            val_acc=0.1,
            val_loss_fresh=-math.inf,
            val_acc_fresh=0.1,
            layers=(layer,),
        )
        JsonLines().epoch(report, Snapshot())
        (epoch,) = events(capsys.readouterr().out)
        assert (epoch["loss"], epoch["val_loss"], epoch["val_loss_fresh"]) == (None, None, None)
        assert epoch["layers"][0]["log_var_ratio"] is None
        assert epoch["layers"][0]["mean_gap"] is None
        assert epoch["acc"] == 0.1

    def test_a_batch_larger_than_the_training_set_is_clipped_and_said_so(self) -> None:
        result = trained("--json", "--batch-size", "512")
        start, *_ = events(result.stdout)
        assert start["config"]["batch_size"] == 300
        assert start["updates_per_epoch"] == 1
        (line,) = result.stderr.splitlines()
        assert "512" in line
        assert "clipped to 300" in line

    def test_without_batch_norm_both_validations_are_the_same(self) -> None:
        start, *epochs, _ = plain(trained("--json", "--no-bn").stdout)
        assert start["config"]["norm"] == "none"
        for epoch in epochs:
            assert epoch["val_loss"] == epoch["val_loss_fresh"]
            assert epoch["val_acc"] == epoch["val_acc_fresh"]
            assert epoch["layers"] == []

    def test_steps_end_a_run_within_an_epoch(self) -> None:
        result = bntui("run", *TINY[:4], "--device", "cpu", "--json", "--steps", "3")
        _, *epochs, end = plain(result.stdout)
        assert [(epoch["epoch"], epoch["update"]) for epoch in epochs] == [(1, 2), (2, 3)]
        assert end["updates"] == 3

    def test_marks_and_verdicts_stand_where_they_belong(self) -> None:
        result = trained(*("--json", "--at", "1:momentum=0.5", "--at", "4:recalibrate"))
        said = events(result.stdout)
        kinds = [event["event"] for event in said]
        assert kinds == ["start", "mark", "epoch", "verdict", "epoch", "mark", "verdict", "end"]
        marks = [(e["update"], e["label"], e["change"]) for e in said if e["event"] == "mark"]
        assert marks == [
            (1, "momentum 0.99→0.5", "momentum=0.5"),
            (4, "recalibrated", "recalibrate"),
        ]
        verdict, last = (event for event in said if event["event"] == "verdict")
        assert last["evidence"]["val_acc_fresh"] == said[4]["val_acc_fresh"]
        assert last["update"] == 4
        assert verdict["cause"] == "not learned (yet)"
        epoch = next(event for event in said if event["event"] == "epoch")
        evidence = verdict["evidence"]
        assert evidence["val_acc"] == epoch["val_acc"]
        assert evidence["val_acc_fresh"] == epoch["val_acc_fresh"]
        assert f"{epoch['val_acc']:.3f}" in verdict["text"]
        assert evidence["start_left"] == epoch["layers"][0]["start_left"]
        assert "data" not in evidence
        assert verdict["remedies"] == [{"name": "wait"}]
        last = said[-2]["evidence"]  # everything is measured at the end
        assert last["update"] == last["data"]["update"] == last["exchanges"]["update"] == 4
        assert [layer["name"] for layer in last["exchanges"]["layers"]] == BN_LAYERS

    def test_a_twin_has_epochs_of_its_own(self) -> None:
        _, *epochs, _ = plain(trained("--json", "--twin", "momentum=0.5").stdout)
        assert [epoch.get("twin") for epoch in epochs] == [None, "momentum=0.5"] * 2
        assert epochs[2]["loss"] == epochs[3]["loss"]
        assert epochs[2]["val_loss"] != epochs[3]["val_loss"]

    def test_the_same_seed_gives_the_same_numbers(self) -> None:
        runs = [
            [(epoch["loss"], epoch["val_loss"]) for epoch in plain(trained(*options).stdout)[1:-1]]
            for options in (("--json",), ("--json",), ("--json", "--seed", "1"))
        ]
        assert runs[0] == runs[1] != runs[2]


class TestText:
    def test_an_epoch_is_a_line_in_kerass_shape(self) -> None:
        result = trained()
        number = r"\d+\.\d{4}"
        shape = re.compile(
            rf"Epoch (\d)/2 - \d+\.\ds - loss: {number} - acc: {number} - "
            rf"val_loss: {number} - val_acc: {number}( - .*)?"
        )
        first, *lines = result.stdout.partition("Verdict at update ")[0].splitlines()
        assert "300 training and 1,000 validation images" in first
        assert [match and match[1] for match in map(shape.fullmatch, lines)] == ["1", "2"]
        assert result.stderr == ""

    def test_the_noise_scale_has_a_line_of_its_own_an_epoch(self) -> None:
        said = trained("--noise-scale").stdout.partition("Verdict at update ")[0]
        _, *lines = said.splitlines()
        shape = r"  noise scale ([\d,]+ to [\d,]+|above [\d,]+) \(95 %\)(,|:| → batch) .*"
        assert [bool(re.fullmatch(shape, line)) for line in lines] == [False, True] * 2

    def test_the_verdict_and_what_helps_come_last(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = Lines()
        lines.start(mid_run(RunConfig()), "a1")
        lines.end(mid_run(RunConfig(), validation=validation(update=97)))
        _, first, *evidence, cure = capsys.readouterr().out.splitlines()
        assert first == "Verdict at update 97: stale: start values"
        assert evidence[0] == "  Validation fails: 11 % instead of 97 %."
        assert "averages that it remembers" in evidence[1]
        assert all(line.startswith("  ") and line.endswith(".") for line in evidence)
        assert cure.startswith("  What helps: ")
        assert "recalibrat" in cure
        assert "[" not in cure

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.INTERRUPTED])
    def test_without_anything_measured_there_is_none(
        self, capsys: pytest.CaptureFixture[str], phase: Phase
    ) -> None:
        Lines().end(mid_run(RunConfig(), phase=phase, validation=None))
        assert capsys.readouterr().out == ""

    def test_a_momentum_like_torchs_is_trained_with_and_remarked_on(self) -> None:
        result = trained("--momentum", "0.01")
        assert "momentum 0.01 " in result.stdout
        (line,) = result.stderr.splitlines()
        assert "--momentum 0.99" in line


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
