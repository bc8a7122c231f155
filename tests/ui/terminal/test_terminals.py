"""Terminals of every kind, and what people and shells do with them, for the whole program."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.driver import Terminal
from bntui.store.writing import State
from bntui.ui.terminal.typed_input import REST_SECONDS
from tests.children import only_run
from tests.machine.explorers import EXPLORER, SIZE, explorer, surroundings, trains
from tools.faults import Fault

pytestmark = pytest.mark.system

STYLE = re.compile(rb"\x1b\[([0-9;]*)m")
COLOURS = re.compile(r"(?:^|;)(?:[34]8;[25]|[39][0-7]|4[0-7]|10[0-7])(?:;|$)")
RICH_COLOURS = re.compile(r"(?:^|;)[34]8;[25];")


class Recorded(Terminal):
    """A terminal that keeps all that is sent to it."""

    def __init__(self, *arguments: object) -> None:
        self.all: list[bytes] = []
        super().__init__(*arguments)  # type: ignore[arg-type]

    def _show(self, data: bytes) -> None:
        self.all.append(data)
        super()._show(data)

    @property
    def begun(self) -> int:
        """How often the program has taken the screen."""
        return b"".join(self.all).count(b"\x1b[?1049h")

    @property
    def styles(self) -> Iterator[str]:
        return (found.decode() for found in STYLE.findall(b"".join(self.all)))


def sitting(**environment: str) -> Recorded:
    """Open the explorer, see it train, quit; return the terminal with all that was sent."""
    with Recorded(EXPLORER, surroundings(**environment), SIZE) as terminal:
        before = terminal.settings
        terminal.until(lambda screen: "running" in screen and "update " in screen)
        terminal.press("q")
        assert terminal.wait() == 0
        terminal.catch_up()
        assert terminal.settings == before
    assert b"Traceback" not in b"".join(terminal.all)
    return terminal


@pytest.mark.fault("poor terminals", injected="TERM=linux and xterm-16color, NO_COLOR, LC_ALL=C")
def test_a_poor_terminal_is_sent_nothing_it_does_not_know(fault: Fault) -> None:
    for term in ("linux", "xterm-16color"):
        styles = list(sitting(TERM=term, COLORTERM="").styles)
        assert any(map(COLOURS.search, styles)), term
        assert not any(map(RICH_COLOURS.search, styles)), term
    assert not any(map(COLOURS.search, sitting(NO_COLOR="1").styles))
    plain = b"".join(sitting(LC_ALL="C", LANG="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").all)
    assert plain.isascii()
    fault.saw, fault.lost = "the explorer in 16 colours, in none, in ASCII", "nothing"


@pytest.mark.fault("a terminal without a cursor", injected="TERM=dumb")
def test_a_dumb_terminal_is_told_what_to_use_instead(fault: Fault) -> None:
    with Recorded(EXPLORER, surroundings(TERM="dumb"), SIZE) as terminal:
        assert terminal.wait() == 2
        terminal.catch_up()
        sent = b"".join(terminal.all)
    assert b"\x1b" not in sent
    assert b"TERM is 'dumb': use `bntui run`" in sent
    fault.saw, fault.lost = sent.decode().split("\n")[-2].strip(), "nothing"


@pytest.mark.fault("ctrl+z and fg", injected="ctrl+z in a real shell, then fg, twice")
def test_ctrl_z_gives_the_terminal_back_and_fg_returns(fault: Fault) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Terminal(shell, surroundings(PS1="ready> ", HISTFILE=""), SIZE) as terminal:
        terminal.until(lambda screen: "ready> " in screen)
        terminal.press(f"{' '.join(EXPLORER)}\r")
        terminal.until(trains)
        (program,) = psutil.Process(terminal.pid).children()
        for _ in range(2):
            terminal.press("\x1a")
            while program.status() != psutil.STATUS_STOPPED:
                time.sleep(0.01)
            terminal.until(lambda screen: "Stopped" in screen)
            terminal.press("fg\r")
            while program.status() == psutil.STATUS_STOPPED:
                time.sleep(0.01)
            terminal.press("?")  # pyte has one screen only: what is new shows that it is back
            terminal.until(lambda screen: "─ help ·" in screen)
            terminal.press("q")
            terminal.until(lambda screen: "─ help ·" not in screen)
        terminal.press("q")
        program.wait(60)
        terminal.press("echo status $?\r")
        terminal.until(lambda screen: "status 0" in screen)
        terminal.press("exit\r")
        assert terminal.wait() == 0
    fault.saw, fault.lost = "the shell with “Stopped”, then the same run", "nothing"


@pytest.mark.fault("stopped and continued from outside", injected="SIGSTOP, SIGCONT, three times")
def test_a_process_that_was_stopped_unasked_still_ends(fault: Fault) -> None:
    with Recorded(EXPLORER, surroundings(), SIZE) as terminal:
        for _ in range(3):
            terminal.until(trains)
            begun = terminal.begun
            terminal.send(signal.SIGSTOP)
            process = psutil.Process(terminal.pid)
            while process.status() != psutil.STATUS_STOPPED:
                time.sleep(0.01)
            terminal.send(signal.SIGCONT)
            # Until it has begun again, it throws away what is typed.
            terminal.until(lambda _, begun=begun: terminal.begun > begun)  # type: ignore[misc]
            terminal.press("?")
            terminal.until(lambda screen: "─ help ·" in screen)
            terminal.press("q")
            terminal.until(lambda screen: "─ help ·" not in screen)
        terminal.until(trains)
        terminal.press("q")
        assert terminal.wait() == 0
    fault.saw, fault.lost = "the screen again; q still quits, exit status 0", "nothing"


def given_back(terminal: Recorded) -> bool:
    """Tell whether the last thing done to the screen was to leave it."""
    sent = b"".join(terminal.all)
    return sent.rfind(b"\x1b[?1049l") > sent.rfind(b"\x1b[?1049h") >= 0


@pytest.mark.fault(
    "killed and continued", injected="SIGTERM or q, and SIGCONT every 30 ms until it has ended"
)
def test_whoever_ends_does_not_take_the_terminal_again(fault: Fault) -> None:
    for press, code in (("", 128 + signal.SIGTERM), ("q", 0)):
        with Recorded([*EXPLORER, "--train-size", "400"], surroundings(), SIZE) as terminal:
            before = terminal.settings
            terminal.until(trains)
            if press:
                terminal.press(press)
            else:
                terminal.send(signal.SIGTERM)
            while psutil.Process(terminal.pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.03)
                terminal.send(signal.SIGCONT)
            assert terminal.wait() == code
            terminal.catch_up()
            assert given_back(terminal)
            assert terminal.settings == before
    fault.saw, fault.lost = "the shell again, exit status 143, 0 after q", "nothing"


BUSY = """
import time
from bntui.ui.explorer.screen import Explorer

