"""Nothing but a download that was asked for opens a connection: an audit hook sees every one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import Fault

WATCHED = """
import os, sys
NETWORK = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}
def watch(event, arguments):
    if event in NETWORK and not (arguments and isinstance(arguments[-1], (str, bytes))):
        os.write(2, f"NETWORK {event} {arguments}\\n".encode())
        os._exit(77)
sys.addaudithook(watch)
"""
RUN = WATCHED + "from bntui.__main__ import main\nsys.argv[0] = 'bntui'\nmain()\n"
CONNECT = WATCHED + "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)\n"


def watched(code: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ
        | {"BNTUI_STORE": str(folder / "runs.sqlite"), "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_the_watch_sees_a_connection(tmp_path: Path) -> None:
    assert watched(CONNECT, tmp_path).returncode == 77


@pytest.mark.fault("no network", injected="the process ends at its first attempt to connect")
def test_a_run_and_what_is_kept_of_it_need_no_network(tmp_path: Path, fault: Fault) -> None:
    run = ("run", "--width", "0.25", "--steps", "2", "--train-size", "64", "--batch-size", "32")
    for arguments in (run, ("runs",), ("show", "last"), ("scenarios",)):
        done = watched(RUN, tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert "NETWORK" not in done.stderr
    fault.saw, fault.lost = "what is there with a network", "nothing"
