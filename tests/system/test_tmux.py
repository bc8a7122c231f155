"""The explorer inside tmux: detached, attached again, at another size."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bntui.store.database import Store
from bntui.store.writing import State
from tests.benchmarks.driver import Terminal
from tests.children import only_run
from tests.faults import Fault
from tests.system.sshd import PATIENCE, needed
from tests.test_signals import EXPLORER, surroundings, trains

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
        terminal.until(lambda screen: "▶ running " in screen and "1 accuracy  2 loss" in screen)
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
