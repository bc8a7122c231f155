"""`bntui attach`: what it refuses, what it opens with, and that it needs no torch."""

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.run_request import Follow, RunRequest
from bntui.core.snapshot import Phase, RunFacts, Snapshot
from bntui.core.sweep import Design
from bntui.core.text import ConfigError
from bntui.store.checksum import write_checksums
from bntui.store.database import Store
from bntui.store.follow import followed
from bntui.store.follow_sweep import FollowedSweep
from bntui.store.recorder import StoreRecorder
from tests.children import environment
from tests.imported import loaded_after
from tests.ui.user import CONFIG

OPENED = """\
async def opened():
    with contextlib.suppress(SystemExit):
        cli(["attach", "nosuch"])
    from bntui.ui.app import BntuiApp
    from bntui.core.run_request import Follow, RunRequest
    from bntui.core.config import RunConfig
    from bntui.store.follow import Followed
    from tests.ui.scripted import ScriptedRuns
    app = BntuiApp(ScriptedRuns(), RunRequest(RunConfig(), origin=Follow("a")))
    async with app.run_test() as pilot:
        await pilot.press("3", "4", "w", "escape", "v", "escape", "q")
"""


def refusal(*words: str) -> str:
    result = CliRunner().invoke(cli, ["attach", *words], catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_a_run_that_is_not_kept_is_refused_as_show_refuses_it() -> None:
    for name in ("abcdef", "last", "no such"):
        shown = CliRunner().invoke(cli, ["show", name]).stderr
        assert refusal(name) == shown
        assert f"run {name!r} is not in the store" in shown


def test_what_is_neither_a_run_nor_a_sweep_is_refused() -> None:
    assert refusal("nosuch") == (
        "Error: run or sweep 'nosuch' is not in the store: `bntui runs` and `bntui sweeps` list what is.\n"
    )


class TestASweep:
    @pytest.fixture(autouse=True)
    def _kept(self) -> None:
        with Store() as store:
            store.put_sweep("beef-1", Design(CONFIG, seeds=(0, 1)))
            store.put_sweep("wrong", Design(CONFIG))
            store._file.connection.execute("UPDATE sweeps SET begun = 'x' WHERE name = 'wrong'")
            write_checksums(store._file.connection, "sweeps", "WHERE name = 'wrong'")

    def test_it_needs_a_terminal_too(self) -> None:
        assert "is none: `bntui sweeps` lists sweeps." in refusal("beef-1")

    def test_one_that_can_not_be_read_is_refused(self) -> None:
        assert "is not as this bntui writes them (begun" in refusal("wrong")

    def test_it_is_shown_and_not_led(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[tuple[Any, Any]] = []

        def show(source: Any, lead: Any, **_: Any) -> int:
            shown.append((source, lead))
            return 0

        monkeypatch.setattr("bntui.ui.sweeps.app.show", show)
        monkeypatch.setattr("bntui.cli.attach.refuse_without_terminal", lambda *_: None)
        result = CliRunner().invoke(cli, ["attach", "beef-1"], catch_exceptions=False)
        gc.enable()
        assert result.exit_code == 0
        ((source, lead),) = shown
        assert isinstance(source, FollowedSweep)
        assert (source.view.name, lead) == ("beef-1", None)
        assert len(source.view.cells) == 2


def test_without_a_run_and_none_under_way_it_says_so() -> None:
    assert "no run is under way" in refusal()


def test_a_store_that_is_named_is_the_one_that_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNTUI_STORE", str(tmp_path / "usual.sqlite"))  # put back in the end
    named = tmp_path / "my runs.sqlite"
    assert f"there is no store {named}" in refusal("last", "--store", str(named))
    with Store(named) as store:
        assert not store.runs()
    recorder = StoreRecorder(named)
    recorder.close(
        Snapshot(
            phase=Phase.FINISHED, config=CONFIG, facts=RunFacts("cpu", "Numbers", 100, 10, 5, (), 0)
        )
    )
    assert "no run is under way" in refusal("--store", str(named))
    assert f"`bntui attach {recorder.run} --store '{named}'`" in refusal("--store", str(named))
    assert "attach needs a terminal" in refusal(recorder.run, "--store", str(named))


def test_its_options_go_behind_it() -> None:
    result = CliRunner().invoke(cli, ["--ascii", "attach"])
    assert result.stderr == "Error: --ascii goes behind the command: bntui attach --ascii …\n"


def test_a_run_that_was_deleted_meanwhile_is_refused_in_one_sentence() -> None:
    with pytest.raises(ConfigError, match="not in the store"):
        followed(RunRequest(CONFIG, origin=Follow("abc")))


def test_it_loads_no_torch() -> None:
    loaded = loaded_after(
        "import asyncio, contextlib",
        "from bntui.cli.main import cli",
        OPENED,
        "asyncio.run(opened())",
    )
    assert {"textual", "bntui.store.follow"} <= loaded
    assert not loaded & {"torch", "torchvision"}
    assert not {
        name for name in loaded if name.startswith(("bntui.train", "bntui.probe", "bntui.measure"))
    }


def test_it_needs_a_terminal(tmp_path: Path) -> None:
    env = environment() | {"XDG_DATA_HOME": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-m", "bntui", "run", "--steps", "1", "--width", "0.25"],
        env=env, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bntui", "attach", "last"],
        env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "Error: attach needs a terminal, and standard output or input is none: `bntui show` prints "
        "what is kept of a run.\n"
    )
