"""A guided experiment on the command line: what is printed, and with which exit code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from bntui.experiments.library import built_in
from bntui.store.database import Store
from tests.cli.running import bntui

TINY = """
title = "Two momenta [red]"
post = 1
hypothesis = "Old values stay."
watch = "the gap"
[question]
text = "Does it learn?"
choices = [{ text = "yes", right = "slow.loss < 9" }, { text = "no" }]
[options]
train-size = 300
width = 0.0625
epochs = 2
[arm.slow]
label = "m = 0.99"
published = 4096
at = ["4:recalibrate"]
[arm.fast]
label = "m = 0.9"
momentum = 0.9
[[claim]]
holds = 'slow["0.9"] == fast.val_acc and slow.recalibrated_to >= 0'
text = 'hindsight {slow["0.9"]:.4f}, run {fast.val_acc:.4f}, {slow.images:.0f} images, {slow.epochs:.0f} epochs'
[[claim]]
holds = "fast.updates == 99"
text = "{fast.updates:.0f} updates"
[[claim]]
holds = "fast.recalibrated_to > 0.5"
text = "never recalibrated"
"""


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return str(path)


def events(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_every_arms_events_and_a_conclusion(tiny: str) -> None:
    *said, conclusion = events(bntui("run", "--experiment", tiny, "--json", "--predict", "2"))
    assert all("arm" in event for event in said)
    runs = [event for event in said if event["event"] not in {"mark", "verdict"}]
    assert [(event["event"], event["arm"]) for event in runs] == [
        (event, arm) for arm in ("slow", "fast") for event in ("start", "epoch", "epoch", "end")
    ]
    assert "hindsight" in runs[1]
    assert "hindsight" not in runs[5]
    assert runs[1]["hindsight"]["0.9"] == runs[5]["val_acc"]
    assert conclusion["event"] == "conclusion"
    assert conclusion["scenario"] == "tiny"
    assert [claim["holds"] for claim in conclusion["claims"]] == [True, False, None]
    value = f"{runs[6]['val_acc']:.4f}"
    assert conclusion["claims"][0]["text"] == (
        f"hindsight {value}, run {value}, 600 images, 2 epochs"
    )
    assert conclusion["prediction"] == {"chosen": 2, "right": 1}
    assert [run["label"] for run in conclusion["runs"]] == ["m = 0.99", "m = 0.9"]
    assert conclusion["runs"][0]["val_acc"] == runs[2]["val_acc"]
    assert conclusion["published"] == [{"arm": "slow", "batch_size": 4096, "val_acc": 0.1141}]


def test_text_tells_the_story_in_its_order(tiny: str) -> None:
    result = bntui("run", "--experiment", tiny)
    assert result.exit_code == 0, result.output
    parts = [
        r"Two momenta \[red\] \(post 1 of the thread · tiny\)",
        r"Old values stay\.",
        r"Does it learn\?\n  \[1\] yes\n  \[2\] no",
        r"Watch: the gap",
        r"\nm = 0\.99\ndigits: 300 training",
        r"Epoch 2/2",
        r"\nm = 0\.9\ndigits: 300 training",
        r"Epoch 2/2",
        r"Conclusion\n  holds         hindsight",
        r"  does not      4 updates",
        r"  not measured  never recalibrated",
        r"The answer was \[1\] yes",
        r"at the end +acc +val_acc +val_loss +fresh",
        r"the thread, batch 4096, 10 epochs +0\.9873 +0\.1141 +7\.6021 +–",
        r"\n  m = 0\.99( +\d\.\d{4}){4}\n  m = 0\.9( +\d\.\d{4}){4}\n",
        r"The thread's run at batch 4096, .*, beside m = 0\.99: acc 0\.9873\sthere and",
    ]
    assert re.search(".*".join(parts), result.stdout, re.DOTALL), result.stdout


def test_its_runs_are_kept_under_its_name_and_theirs(tiny: str) -> None:
    bntui("run", "--experiment", tiny, "--epochs", "1")
    with Store() as store:
        assert {run.note for run in store.runs()} == {"tiny · m = 0.99", "tiny · m = 0.9"}


def test_options_go_over_every_arms_own(tiny: str) -> None:
    result = bntui("run", "--experiment", tiny, "--json", "--epochs", "1", "--seed", "5")
    starts = [event for event in events(result) if event["event"] == "start"]
    assert [(start["config"]["epochs"], start["config"]["seed"]) for start in starts] == [
        (1, 5)
    ] * 2
    assert [start["config"]["momentum"] for start in starts] == [0.99, 0.9]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--predict", "0"), "prediction '0' is none of the answers: give 1 to 2."),
        (("--predict", "x"), "prediction 'x' is none of the answers: give 1 to 2."),
        (("--device", "tpu"), "device 'tpu' is unknown"),
        (("--device", "cuda:99"), "device 'cuda:99' is not there"),
    ],
)
def test_what_cant_be_is_refused_in_one_sentence(
    tiny: str, words: tuple[str, ...], said: str
) -> None:
    result = bntui("run", "--experiment", tiny, "--json", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_prediction_needs_an_experiment() -> None:
    result = bntui("run", "--predict", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--experiment" in result.stderr


def test_the_old_names_are_taken_and_not_shown(tiny: str) -> None:
    for words in (["run", "--scenario", tiny, "--predict", "9"], ["scenarios", tiny]):
        old = bntui(*words)
        new = bntui(*(word.replace("scenario", "experiment") for word in words))
        assert (old.exit_code, old.stdout, old.stderr) == (new.exit_code, new.stdout, new.stderr)
    assert "scenario" not in bntui("--help").stdout
    assert "scenario" not in bntui("run", "--help").stdout


def test_an_experiment_cant_be_resumed(tiny: str) -> None:
    result = bntui("run", "--experiment", tiny, "--resume", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "leave out --experiment" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--experiment", "nope"), "there is no experiment 'nope'"),
        (("--experiment", "1", "--resume", "x"), "leave out --experiment"),
        (("--experiment", "1", "--dataset", "mnist", "--data-dir", "/nowhere"), "/nowhere"),
        (("--experiment", "1"), "the explorer needs a terminal"),
    ],
)
def test_the_explorer_refuses_what_it_cant_begin_before_it_opens(
    words: tuple[str, ...], said: str
) -> None:
    result = bntui(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_bad_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(TINY.replace("momentum = 0.9", "momentun = 0.9"))
    for words in (("run", "--experiment", str(path)), ("experiments", str(path))):
        result = bntui(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"Error: {path}, line 19, arm.fast.momentun: ")
        assert len(result.stderr.splitlines()) == 1


def test_the_list_names_every_experiment() -> None:
    result = bntui("experiments")
    lines = result.stdout.splitlines()
    assert len(lines) == len(built_in())
    for line, experiment in zip(lines, built_in(), strict=True):
        assert re.fullmatch(
            rf" ?{experiment.number}  {experiment.name} +post {experiment.post or '–'}  .+", line
        )
        assert experiment.title in line


def test_one_is_shown_before_it_runs(tiny: str) -> None:
    result = bntui("experiments", tiny)
    assert "Does it learn?" in result.stdout
    assert "bntui run --train-size 300 --width 0.0625 --epochs 2 --momentum 0.9" in result.stdout


def test_a_sheet_names_the_curve_that_is_drawn_in_the_explorer(tmp_path: Path) -> None:
    path = tmp_path / "drawn.toml"
    path.write_text(TINY.replace("[options]", 'draw = "fast.val_acc_fresh"\n[options]', 1))
    said = " ".join(bntui("experiments", str(path)).output.split())
    assert (
        "In the explorer you also draw validation accuracy with fresh statistics of: m = 0.9"
        in said
    )
    assert "also draw" not in bntui("experiments", "3").output
