"""A folder with a user's module in it; stand-ins for `bntui.check` and for the trial of a sweep."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bntui.cli import sweep_plan
from tests.cli.checking import MODULE, Fake
from tests.cli.sweeping import quick_trial


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current directory of the test, from which nothing stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine.py").write_text(MODULE)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{tmp_path}/"):
            del sys.modules[name]


@pytest.fixture
def fake(here: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a fake in the place of bntui.check."""
    made, module = Fake(), ModuleType("bntui.probe.check")
    module.check = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bntui.probe.check", module)
    return made


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sweep's trial take no time, on a machine of two cores."""
    monkeypatch.setattr(sweep_plan, "trial", quick_trial())
    monkeypatch.setattr(sweep_plan, "granted_cores", lambda: 2)


@pytest.fixture
def no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no folder of data named in the environment."""
    monkeypatch.delenv("BNTUI_DATA", raising=False)
