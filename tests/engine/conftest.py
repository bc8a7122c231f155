"""What the tests of several data sets share."""

from pathlib import Path

import platformdirs
import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's data directory, and no settings from outside."""
    monkeypatch.delenv("BNTUI_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda _: str(tmp_path / "home"))
    return tmp_path / "home"
