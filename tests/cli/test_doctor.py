"""`bntui doctor`: the facts of a bug report, found without changing anything."""

import getpass
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bntui import __version__
from bntui.cli import doctor as doctors
from bntui.cli.main import cli
from bntui.machine import environment
from bntui.store.schema import connect
from tests.store.recorded import keep
from tools.faults import Fault


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of the test's own, with nothing in it."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("BNTUI_DATA", raising=False)
    monkeypatch.delenv("BNTUI_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    home.mkdir()
    return home


@pytest.fixture
def store(home: Path) -> Path:
    path = home / "share/bntui/runs.sqlite"
    keep(path)
    return path


def doctor() -> str:
    result = CliRunner().invoke(cli, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def line(text: str, section: str, name: str) -> str:
    """Return the value that stands behind `name` in a section."""
    part = text.partition(f"{section}\n")[2].partition("\n\n")[0]
    (value,) = (
        row.strip().removeprefix(name).strip()
        for row in part.splitlines()
        if row.strip().startswith(name)
    )
    return value


def test_it_names_versions_machine_terminal_data_and_store(store: Path) -> None:
    text = doctor()
    assert line(text, "versions", "bntui") == __version__
    assert line(text, "machine", "device").endswith("(--device auto)")
    assert line(text, "terminal", "encoding")
    assert line(text, "data", "digits") == "built in, checksum right"
    assert line(text, "data", "mnist") == "0 of 4 files in ~/share/bntui/MNIST/raw"
    assert line(text, "store", "integrity") == "ok"
    assert line(text, "store", "runs") == "1, of which 0 deleted"
    assert line(text, "places", "store") == "~/share/bntui/runs.sqlite (writable)"


def test_it_tells_where_choices_are_and_what_is_wrong_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BNTUI_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    file = home / "config/bntui/config.toml"
    if sys.platform == "linux":
        assert line(doctor(), "places", "choices") == "~/config/bntui/config.toml (not there yet)"
    monkeypatch.setenv("BNTUI_CONFIG", str(file))
    assert line(doctor(), "places", "choices") == "~/config/bntui/config.toml (not there yet)"
    file.parent.mkdir(parents=True)
    file.write_text("pace = -1\n")
    text = doctor()
    assert line(text, "places", "choices") == "~/config/bntui/config.toml (writable)"
    assert "~/config/bntui/config.toml: pace: pace -1 is out of range" in text
    assert line(text, "settings", "BNTUI_CONFIG") == "~/config/bntui/config.toml"


def test_nothing_in_it_is_personal(
    store: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jane")
    monkeypatch.setattr(socket, "gethostname", lambda: "lab7")
    monkeypatch.setenv("BNTUI_DATA", "/srv/lab7/jane")
    text = doctor()
    assert "/srv/HOST/USER" in text
    for personal in (str(home), "jane", "lab7"):
        assert personal not in text


def test_it_changes_nothing(store: Path, home: Path) -> None:
    def all_of_it() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}

    before = all_of_it()
    assert "1, of which 0 deleted" in doctor()
    assert all_of_it() == before


def test_it_makes_nothing_where_nothing_is(home: Path) -> None:
    assert line(doctor(), "store", "file") == "~/share/bntui/runs.sqlite (none yet)"
    assert list(home.iterdir()) == []


@pytest.mark.fault("store damaged", injected="pages of the SQLite file overwritten, then `doctor`")
def test_a_damaged_store_is_seen(store: Path, fault: Fault) -> None:
    connect(store, patience=1.0).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(store.read_bytes())
    content[4096:] = np.random.default_rng(0).bytes(len(content) - 4096)
    store.write_bytes(content)
    said = line(doctor(), "store", "integrity")
    assert said != "ok"
    fault.saw = "`integrity` in bntui doctor says what is wrong with it"
    fault.lost = "nothing by looking"


def test_a_store_that_is_none_is_seen(store: Path) -> None:
    store.write_text("this is no database, and long enough to be sure of it " * 20)
    assert line(doctor(), "store", "trouble") == "it can't be read: file is not a database"


def test_damaged_data_is_seen(home: Path) -> None:
    from bntui.data.idx import MNIST

    place = home / "share/bntui/MNIST/raw"
    place.mkdir(parents=True)
    for file in MNIST.files:
        (place / file).write_bytes(b"not what it claims to be")
    said = line(doctor(), "data", "mnist")
    assert said.startswith("~/share/bntui/MNIST/raw/")
    assert "damaged" in said
    assert {path.name for path in place.iterdir()} == {*MNIST.files}


def test_what_cannot_be_found_out_is_said_and_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: 1 / 0)
    text = doctor()
    assert line(text, "machine", "not known").startswith("ZeroDivisionError")
    assert line(text, "data", "digits") == "built in, checksum right"


def test_settings_that_cost_speed_come_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*environment.THREADS_GIVEN, *environment.COSTLY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(environment, "cores", lambda: 8)
    assert doctors._speed() == [("", "nothing in the environment is known to cost speed")]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("CUDA_LAUNCH_BLOCKING", "1")
    assert doctors._speed() == [
        (
            "",
            "CUDA_LAUNCH_BLOCKING=1 costs speed, since the program waits for the GPU at every "
            "operation: unset it.",
        ),
        (
            "",
            "OMP_NUM_THREADS=3 costs speed, since 3 of 8 cores train: unset it, or give "
            "--threads 8.",
        ),
    ]
