"""Signals, and terminals that go away, for the whole program in a pseudo-terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from benchmarks.driver import Terminal
from bntui.machine.places import store_path
from bntui.store.database import Store
from bntui.store.writing import State
from tests.children import only_run
from tests.machine.explorers import (
    BNTUI,
    EXPLORER,
    SHELL_AGAIN,
    SIZE,
    TINY,
    explorer,
    surroundings,
    trains,
)
from tools.faults import Fault

STATES = {
    signal.SIGHUP: State.INTERRUPTED,
    signal.SIGTERM: State.INTERRUPTED,
    signal.SIGINT: State.STOPPED,
}
UNUSUAL = [
    *(signal.SIGQUIT, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM),
    *(signal.SIGVTALRM, signal.SIGPROF, signal.SIGABRT),
]
"""Signals that end a program that does not take them, and that nobody sends often."""
SLOW = """
import sys, time
import torch
import bntui.train.trainer as trainer

updates = 0
real = trainer.cross_entropy

def cross_entropy(*args):
    global updates
    updates += 1
    if updates > 2:
        print("endless", file=sys.stderr, flush=True)
        while True:
            torch.randn(200, 200) @ torch.randn(200, 200)
    time.sleep(1.1)
    return real(*args)

trainer.cross_entropy = cross_entropy
from bntui.__main__ import main
main()
"""
"""Two updates of more than a second, and a third that never ends."""
pytestmark = pytest.mark.system


@pytest.mark.fault("signal to the explorer", injected="SIGHUP, SIGTERM and SIGINT while training")
def test_a_signal_ends_the_explorer_well(fault: Fault) -> None:
    ended = []
    for number, state in STATES.items():
        with explorer() as terminal:
            before = terminal.settings
            terminal.until(trains)
            terminal.send(number)
            code = terminal.wait()
            assert code == 128 + number
            assert SHELL_AGAIN in terminal.last
            assert b"Traceback" not in terminal.last
            assert terminal.settings == before
        with Store() as store:
            run = store.runs()[0]
            assert run.state is state
            assert run.checkpoint == run.updates > 0
        ended.append(f"{code}")
    fault.saw = f"the shell again, exit status {', '.join(ended)}"
    fault.lost = "nothing"


@pytest.mark.fault(
    "a signal that hardly anybody sends",
    injected=f"{', '.join(one.name for one in UNUSUAL)} to the explorer",
)
def test_any_other_signal_ends_the_explorer_as_a_kill_does(fault: Fault) -> None:
    for number in UNUSUAL:
        with explorer("--train-size", "400") as terminal:
            before = terminal.settings
            terminal.until(trains)
            terminal.send(number)
            assert terminal.wait() == 128 + number
            assert SHELL_AGAIN in terminal.last
            assert terminal.settings == before
        with Store() as store:
            assert store.runs()[0].state is State.INTERRUPTED
    fault.saw, fault.lost = "the shell again, exit status 128 and the signal's number", "nothing"


@pytest.mark.fault("signal to `bntui run`", injected="SIGHUP, SIGTERM and SIGINT while training")
def test_a_signal_ends_a_run_well(fault: Fault) -> None:
    ended = []
    for number, state in STATES.items():
        command = [*BNTUI, "run", *TINY, "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            program.stdout.readline()
            program.send_signal(number)
            out, complaints = program.communicate(timeout=60)
        assert program.returncode == 128 + number
        assert complaints == ""
        last = json.loads(out.splitlines()[-1])
        assert (last["event"], last["phase"]) == ("end", state.value)
        with Store() as store:
            run = store.runs()[0]
            assert run.state is state
            assert run.updates == run.checkpoint == last["updates"]
        ended.append(f"{program.returncode}")
    fault.saw = f"the last line of the output, exit status {', '.join(ended)}"
    fault.lost = "nothing"


@pytest.mark.skipif(not Path("/proc/self/wchan").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("words", [("--json",), ()], ids=["json", "text"])
@pytest.mark.fault(
    "standard output is not read",
    injected="`bntui run` into a pipe that is full, then SIGHUP, SIGTERM and SIGINT",
)
def test_a_signal_ends_a_run_whose_output_is_not_read(words: tuple[str, ...], fault: Fault) -> None:
    ended = []
    for number, state in STATES.items():
        with blocked("run", *TINY, *words) as program:
            while only_run().updates == 0:
                time.sleep(0.05)
            program.send_signal(number)
            assert program.wait(timeout=60) == 128 + number
        run = only_run()
        assert run.state is state
        assert run.checkpoint == run.updates > 0
        store_path().unlink()
        ended.append(f"{program.returncode}")
    fault.saw = f"exit status {', '.join(ended)}"
    fault.lost = "nothing"


@pytest.mark.skipif(not Path("/proc/self/wchan").exists(), reason="needs Linux's /proc")
def test_ctrl_c_ends_any_command_whose_output_is_not_read() -> None:
    with blocked("experiments") as program:
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=60) == -signal.SIGINT


@contextmanager
def blocked(*words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command until it waits for somebody to read what it writes: nobody does."""
    unread, full = os.pipe()
    os.set_blocking(full, False)
    with suppress(BlockingIOError):
        while True:
            os.write(full, bytes(4096))
    os.set_blocking(full, True)
    # Shells have what they start in the background ignore ctrl+c.
    default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    program = subprocess.Popen([*BNTUI, *words], stdout=full, preexec_fn=default)
    try:
        while "pipe" not in Path(f"/proc/{program.pid}/wchan").read_text():
            assert program.poll() is None
            time.sleep(0.05)
        yield program
    finally:
        program.kill()
        program.wait()
        os.close(unread)
        os.close(full)


