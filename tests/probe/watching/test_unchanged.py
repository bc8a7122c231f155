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


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_and_does_the_same_twice(name: str, tmp_path: Path) -> None:
    script = str(SCRIPTS / f"{name}.py")
    files = [tmp_path / "first", tmp_path / "second"]
    first, second = (ended([script, str(file)], file) for file in files)
    assert first.code == 0
    assert first.out
    assert first == second


def test_one_other_bit_is_seen() -> None:
    model = torch.nn.BatchNorm1d(2)
    before = plain(model.state_dict())
    assert plain(model.state_dict()) == before
    model.running_mean[0] = -0.0  # type: ignore[index]
    assert plain(model.state_dict()) != before
