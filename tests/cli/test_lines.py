"""What `bntui run` prints: one JSON object a line, or text."""

import math
import re

import pytest

from bntui import __version__
from bntui.cli.lines import JsonLines, Lines
from bntui.core.config import RunConfig
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from tests.cli.running import TINY, bntui, events, plain, trained
from tests.ui.scripted import layers, mid_run, validation

pytestmark = pytest.mark.usefixtures("no_data_dir")

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
