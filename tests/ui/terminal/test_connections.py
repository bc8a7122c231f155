"""The explorer opens no connection: an audit hook ends it at the first."""

import re
import sys

import pytest

from benchmarks.driver import Terminal
from tests.children import environment
from tests.test_network import RUN
from tools.faults import Fault


@pytest.mark.fault("no network under the app", injected="the process ends at its first connection")
def test_the_explorer_needs_no_network(fault: Fault) -> None:
    command = [sys.executable, "-c", RUN, "--width", "0.0625", "--batch-size", "32"]
    with Terminal(command, environment(TERM="xterm-256color"), (120, 40)) as terminal:
        terminal.until(lambda screen: bool(re.search(r"update [1-9]", screen)))
        terminal.press("o")
        terminal.until(lambda screen: "val_acc" in screen)
        terminal.press("\x1b")
        terminal.until(lambda screen: "knobs" in screen)
        terminal.press("q")
        assert terminal.wait() == 0, terminal.last
    fault.saw, fault.lost = "what is there with a network", "nothing"
