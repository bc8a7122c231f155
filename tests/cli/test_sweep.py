"""`bntui sweep`: what is listed, refused, run and written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.machine.places import store_path
from bntui.store.database import Store
from bntui.store.schema import StoreError
from tests.cli.sweeping import TINY, said, sweep
from tests.store.followed import keep

pytestmark = pytest.mark.usefixtures("tried")


def test_a_dry_run_lists_every_run_and_keeps_nothing() -> None:
    result = sweep("--batch-size", "16,64", "--lr", "0.01", "--seeds", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    first, time, *rest = result.stdout.splitlines()
    assert first == "sweep-1: 4 runs of batch-size 16, 64 × 2 seeds: 4 waiting"
    assert time.endswith("with 2 jobs of 1 thread")
    assert [line.split("  ", 1)[1] for line in rest] == [
        "batch-size 16  seed 0  waiting",
        "batch-size 64  seed 0  waiting",
        "batch-size 16  seed 1  waiting",
        "batch-size 64  seed 1  waiting",
    ]
    assert not store_path().exists()


def test_a_dry_run_as_json_is_one_object_a_run() -> None:
    result = sweep("--norm", "batch,none", "--json", "--dry-run")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["settings"] for line in lines] == [{"norm": "batch"}, {"norm": "none"}]
    assert result.stderr.splitlines()[1] == "A short trial tells how long they take …"
    assert "2 jobs of 1 thread" in result.stderr


def test_that_some_runs_tell_nothing_new_is_said_beside_what_is_written() -> None:
    result = sweep(*TINY, "--norm", "batch,ghost", "--ghost-batch", "8,16", "--json", "--dry-run")
    assert (
        "At least 2 of 8 runs tell nothing new, such as --norm batch --ghost-batch 16"
        in result.stderr
    )
    assert len(result.stdout.splitlines()) == 8


def test_a_design_may_be_a_file_under_options(tmp_path: Path) -> None:
    file = tmp_path / "depths.toml"
    file.write_text('name = "depths"\nseeds = 2\n[settings]\ndepth = "0..2+1"\nlr = 0.01\n')
    result = sweep(str(file), "--depth", "0,1", "--dry-run")
    assert result.stdout.startswith("depths: 4 runs of depth 0, 1 × 2 seeds: 4 waiting\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--batch-size", "64..1x2"), "range '64..1x2' is empty"),
        (("--momentum", "0.9,0.99"), "--momentum 0.9 and 0.99 need no run each"),
        (("--bn", "--norm", "none"), "--bn and --norm none contradict each other"),
        (("--seeds", "0"), "seeds '0' is no number of them"),
        (("--name", "abc"), "a sweep can't be called 'abc', it could be a run's"),
        (("--name", "a b"), "it has a space"),
        (("--jobs", "0"), "jobs 0 is out of range: give a whole number from 1 to 1,024"),
        (("--gpus-per-run", "0.5"), "--gpus-per-run is for a cluster: add --address."),
        (("--address", "auto", "--gpus-per-run", "2"), "GPUs per run 2 is out of range"),
        (("--address", "auto", "--jobs", "2"), "--jobs is for this machine"),
        (
            ("--dataset", "mnist", "--data-dir", "/no", "--lr", "1,2"),
            "the data folder /no does not exist",
        ),
        (("nowhere.toml",), "nowhere.toml can't be read (No such file or directory)."),
        (("",), " can't be read ("),
        (("--resume", "mine", ""), "leave out DESIGN.toml."),
        (("--resume", "mine", "--name", ""), "leave out --name."),
        (("--resume", "mine", "--lr", "0.1"), "leave out --lr."),
        (("--resume", "mine", "--no-bn"), "leave out --no-bn."),
        (("--resume", "mine", "--seeds", "3"), "leave out --seeds."),
        (("--resume", "mine"), "sweep 'mine' is not in the store: `bntui sweeps` lists what is."),
    ],
)
def test_what_can_not_be_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in said(sweep(*words))


WITHOUT_TORCH = """
import sys
from bntui.cli.main import cli
try:
    cli(sys.argv[1:])
finally:
    assert not [name for name in ("torch", "textual", "ray") if name in sys.modules]
"""


def test_a_sweep_is_run_once_and_then_told_without_torch() -> None:
    first = sweep(*TINY, "--seeds", "2", "--jobs", "1", "--json")
    assert first.exit_code == 0, first.output
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    assert sorted((line["settings"]["batch-size"], line["seed"]) for line in lines) == [
        *((16, 0), (16, 1), (64, 0), (64, 1))
    ]
    assert {line["standing"] for line in lines} == {"finished"}
    assert all(line["hindsight"] and line["val_acc_fresh"] is not None for line in lines)
    again = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "sweep", *TINY, "--seeds", "2", "--no-screen"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    head, *table = again.stdout.splitlines()
    assert head == "sweep-1: 4 runs of batch-size 16, 64 × 2 seeds: 4 finished"
    assert [line.split()[0] for line in table] == ["batch-size", "16", "64", "Medians"]
    with Store() as store:
        assert [one.name for one in store.sweeps()] == ["sweep-1"]
        assert len(store.runs()) == 4


def test_a_sweep_that_is_over_is_told_of_a_store_that_may_only_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = Design(RunConfig(width=0.25), (Axis("batch_size", (64, 256)),))
    with Store() as store:
        store.put_sweep("map-1", design)
    for cell in design.cells():
        keep(store_path(), cell, Phase.FINISHED)

    def refused(*_: object) -> None:
        raise StoreError("the store may only be read.")

    monkeypatch.setattr(Store, "put_sweep", refused)
    result = sweep("--resume", "map-1", "--no-screen")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        *("map-1:", "batch-size", "64", "256")
    ]
