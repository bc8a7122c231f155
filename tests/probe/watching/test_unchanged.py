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

from bntui.store.database import Store
from bntui.store.rows import Points
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
    "of_lightning",
)


@dataclass(frozen=True)
class Run:
    """What the store has of a watched training."""

    updates: int
    looks: int
    """How often every momentum was looked at."""
    drifts: int
    """How often the drift of its first layer was measured."""


def runs() -> list[Run]:
    """Return what the test's store has."""
    with Store() as store:
        return [run_of(one.updates, store.points(one.id)) for one in store.runs()]


def run_of(updates: int, points: Mapping[str, Points]) -> Run:
    drift = min(name for name in points if name.startswith("drift:"))
    return Run(updates, len(points["hindsight:own"].values), len(points[drift].values))


@dataclass(frozen=True)
class Ended:
    """What is left of a program that has ended."""

    code: int
    out: bytes
    states: Any
    """Weights, buffers, the optimisers' states and the random streams: comparable with ==."""


def ended(command: Sequence[str], file: Path) -> Ended:
    """Run a script that keeps its states in `file`."""
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, timeout=200, env=environment()
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


@pytest.mark.parametrize("name", NAMES)
def test_a_watched_training_is_the_unwatched_one(name: str, tmp_path: Path) -> None:
    script = str(SCRIPTS / f"{name}.py")
    files = [tmp_path / "unwatched", tmp_path / "watched"]
    unwatched = ended([script, str(files[0])], files[0])
    assert unwatched.code == 0
    assert unwatched.out
    assert not runs()
    watched = ended([script, str(files[1]), "--watch"], files[1])
    assert watched == unwatched
    measured = runs()
    assert measured
    for run in measured:
        assert run.updates >= 10
        assert min(run.looks, run.drifts) > 2  # also in the middle of the training


def test_one_other_bit_is_seen() -> None:
    model = torch.nn.BatchNorm1d(2)
    before = plain(model.state_dict())
    assert plain(model.state_dict()) == before
    model.running_mean[0] = -0.0  # type: ignore[index]
    assert plain(model.state_dict()) != before
