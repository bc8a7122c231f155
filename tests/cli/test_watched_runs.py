"""Trainings that were watched, as `bntui runs`, `show`, `export` and `run --resume` speak of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bntui.cli.main import cli
from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import Phase
from bntui.core.watched import Found, Watched
from bntui.machine.places import store_path
from tests.store.recorded import checkpoint, keep

WATCHED = Watched(
    "train.py --epochs 9",
    "ResNet",
    momentum=0.1,
    batch_size=32,
    optimizer="SGD",
    learning_rate=0.1,
    findings=(
        Found(
            "lag", "unsound", "running statistics lag", ("They are 3 apart.",), ("Recalibrate.",)
        ),
    ),
    looked=40,
    notes=("Layer bn2 is frozen.",),
    share=0.03,
)
CONFIG = RunConfig(knobs=Knobs(momentum=0.9))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a watched training that is in the store."""
    monkeypatch.chdir(tmp_path)
    changes: dict[str, Any] = {"config": CONFIG, "knobs": CONFIG.knobs}
    kept = (checkpoint(16),)
    return keep(store_path(), watched=WATCHED, end=Phase.INTERRUPTED, checkpoints=kept, **changes)


def bntui(*words: str) -> Result:
    result = CliRunner().invoke(cli, words, prog_name="bntui")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_it_is_listed_with_its_script_and_what_is_known(run: str) -> None:
    keep(store_path())
    header, ours, theirs = bntui("runs").stdout.splitlines()
    assert "script" in header
    assert "train.py --epochs 9 · ResNet" in theirs
    assert "0.1 (torch's)" in theirs
    assert " 32 " in theirs
    assert "batch " not in theirs  # no norm of ours
    assert "0.97" in ours.split()


def test_without_one_no_column_is_for_scripts() -> None:
    keep(store_path())
    assert "script" not in bntui("runs").stdout


def test_json_has_what_is_known_in_place_of_settings(run: str) -> None:
    (line,) = bntui("runs", "--json").stdout.splitlines()
    values = json.loads(line, parse_constant=pytest.fail)
    assert (values["config"], values["updates_per_epoch"]) == (None, None)
    watched = values["watched"]
    assert (watched["script"], watched["model"]) == ("train.py --epochs 9", "ResNet")
    assert (watched["momentum"], watched["convention"]) == (0.1, "torch")
    assert watched["findings"][0]["cause"] == "lag"
    keep(store_path())
    ours = json.loads(bntui("runs", "--json").stdout.splitlines()[0])
    assert ours["watched"] is None
    assert ours["config"]["seed"] == 3


def test_a_page_says_what_was_found_and_how_to_watch_it_again(run: str) -> None:
    page = bntui("show", run).stdout
    for part in (
        *("watched training", "train.py --epochs 9", "0.1 (torch's)", "none: no validation data"),
        *("unsound: running statistics lag", "They are 3 apart.", "What helps: Recalibrate."),
        *("notes", "Layer bn2 is frozen.", "3 % of the training's time"),
    ):
        assert part in page
    assert "settings" not in page
    assert page.splitlines()[-1] == "bntui watch train.py --epochs 9"


def test_it_can_be_found_by_its_script_and_its_momentum(run: str) -> None:
    keep(store_path())
    for text in ("resnet", "momentum=0.1", "script=train.py"):
        (line,) = bntui("runs", "--filter", text, "--json").stdout.splitlines()
        assert json.loads(line)["run"] == run
    assert "None of the" in bntui("runs", "--filter", "momentum=0.9").stdout


@pytest.mark.parametrize("column", ["script", "momentum", "norm", "seed", "batch_size"])
def test_it_is_sorted_among_ours(run: str, column: str) -> None:
    keep(store_path())
    assert len(bntui("runs", "--sort", column, "--json").stdout.splitlines()) == 2


def test_it_can_not_be_resumed(run: str) -> None:
    result = bntui("run", "--resume", run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Error: run {run} is a training that was watched, which bntui can't resume: "
        "`bntui watch train.py --epochs 9` watches it anew.\n"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "svg"])
def test_it_is_exported(run: str, kind: str) -> None:
    text = bntui("export", run, "--format", kind, "--to", "-").stdout
    if kind == "jsonl":
        assert json.loads(text.splitlines()[0])["watched"]["model"] == "ResNet"
    if kind == "svg":
        assert "train.py --epochs 9 · ResNet" in text
        assert "momentum 0.1 (torch" in text
        assert "seed" not in text
