"""The explorer inside tmux: stopped and continued, detached, attached again, at another size."""

import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.driver import Terminal
from bntui.store.database import Store
from bntui.store.writing import State
from tests.children import only_run
from tests.machine.explorers import EXPLORER, surroundings, trains
from tests.system.sshd import PATIENCE, needed
from tools.faults import Fault

pytestmark = pytest.mark.system


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[list[str]]:
    """Return the command of a server of its own."""
    needed("tmux")
    config = tmp_path / "tmux.conf"
    config.write_text("set -g default-terminal screen-256color\nset -g escape-time 0\n")
    command = ["tmux", "-S", str(tmp_path / "tmux"), "-f", str(config), "-u"]
    yield command
    subprocess.run([*command, "kill-server"], capture_output=True, check=False)


class Pane:
    """A shell in a terminal of tmux's own, which has a second screen as real ones do."""

    def __init__(self, tmux: list[str], size: tuple[int, int]) -> None:
        self._tmux = tmux
        columns, rows = map(str, size)
        environment = surroundings(PS1="ready> ", HISTFILE="", TERM="screen-256color")
        shell = ["env", *(f"{name}={value}" for name, value in environment.items())]
        shell += ["bash", "--norc", "--noprofile", "-i"]
        self.run(
            "set-option",
            "-g",
            "status",
            "off",
            ";",
            "new-session",
            "-d",
            "-x",
            columns,
            "-y",
            rows,
            *shell,
        )
        self.until(lambda screen: "ready>" in screen)

    def run(self, *words: str) -> str:
        command = [*self._tmux, *words]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    @property
    def text(self) -> str:
        return self.run("capture-pane", "-p")

    @property
    def program(self) -> psutil.Process:
        """The program that the shell has started."""
        (program,) = psutil.Process(int(self.run("list-panes", "-F", "#{pane_pid}"))).children()
        return program

    def type(self, line: str) -> None:
        self.run("send-keys", "-l", line, ";", "send-keys", "Enter")

    def until(self, seen: Callable[[str], bool]) -> None:
        end = time.monotonic() + PATIENCE + 60.0
        while not seen(text := self.text):
            assert time.monotonic() < end, text
            time.sleep(0.05)


@pytest.mark.parametrize("size", [(100, 30), (120, 40)], ids=["100x30", "120x40"])
@pytest.mark.fault(
    "stopped and continued by a shell",
    injected="a real tmux: ctrl+z and fg; ctrl+z, bg and fg; SIGSTOP and fg; SIGTSTP and fg; `bntui &`",
)
def test_the_whole_screen_is_there_again(
    fault: Fault, tmux: list[str], size: tuple[int, int]
) -> None:
    pane = Pane(tmux, size)
    pane.type(f"{shlex.join(EXPLORER)} --train-size 400 --paused &")
    pane.until(lambda screen: "[1] " in screen)
    program = pane.program
    _stopped(program)
    pane.type("fg")
    pane.until(lambda screen: "‖ paused" in screen and "activations" in screen)
    whole = pane.text
    for how in ("ctrl+z", "bg", signal.SIGTSTP, signal.SIGSTOP):
        if isinstance(how, str):
            pane.run("send-keys", "C-z")
        else:
            program.send_signal(how)
        _stopped(program)
        pane.until(lambda screen: "Stopped" in screen)
        if how == "bg":
            pane.type("bg")
            pane.until(lambda screen: "&\n" in screen)
            _stopped(program)
        pane.run("clear-history")
        pane.type("fg")
        pane.until(lambda screen: screen == whole)
    pane.run("send-keys", "Space")
    pane.until(lambda screen: "▶ running" in screen)
    pane.run("send-keys", "C-z")
    _stopped(program)
    pane.type("fg")
    pane.until(lambda screen: screen.startswith(" bntui digits") and "╭─ accuracy" in screen)
    pane.run("send-keys", "q")
    pane.until(lambda screen: "ready>" in screen)
    fault.saw, fault.lost = "the whole screen, cell for cell", "nothing"


@pytest.mark.fault(
    "killed while it is stopped", injected="a real tmux: ctrl+z, then SIGTERM and SIGCONT"
)
def test_a_stopped_explorer_ends_without_taking_the_terminal(fault: Fault, tmux: list[str]) -> None:
    pane = Pane(tmux, (100, 30))
    pane.type(f"{shlex.join(EXPLORER)} --train-size 400")
    pane.until(trains)
    program = pane.program
    pane.run("send-keys", "C-z")
    _stopped(program)
    program.terminate()
    program.resume()
    gone, _ = psutil.wait_procs([program], PATIENCE)
    assert gone
    assert pane.run("display-message", "-p", "#{alternate_on}#{mouse_any_flag}") == "00\n"
    assert only_run().state is State.INTERRUPTED
    fault.saw, fault.lost = "the shell, and the run interrupted", "nothing"


def _stopped(program: psutil.Process) -> None:
    while program.status() != psutil.STATUS_STOPPED:
        time.sleep(0.02)


@pytest.mark.fault(
    "tmux detached, attached again at another size",
    injected="a real tmux, TERM=screen-256color, 120×40 then 80×24",
)
def test_it_goes_on_detached_and_fits_when_attached_again(fault: Fault, tmux: list[str]) -> None:
    explorer = shlex.join(EXPLORER)
    with Terminal([*tmux, "new-session", explorer], surroundings(), (120, 41)) as terminal:
        terminal.until(lambda screen: trains(screen) and "drift" in screen)
        terminal.press("\x02d")
        terminal.until(lambda screen: "[detached" in screen)
        assert terminal.wait() == 0
    run = only_run()
    assert run.state is State.RUNNING

    with Terminal([*tmux, "attach"], surroundings(), (80, 25)) as terminal:
        terminal.until(lambda screen: "▶ running " in screen and "1 accuracy 2 loss" in screen)
        terminal.press("4")
        terminal.until(lambda screen: "╭─ drift" in screen)
        terminal.press("q")
        terminal.until(lambda screen: "[exited]" in screen)
    with Store() as store:
        assert store.run(run.id).state is State.STOPPED
    fault.saw, fault.lost = "the same run, a panel at a time", "nothing"


@pytest.mark.fault("tmux server ends", injected="a real tmux, kill-server while training")
def test_the_end_of_the_server_is_a_hang_up(fault: Fault, tmux: list[str]) -> None:
    explorer = shlex.join(EXPLORER)
    with Terminal([*tmux, "new-session", explorer], surroundings(), (120, 41)) as terminal:
        terminal.until(trains)
        listed = [*tmux, "list-panes", "-a", "-F", "#{pane_pid}"]
        pid = int(subprocess.run(listed, capture_output=True, check=True).stdout)
        watched = [psutil.Process(pid)]
        subprocess.run([*tmux, "kill-server"], check=True)
        terminal.wait()
        gone, _ = psutil.wait_procs(watched, PATIENCE)
        assert gone
    run = only_run()
    assert run.state is State.INTERRUPTED
    assert run.checkpoint == run.updates > 0
    fault.saw, fault.lost = "the shell again; no process left", "nothing"
