"""What the tests of several data sets share: where they lie, and files to read."""

from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from bntui.core.parsers import PUBLISHED
from bntui.data import sources
from bntui.data.idx import MNIST, Idx
from tests.data.arrays import GREY, Save
from tests.data.folders import fill
from tests.data.stand_ins import StandIn, cifar_stand_in, idx_stand_in


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's data directory, and no settings from outside."""
    monkeypatch.delenv("BNTUI_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda _: str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return idx_stand_in(MNIST, tmp_path / "given", monkeypatch)


@pytest.fixture(params=PUBLISHED)
def any_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> StandIn:
    known = sources.PUBLISHED_SETS[request.param]
    if isinstance(known, Idx):
        return idx_stand_in(known, tmp_path / "given", monkeypatch)
    return cifar_stand_in(tmp_path / "given", monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set of three classes: 10 grey images of each to train on and 4 to validate."""
    fill(tmp_path / "own" / "train")
    fill(tmp_path / "own" / "test", count=4)
    return tmp_path / "own"


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that saves `GREY` with other arrays in place of some; None leaves one out."""

    def to_file(*, compressed: bool = False, **changes: Any) -> Path:
        path = tmp_path / "own.npz"
        arrays = {name: value for name, value in (GREY | changes).items() if value is not None}
        (np.savez_compressed if compressed else np.savez)(path, **arrays)
        return path

    return to_file


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return cifar_stand_in(tmp_path / "given", monkeypatch)
