"""The explorer over a real SSH link that is cut."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.driver import Terminal
from bntui.store.database import Store
from bntui.store.writing import State
from tests.children import only_run
from tests.machine.explorers import BNTUI, SHELL_AGAIN, SIZE, TINY, surroundings, trains
from tests.system.sshd import PATIENCE, served
from tools.faults import Fault

pytestmark = pytest.mark.system
GONE_WITHIN = 5.0
"""Seconds; promised, so asserted although it is a clock: a process that stays is the bug."""


def remotely(command: list[str], folder: Path) -> str:
    """Return the command line that runs here what `surroundings` say, with its process id in a file."""
    kept = {
        name: os.environ[name]
        for name in ("BNTUI_STORE", "BNTUI_CONFIG", "OMP_NUM_THREADS", "PATH")
    }
    kept |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in kept.items())
    return f"echo $$ > {folder}/pid; cd {Path.cwd()}; exec env {settings} {shlex.join(command)}"


def process(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "pid").read_text()))


@pytest.mark.fault("SSH link cut", injected="the ssh client killed, sshd real, explorer training")
def test_a_cut_link_ends_the_explorer_and_keeps_the_run(fault: Fault, tmp_path: Path) -> None:
    with served(tmp_path) as ssh:
        command = [*ssh, remotely([*BNTUI, *TINY], tmp_path)]
        with Terminal(command, surroundings(), SIZE) as terminal:
            terminal.until(trains)
            remote = process(tmp_path)
            assert "bntui" in " ".join(remote.cmdline())
            terminal.send(signal.SIGKILL)
            cut = time.monotonic()
            remote.wait(PATIENCE)
            took = time.monotonic() - cut
        assert took < GONE_WITHIN
        run = only_run()
        assert run.state is State.INTERRUPTED
        assert run.checkpoint == run.updates > 0

        with Terminal(command, surroundings(), SIZE) as terminal:
            offer = f"was interrupted after update {run.updates:,}"
            terminal.until(lambda screen: offer in " ".join(screen.split()))
            terminal.press("i")
            goes_on(run.id, run.updates)
            terminal.press("q")
            assert terminal.wait() == 0
    fault.saw = (
        f"the process gone within {GONE_WITHIN:.0f} s; the next start: … {offer}: i goes on with it"
    )
    fault.lost = "nothing"


@pytest.mark.fault("SSH link cut under `bntui run`", injected="the ssh client killed, sshd real")
def test_a_cut_link_ends_a_run_and_keeps_it(fault: Fault, tmp_path: Path) -> None:
    with served(tmp_path) as ssh:
        command = [*ssh, remotely([*BNTUI, "run", *TINY], tmp_path)]
        with Terminal(command, surroundings(), SIZE) as terminal:
            terminal.until(lambda screen: "updates  loss" in screen)
            remote = process(tmp_path)
            terminal.send(signal.SIGKILL)
            cut = time.monotonic()
            remote.wait(PATIENCE)
            took = time.monotonic() - cut
        assert took < GONE_WITHIN
        run = only_run()
        assert run.state is State.INTERRUPTED
        assert run.checkpoint == run.updates

        resume = [*BNTUI, "run", "--resume", "last"]
        with Terminal([*ssh, remotely(resume, tmp_path)], surroundings(), SIZE) as terminal:
            goes_on(run.id, run.updates)
            process(tmp_path).send_signal(signal.SIGINT)
            assert terminal.wait() == 128 + signal.SIGINT
    fault.saw = f"the process gone within {GONE_WITHIN:.0f} s; --resume last goes on"
    fault.lost = "nothing"


def test_without_a_shell_ctrl_z_does_not_stop_what_nothing_could_continue(tmp_path: Path) -> None:
    with served(tmp_path) as ssh:
        command = [*ssh, remotely([*BNTUI, *TINY], tmp_path)]
        with Terminal(command, surroundings(), SIZE) as terminal:
            terminal.until(trains)
            terminal.press("\x1a")
            terminal.until(lambda screen: "no shell is waiting" in " ".join(screen.split()))
            terminal.press("q")
            assert terminal.wait() == 0
            assert SHELL_AGAIN in terminal.last


def goes_on(run: str, after: int) -> None:
    """Wait until a run that was interrupted has trained on."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with Store() as store:
            found = store.run(run)
        if found.state is State.RUNNING and found.updates > after:
            return
        time.sleep(0.05)
    raise TimeoutError(f"run {run} has {found.state.value} at update {found.updates}")
