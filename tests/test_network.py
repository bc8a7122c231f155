"""Nothing but a download that was asked for opens a connection: an audit hook sees every one."""

import pytest

from tests.children import python
from tools.faults import Fault

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


def test_the_watch_sees_a_connection() -> None:
    assert python(CONNECT).returncode == 77


@pytest.mark.fault("no network", injected="the process ends at its first attempt to connect")
def test_a_run_and_what_is_kept_of_it_need_no_network(fault: Fault) -> None:
    run = ("run", "--width", "0.25", "--steps", "2", "--train-size", "64", "--batch-size", "32")
    for arguments in (run, ("runs",), ("show", "last"), ("experiments",)):
        done = python(RUN, *arguments)
        assert done.returncode == 0, done.stderr
        assert "NETWORK" not in done.stderr
    fault.saw, fault.lost = "what is there with a network", "nothing"