@pytest.mark.fault(
    "signal during an update of many seconds",
    injected="SIGTERM while torch is in an update made endless (cross_entropy replaced)",
)
def test_an_update_that_lasts_is_not_waited_for(fault: Fault) -> None:
    command = [sys.executable, "-c", SLOW, "run", *TINY, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stderr is not None
        assert program.stderr.readline() == "endless\n"
        program.send_signal(signal.SIGTERM)
        out, complaints = program.communicate(timeout=60)
    assert program.returncode == 128 + signal.SIGTERM
    assert complaints == ""
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["phase"], last["updates"]) == ("end", "interrupted", 2)
    run = only_run()
    assert (run.state, run.updates, run.checkpoint) == (State.INTERRUPTED, 2, 2)
    fault.saw = f"exit status {program.returncode} before the update ended"
    fault.lost = "the update under way"


@pytest.mark.fault(
    "link drops during an update of many seconds",
    injected="the terminal hung up while torch is in an update made endless",
)
def test_the_explorer_does_not_wait_for_an_update_that_lasts(fault: Fault) -> None:
    command = [sys.executable, "-c", SLOW, *TINY]
    with Terminal(command, surroundings(), SIZE) as terminal:
        terminal.until(lambda screen: "update 2 " in screen)
        terminal.hang_up()
        assert terminal.wait() == 128 + signal.SIGHUP
    run = only_run()
    assert (run.state, run.updates, run.checkpoint) == (State.INTERRUPTED, 2, 2)
    with explorer() as terminal:
        terminal.until(lambda screen: "was interrupted after update 2" in screen)
        terminal.press("i")
        terminal.until(lambda screen: trains(screen) and "going on" not in screen)
        with Store() as store:
            assert store.run(run.id).state is State.RUNNING
        terminal.press("q")
        assert terminal.wait() == 0
    fault.saw = "at the next start: run … was interrupted after update 2: i goes on with it"
    fault.lost = "the update under way"


@pytest.mark.fault(
    "terminal gone, and SIGHUP ignored", injected="the terminal hung up under `trap '' HUP`"
)
def test_a_terminal_that_is_gone_ends_the_explorer_without_a_signal(fault: Fault) -> None:
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *EXPLORER]
    with Terminal(command, surroundings(), SIZE) as terminal:
        terminal.until(trains)
        terminal.hang_up()
        code = terminal.wait()
    assert code == 128 + signal.SIGHUP
    run = only_run()
    assert run.state is State.INTERRUPTED
    assert run.checkpoint == run.updates
    fault.saw, fault.lost = f"exit status {code}, no process left", "nothing"


@pytest.mark.fault(
    "terminal gone under a run that is to go on",
    injected="the terminal of `bntui run` hung up under `trap '' HUP`",
)
def test_a_run_that_ignores_the_hang_up_trains_on(fault: Fault, tmp_path: Path) -> None:
    complaints = tmp_path / "complaints"
    command = ["sh", "-c", f'trap "" HUP; exec "$@" 2>{complaints}', "sh", *BNTUI, "run", *TINY]
    with Terminal(command, surroundings(), SIZE) as terminal:
        terminal.until(lambda screen: "updates  loss" in screen)
        terminal.hang_up()
        updates = only_run().updates
        while only_run().updates < updates + 50:
            terminal.alive()
            time.sleep(0.05)
        terminal.send(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
    assert "Traceback" not in complaints.read_text()
    assert only_run().state is State.INTERRUPTED
    fault.saw, fault.lost = "the run went on", "nothing"
