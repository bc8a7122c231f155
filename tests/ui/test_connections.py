"""The explorer opens no connection: an audit hook ends it at the first."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.benchmarks.driver import Terminal
from tests.faults import Fault
from tests.test_network import RUN


@pytest.mark.fault("no network under the app", injected="the process ends at its first connection")
def test_the_explorer_needs_no_network(tmp_path: Path, fault: Fault) -> None:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TERM": "xterm-256color",
        "BNTUI_STORE": str(tmp_path / "runs.sqlite"),
    }
    command = [sys.executable, "-c", RUN, "--width", "0.0625", "--batch-size", "32"]
    with Terminal(command, environment, (120, 40)) as terminal:
        terminal.until(lambda screen: bool(re.search(r"update [1-9]", screen)))
        terminal.press("o")
        terminal.until(lambda screen: "val_acc" in screen)
        terminal.press("\x1b")
        terminal.until(lambda screen: bool(re.search(r"update [1-9]", screen)))
        terminal.press("q")
        assert terminal.wait() == 0, terminal.last
    fault.saw, fault.lost = "what is there with a network", "nothing"