def for_ever(self, name):
    self.app.terminal.write("busy\\r\\n")
    self.app.terminal.flush()
    while True:
        time.sleep(0.01)

Explorer.action_command = for_ever
from bntui.__main__ import main
main()
"""


@pytest.mark.fault(
    "killed while the screen is busy", injected="SIGTERM while a key's action never ends"
)
def test_a_busy_screen_gives_the_terminal_back_too(fault: Fault) -> None:
    command = [sys.executable, "-c", BUSY, *EXPLORER[3:], "--train-size", "400"]
    with Recorded(command, surroundings(), SIZE) as terminal:
        before = terminal.settings
        terminal.until(trains)
        terminal.press("n")
        terminal.until(lambda _: b"busy" in b"".join(terminal.all))
        terminal.send(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        terminal.catch_up()
        assert given_back(terminal)
        assert terminal.settings == before
    assert only_run().state is State.INTERRUPTED
    fault.saw, fault.lost = "the shell again after some seconds, exit status 143", "nothing"


@pytest.mark.fault(
    "input that is none",
    injected="bytes that are no UTF-8, half sequences, a paste and a string without an end",
)
def test_whatever_stands_in_the_input_the_next_key_works(fault: Fault) -> None:
    junk = (
        b"\xff",
        b"\xe9",
        b"\x1b[M \x9f\xff",
        b"\x1b[<0;",
        b"\x1b[200~abc",
        b"\x1bPabc",
        b"\x1b]52;",
    )
    with explorer("--train-size", "400") as terminal:
        terminal.until(trains)
        for number, bytes_ in enumerate(junk):
            terminal.press(bytes_)
            time.sleep(REST_SECONDS + 0.5)
            terminal.press("q" if number % 2 else "?")
            terminal.until(lambda screen, even=number % 2 == 0: ("─ help ·" in screen) is even)  # type: ignore[misc]
        terminal.press(b"\x1b[<0;\x03")
        assert terminal.wait() == 0
        assert b"Traceback" not in terminal.last
    fault.saw, fault.lost = "nothing of it; the next key works", "nothing"


@pytest.mark.fault(
    "a library writes to the terminal",
    injected="OMP_DISPLAY_ENV=true: torch's OpenMP writes a page to standard error",
)
def test_what_a_library_writes_is_told_and_written_afterwards(fault: Fault) -> None:
    with Recorded(EXPLORER, surroundings(OMP_DISPLAY_ENV="true"), SIZE) as terminal:
        terminal.until(lambda screen: "a library wrote: " in screen)
        terminal.until(trains)
        terminal.press("q")
        assert terminal.wait() == 0
        terminal.catch_up()
        sent = b"".join(terminal.all)
    screen, afterwards = sent.rsplit(b"\x1b[?1049l", 1)
    assert b"OPENMP DISPLAY ENVIRONMENT END" in afterwards
    assert b"OPENMP DISPLAY ENVIRONMENT END" not in screen
    fault.saw, fault.lost = "a notice, and all of it in the shell afterwards", "nothing"


@pytest.mark.fault("variables of another terminal", injected="COLUMNS=60 LINES=16 on 120×40")
def test_the_size_is_the_terminals_own(fault: Fault) -> None:
    with explorer(COLUMNS="60", LINES="16") as terminal:
        terminal.until(lambda screen: trains(screen) and "╭─ drift" in screen)
        terminal.resize(100, 30)
        terminal.until(lambda screen: "▶ running" in screen and "1 accuracy 2 loss" in screen)
        terminal.press("q")
        assert terminal.wait() == 0
    fault.saw, fault.lost = "the explorer at the terminal's own size", "nothing"


@pytest.mark.fault("a resize storm", injected="300 sizes from 1×1 to 300×100 in a row")
def test_a_storm_of_sizes_ends_with_the_right_screen(fault: Fault) -> None:
    with explorer() as terminal:
        terminal.until(trains)
        for number in range(300):
            terminal.resize(1 + 37 * number % 300, 1 + 13 * number % 100)
            time.sleep(0.002)
        terminal.resize(100, 30)
        terminal.until(lambda screen: trains(screen) and "1 accuracy 2 loss" in screen)
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"Traceback" not in terminal.last
    fault.saw, fault.lost = "the screen of the last size", "nothing"


@pytest.mark.fault("standard input closed", injected="`bntui <&-` and `2>&-` on a terminal")
def test_closed_streams(fault: Fault) -> None:
    with Recorded(["sh", "-c", 'exec "$@" <&-', "sh", *EXPLORER], surroundings(), SIZE) as terminal:
        assert terminal.wait() == 2
        terminal.catch_up()
        assert b"use `bntui run` to train without a screen" in b"".join(terminal.all)
    with Terminal(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *EXPLORER], surroundings(), SIZE
    ) as terminal:
        terminal.until(trains)
        terminal.press("q")
        assert terminal.wait() == 0
    fault.saw, fault.lost = "one sentence, exit status 2; without stderr the explorer", "nothing"


def test_what_goes_wrong_may_be_sent_to_a_file(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    command = ["sh", "-c", f'exec "$@" 2>{errors}', "sh", *EXPLORER]
    with Terminal(command, surroundings(), SIZE) as terminal:
        terminal.until(trains)
        terminal.press("q")
        assert terminal.wait() == 0
    assert errors.read_bytes() == b""


@pytest.mark.fault("a pipe that closes", injected="`bntui run | head -1`")
def test_a_pipe_that_closes_ends_a_run_without_a_traceback(fault: Fault, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    run = f"{sys.executable} -m bntui run --width 0.0625 --device cpu --epochs 100000 2>{errors}"
    with Terminal(["sh", "-c", f"{run} | head -1"], {**os.environ, "TERM": "xterm"}, SIZE) as shell:
        assert shell.wait() == 0
        shell.catch_up()
        assert "digits: 4,000 training" in shell.text
    assert errors.read_text() == ""
    kept = only_run()
    assert kept.state is State.INTERRUPTED  # and so the explorer offers to go on with it
    assert kept.checkpoint == kept.updates
    fault.saw, fault.lost = "the first line, and the shell again", "nothing"
