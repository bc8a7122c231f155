"""The callback in fastai's `fit`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import environment


def test_a_fit_is_watched_and_left_as_it_was(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.probe.callbacks.fastai_training",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["same"]
    assert found["metrics"]
    own = found["own"]
    assert (own["state"], own["updates"], own["score"]) == ("finished", 16, "accuracy")
    assert own["losses"] == pytest.approx(found["losses"])
    assert {"val_acc", "drift:1", "drift:5"} <= set(own["series"])
    assert own["findings"]
    wrapped = found["wrapped"]
    assert (wrapped["updates"], wrapped["score"]) == (16, "")
    assert found["accumulated"]["updates"] == 4
    assert not found["searched"]
