"""Setting up: an environment that was begun is completed, one that can't be made is removed."""

import shutil
import subprocess
from pathlib import Path

import pytest

HALF = "mkdir -p $3/bin; printf '#!/bin/sh\\nexit 1\\n' >$3/bin/python; chmod +x $3/bin/python"
WHOLE = "mkdir -p $3/bin; printf '#!/bin/sh\\nexit 0\\n' >$3/bin/python; chmod +x $3/bin/python"
BROKEN = f"{HALF}; exit 1"
"""As without ensurepip: a python without pip, and an error."""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(Path(__file__).parent.parent / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)


def make(python: str) -> "subprocess.CompletedProcess[str]":
    """Set up with a stand-in for Python."""
    stand_in = Path("python")
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(0o755)
    command = ["make", ".venv/run.stamp", "PYTHON=./python", "VENV=.venv"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_an_environment_that_cant_be_made_is_removed() -> None:
    done = make(BROKEN)
    assert done.returncode != 0
    assert "no Python environment could be made in .venv: install Python's venv" in done.stderr
    assert not Path(".venv").exists()
    assert make(WHOLE).returncode == 0
    assert Path(".venv/run.stamp").exists()


def test_one_that_was_begun_is_completed() -> None:
    subprocess.run(["sh", "-c", HALF, "sh", "-m", "venv", ".venv"], check=True)
    assert make(WHOLE).returncode == 0
    assert Path(".venv/run.stamp").exists()


def test_one_that_was_there_before_is_never_removed() -> None:
    Path(".venv").mkdir()
    Path(".venv/mine").write_text("mine")
    assert make(BROKEN).returncode != 0
    assert Path(".venv/mine").read_text() == "mine"
