"""`bntui toy`: what it refuses, and that it needs no torch."""

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from click.testing import CliRunner

from bntui.cli.main import cli
from tests.children import environment
from tests.imported import loaded_after

PLAYED = """\
async def play():
    async with ToyApp().run_test() as pilot:
        await pilot.press("n", "left", "c", "question_mark", "escape", "r", "q")
"""


def refusal(*words: str) -> str:
    result = CliRunner().invoke(cli, ["toy", *words], catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr


def test_without_a_terminal_there_is_nothing_to_draw_on() -> None:
    assert refusal() == ("Error: the toy needs a terminal, and standard output or input is none.\n")


def test_a_theme_that_is_none_is_refused_with_the_nearest() -> None:
    assert "no theme 'drakula', the nearest is dracula" in refusal("--theme", "drakula")


@pytest.mark.parametrize("option", ["--ascii", "--theme=nord"])
def test_its_options_go_behind_it(option: str) -> None:
    result = CliRunner().invoke(cli, [option, "toy"])
    name = option.partition("=")[0]
    assert result.stderr == f"Error: {name} goes behind the command: bntui toy {name} …\n"


def test_opened_and_played_with_it_loads_no_torch_and_no_run() -> None:
    loaded = loaded_after(
        "import asyncio", "from bntui.ui.toy.app import ToyApp", PLAYED, "asyncio.run(play())"
    )
    assert "textual" in loaded
    assert not loaded & {"torch", "torchvision", "sqlite3"}
    assert not {name for name in loaded if name.startswith(("bntui.train", "bntui.store"))}


def read(terminal: int) -> str:
    """Return what was written within a tenth of a second; a terminal that is left raises OSError."""
    with suppress(OSError):
        if select.select([terminal], [], [], 0.1)[0]:
            return os.read(terminal, 65536).decode(errors="replace")
    return ""


def test_on_a_terminal_it_opens_and_q_ends_it() -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "bntui", "toy", "--ascii"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment(TERM="xterm-256color"),
    )
    os.close(theirs)
    seen, until = "", time.monotonic() + 60
    try:
        while "Validation" not in seen and time.monotonic() < until:
            seen += read(ours)
        assert "Validation" in seen
        assert "one channel" in seen
        os.write(ours, b"q")
        while child.poll() is None and time.monotonic() < until:
            read(ours)
        assert child.returncode == 0
    finally:
        child.kill()
        child.wait()
        os.close(ours)
