"""`bntui export` of a sweep, from a store as the driver leaves it."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.machine.places import store_path
from bntui.store.checksum import write_checksums
from bntui.store.database import Store
from tests.cli.running import bntui, refusal, said
from tests.store.followed import keep

DESIGN = Design(
    RunConfig(width=0.25, epochs=2),
    (Axis("batch_size", (64, 256)), Axis("learning_rate", (0.001, 0.01))),
    (0, 1),
)
CELLS = DESIGN.cells()
RUNS = len(CELLS)


@pytest.fixture(autouse=True)
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A sweep in the store of which all but one cell have finished."""
    monkeypatch.chdir(tmp_path)
    with Store() as store:
        store.put_sweep("map-1", DESIGN)
    for cell in CELLS[:-1]:
        keep(store_path(), cell, Phase.FINISHED)
    return "map-1"


def test_csv_has_a_row_for_each_run_epoch_and_statistics() -> None:
    assert said("export", "map-1", "--format", "csv") == "wrote bntui-map-1.csv\n"
    with Path("bntui-map-1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == (RUNS - 1) * 2 * (1 + len(ROWS))
    assert {row["run"] for row in rows} == {cell.id for cell in CELLS[:-1]}
    at = rows[1 + ROWS.index("0.99")]
    assert (at["batch-size"], at["lr"], at["seed"]) == ("64", "0.001", "0")
    assert float(at["gap"]) == 0.9 - 0.07


def test_json_lines_go_to_standard_output() -> None:
    lines = said("export", "map-1", "--format", "jsonl", "--to", "-").splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert len(rows) == (RUNS - 1) * 2 * (1 + len(ROWS))
    assert {row["sweep"] for row in rows} == {"map-1"}
    assert rows[0]["state"] == "finished"


def picture(*options: str) -> list[str]:
    """Return the texts of a picture."""
    text = said("export", "map-1", "--format", "svg", "--to", "-", *options)
    root = ElementTree.fromstring(text)
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_svg_is_the_gap_over_batch_size_and_momentum() -> None:
    texts = picture()
    assert texts[0] == "Validation accuracy lost to running statistics, end of epoch 2"
    assert {"batch size", "momentum (Keras's)", "256", "0.99"} <= set(texts)
    assert "learning rate 0.001" in texts[1]


def test_the_picture_is_what_options_ask_for() -> None:
    options = (
        "--x",
        "lr",
        "--y",
        "updates",
        "--value",
        "running",
        "--epoch",
        "1",
        "--at",
        "momentum=0.9",
    )
    texts = picture(*options)
    assert texts[0] == "Validation accuracy with running statistics, end of epoch 1"
    assert {"learning rate", "updates an epoch", "0.01", "63"} <= set(texts)
    assert "momentum (Keras's) 0.9" in texts[1]


def test_tensorboard_has_a_folder_a_run() -> None:
    said("export", "map-1", "--format", "tensorboard")
    folders = {one.name for one in Path("bntui-map-1-tensorboard").iterdir()}
    assert folders == {cell.id for cell in CELLS[:-1]}
    assert "exists" in refusal("export", "map-1", "--format", "tensorboard")
    files = set(Path("bntui-map-1-tensorboard").rglob("events*"))
    said("export", "map-1", "--format", "tensorboard", "--force")
    again = set(Path("bntui-map-1-tensorboard").rglob("events*"))
    assert len(again) == len(files)
    assert not files & again


def test_weights_of_a_sweep_are_refused() -> None:
    assert refusal("export", "map-1", "--format", "weights") == (
        "Error: sweep map-1 has no weights: its runs keep none; csv, jsonl, svg and tensorboard are "
        "what it has."
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "svg", "--x", "depth"), "axis 'depth' is none of this sweep's; it has batch-size, updates, lr, momentum."),
        (("--format", "svg", "--value", "loss"), "value 'loss' is unknown"),
        (("--format", "svg", "--epoch", "3"), "epoch 3 is not measured: of sweep map-1 1 to 2 are."),
        (("--format", "svg", "--epoch", "1.5"), "epoch 1.5 is not a whole number"),
        (("--format", "csv", "--x", "lr"), "--x is of a sweep's picture: --format svg of one."),
        (("--format", "tensorboard", "--to", "-"), "--format tensorboard writes no text"),
        (("--format", "csv", "--to", "no/where.csv"), "no/where.csv can't be written"),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_one_sentence(options: tuple[str, ...], sentence: str) -> None:
    assert sentence in refusal("export", "map-1", *options)
    assert not list(Path().glob("bntui-*"))


def test_a_run_has_no_axes(sweep: str) -> None:
    run = CELLS[0].id
    assert "--epoch is of a sweep's picture" in refusal(
        "export", run, "--format", "svg", "--epoch", "1"
    )
    assert said("export", run, "--format", "csv") == f"wrote bntui-{run}.csv\n"


def test_what_is_not_there_is_said_before_how_it_would_be_drawn() -> None:
    assert "'map-2' is not in the store" in refusal(
        "export", "map-2", "--format", "svg", "--x", "lr"
    )


def test_an_epoch_is_a_number() -> None:
    assert bntui("export", "map-1", "--format", "svg", "--epoch", "last").exit_code == 2


def test_a_sweep_that_can_not_be_read_is_not_taken_for_a_run() -> None:
    with Store() as store:
        store._file.connection.execute("UPDATE sweeps SET begun = 'x' WHERE name = 'map-1'")
        write_checksums(store._file.connection, "sweeps", "WHERE name = 'map-1'")
    refused = refusal("export", "map-1", "--format", "csv")
    assert "sweep 'map-1'" in refused
    assert "is not as this bntui writes them (begun" in refused


def test_a_sweep_of_which_nothing_is_measured_is_a_blank_picture() -> None:
    with Store() as store:
        store.put_sweep("new-one", Design(RunConfig(width=0.5), DESIGN.axes, (0,)))
    said("export", "new-one", "--format", "svg")
    assert "not measured" in Path("bntui-new-one.svg").read_text()
    assert "nothing measured yet" in refusal("export", "new-one", "--format", "tensorboard")


@pytest.mark.parametrize(
    "words",
    [
        ("export", "map-1", "--format", "csv", "--to", "-"),
        ("sweep", "--resume", "map-1", "--dry-run", "--json"),
        ("sweep", "--help"),
        ("sweeps",),
        ("sweeps", "--json"),
        ("runs",),
        ("--help",),
    ],
)
def test_what_nobody_reads_ends_with_the_status_of_a_closed_pipe(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bntui", *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 128 + signal.SIGPIPE
    assert not {"Error", "Traceback"} & set(done.stderr.replace(":", " ").split())
