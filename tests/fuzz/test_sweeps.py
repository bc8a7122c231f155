"""Sweeps of stores that somebody has changed: listed, looked at and claimed, with a sentence at most."""

import random
import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.store.claims import claim
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep, read_sweep
from bntui.store.schema import StoreError
from tests.fuzz import mutations
from tests.store.cells import at, saved
from tests.store.recorded import report

FEW = 30
"""Stores that `make test` tries."""
TABLES = ("sweeps", "sweeps", "runs", "reports", "reports", "checkpoints")
DESIGN = Design(RunConfig(epochs=2), (Axis("depth", (0, 1)), Axis("train_size", (None, 50))))
OTHER = replace(DESIGN, seeds=(1,))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two sweeps, and of one a cell that has finished and one that can go on."""
    path = tmp_path_factory.mktemp("sound") / "runs.sqlite"
    with Store(path) as store:
        store.put_sweep("one", DESIGN)
        store.put_sweep("other", OTHER)
    for cell, phase in zip(DESIGN.cells(), (Phase.FINISHED, Phase.STOPPED), strict=False):
        found = claim(path, cell)
        assert found is not None
        found.recorder.report(report(1))
        found.recorder.record(at(cell, 16, **saved(cell)), ())
        found.recorder.close(at(cell, 20, phase=phase, **saved(cell)))
    return path


def tried(sound: Path, path: Path, seeds: range) -> None:
    """Have stores tried, each by its number; of every kind of failure, say which it was and why."""
    failures: dict[str, str] = {}
    for seed in seeds:
        for file in path.parent.glob(f"{path.name}*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        shutil.copy(sound, path)
        done = mutations.store(random.Random(seed), path, TABLES)
        try:
            use(path)
        except Exception:
            trace = traceback.format_exc()
            failures.setdefault("".join(trace.splitlines()[-3:]), f"file {seed}: {done}\n{trace}")
    assert not failures, "\n".join(failures.values())


def use(path: Path) -> None:
    """List, look, follow and claim; what is said of it is one line."""
    said: list[str] = []
    with Store(path) as store:
        sweeps = store.sweeps()
        said += store.remarks
    for name in ("one", "other"):
        try:
            view = read_sweep(path, name)
            followed = FollowedSweep(path, name)
            assert followed._read()
            followed._publish()
            followed._close()
        except StoreError as error:
            said.append(str(error))
            continue
        assert repr(followed.view) == repr(view)  # NaN is not equal to itself
        said.append(view.message)
        assert [one.cell for one in view.cells] == list(view.design.cells())
    for cell in {cell for sweep in sweeps for cell in sweep.design.cells()[:4]}:
        try:
            found = claim(path, cell, retry_failed=True)
        except StoreError as error:
            said.append(str(error))
            continue
        if found is not None:
            found.recorder.record(at(cell, 1, phase=Phase.PAUSED), ())
            found.recorder.close(at(cell, 32, phase=Phase.FINISHED))
            assert not found.recorder.problem
            assert claim(path, cell) is None
    assert all(sentence.isprintable() for sentence in said), said


def test_no_store_of_some_breaks_a_sweep(sound: Path, tmp_path: Path) -> None:
    tried(sound, tmp_path / "runs.sqlite", range(FEW))


@pytest.mark.long
@pytest.mark.timeout(0)
def test_no_store_breaks_a_sweep(
    sound: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tried(sound, tmp_path / "runs.sqlite", range(FEW, request.config.getoption("--files") // 10))
