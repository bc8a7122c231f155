"""What the tests of several data sets share."""

from pathlib import Path

import platformdirs
import pytest

from bntui.core.parsers import PUBLISHED
from bntui.data import sources
from bntui.data.idx import MNIST, Idx
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
