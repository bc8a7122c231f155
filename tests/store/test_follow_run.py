"""`bntui run` in another process, followed from this one."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bntui.core.snapshot import Phase, Snapshot
from bntui.store.database import Store
from bntui.store.follow import Followed, which
from bntui.store.schema import StoreError
from tests.store.awaited import PATIENCE, until

START_SECONDS = 120.0
"""How long it may take to load torch on a busy machine."""
OPTIONS = (
    "--width",
    "0.0625",
    "--threads",
    "1",
    "--epochs",
    "1000",
    "--train-size",
    "480",
    "--hindsight",
)


@pytest.fixture
def training(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`bntui run` of a small network that goes on until it is ended; its store is beside it."""
    environment = {**os.environ, "BNTUI_STORE": str(tmp_path / "runs.sqlite")}
    with subprocess.Popen(
        [sys.executable, "-m", "bntui", "run", "--json", *OPTIONS],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process
        process.kill()


def followed_run(path: Path) -> Followed:
    """Return the run under way, once it is there, followed."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with Store(path) as store:
                followed = Followed(path, which(store, None))
        except StoreError:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            followed.start()
            return followed


def has_all(snapshot: Snapshot) -> bool:
    """Tell whether what the explorer's panels draw is there."""
    validation = snapshot.validation
    return (
        validation is not None
        and snapshot.hindsight is not None
        and bool(snapshot.reports)
        and len(snapshot.series.get("train_loss", ())) > 5
    )


def test_a_run_of_another_process_shows_as_it_trains_and_its_death_is_told(
    tmp_path: Path, training: "subprocess.Popen[bytes]"
) -> None:
    followed = followed_run(tmp_path / "runs.sqlite")
    first = until(followed, has_all)
    later = until(followed, lambda shown: shown.update > first.update)
    assert later.phase is Phase.RUNNING
    validation = later.validation
    assert validation is not None
    for layer in validation.layers:
        assert layer.detail.values is not None
        gap = np.abs(layer.detail.mean_gap)
        assert math.isclose(float(gap.mean()), layer.mean_gap, rel_tol=1e-3, abs_tol=1e-5)
    assert later.epochs == 1000
    assert later.images_per_s > 0.0
    until(followed, lambda shown: len(shown.past) > 1)
    training.send_signal(signal.SIGKILL)
    training.wait()
    last = until(followed, lambda shown: shown.phase is Phase.INTERRUPTED)
    assert "has ended without closing it" in last.message
    assert last.update >= later.update
    assert followed.leave(PATIENCE)
