"""A watched training ends with the same bits as an unwatched one, and says the same.

Each script is a program, run as its user would.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bntui.probe.causes import Cause
from bntui.store.database import Store
from bntui.store.rows import Points, StoredRun
from tests.as_found import bits
from tests.children import environment

SCRIPTS = Path(__file__).parent / "scripts"
NAMES = (
    "plain",
    "workers",
    "amp",
    "compiled",
    "accumulation",
    "checkpointing",
    "siamese",
    "gan",
    "ddp",
    "of_lightning",
    "of_keras",
)
MODELS = {"checkpointing": 2}
"""Trainings that are watched, where it is not one."""
FOUND = MODELS | {"gan": 2}
"""Those that `bntui watch` finds."""
NOT_FOUND = {"ddp"}
"""What `bntui watch` does not find: processes that the script spawns."""


@dataclass(frozen=True)
class Run:
    """What the store has of a watched training."""

    updates: int
    looks: int
    """How often every momentum was looked at."""
    drifts: int
    """How often the drift of its first layer was measured."""
    causes: tuple[str, ...]
    """What was found."""


def runs() -> list[Run]:
    """Return what the test's store has."""
    with Store() as store:
        return [run_of(one, store.points(one.id)) for one in store.runs()]


def run_of(run: StoredRun, points: Mapping[str, Points]) -> Run:
    drift = min(name for name in points if name.startswith("drift:"))
    assert run.watched
    causes = tuple(found.cause for found in run.watched.findings)
    looks, drifts = (len(points[name].values) for name in ("hindsight:own", drift))
    return Run(run.updates, looks, drifts, causes)


@dataclass(frozen=True)
class Ended:
    """What is left of a program that has ended."""

    code: int
    out: bytes
    states: Any
    """Weights, buffers, the optimisers' states and the random streams: comparable with ==."""


def ended(command: Sequence[str], file: Path, *arguments: str) -> Ended:
    """Run a script that keeps its states in `file`."""
    done = subprocess.run(
        [sys.executable, *command, str(file), *arguments],
        capture_output=True,
        timeout=200,
        env=environment(),
    )
    assert file.exists(), done.stderr.decode()
    return Ended(done.returncode, done.stdout, plain(torch.load(file, weights_only=False)))


def plain(value: Any) -> Any:
    """Return states with every tensor as its bits."""
    if isinstance(value, Tensor):
        return (value.dtype, tuple(value.shape), bits(value)[-1])
    if isinstance(value, np.ndarray):
        return (value.dtype, value.tobytes())
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return repr(value) if isinstance(value, float) else value


def watched_runs(name: str, count: int) -> None:
    """See that the watched training was measured, also in its middle, and by one process alone."""
    measured = runs()
    assert len(measured) == count
    for run in measured:
        assert run.updates >= 10
        assert min(run.looks, run.drifts) > 2
        assert (Cause.RANKS_DIFFER in run.causes) == (name == "ddp")


@pytest.mark.parametrize("name", NAMES)
def test_a_watched_training_is_the_unwatched_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = str(SCRIPTS / f"{name}.py")
    unwatched = ended([script], tmp_path / "unwatched")
    assert unwatched.code == 0
    assert unwatched.out
    assert not runs()
    assert ended([script], tmp_path / "two lines", "--watch") == unwatched
    watched_runs(name, MODELS.get(name, 1))
    if name in NOT_FOUND:
        return
    monkeypatch.setenv("BNTUI_STORE", str(tmp_path / "of bntui watch.sqlite"))
    command = ["-m", "bntui", "watch", "--every", "4", script]
    assert ended(command, tmp_path / "bntui watch") == unwatched
    watched_runs(name, FOUND.get(name, 1))


TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.long
def test_ranks_that_torchrun_starts_are_watched(tmp_path: Path) -> None:
    script = str(SCRIPTS / "ddp.py")
    unwatched = ended([*TORCHRUN, script], tmp_path / "unwatched")
    assert unwatched.out
    watch = ["-m", "bntui", "watch", "--every", "4", script]
    assert ended([*TORCHRUN, *watch], tmp_path / "watched") == unwatched
    watched_runs("ddp", 1)


def test_one_other_bit_is_seen() -> None:
    model = torch.nn.BatchNorm1d(2)
    before = plain(model.state_dict())
    assert plain(model.state_dict()) == before
    model.running_mean[0] = -0.0  # type: ignore[index]
    assert plain(model.state_dict()) != before
