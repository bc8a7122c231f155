"""The program in a terminal of its own, as a process that gets signals."""

import os
import sys
from pathlib import Path

from benchmarks import common
from benchmarks.driver import Terminal

BNTUI = [sys.executable, "-m", "bntui"]
TINY = ["--width", "0.0625", "--device", "cpu", "--epochs", "100000"]
EXPLORER = [*BNTUI, *TINY]
SIZE = (120, 40)
SHELL_AGAIN = b"\x1b[?25h"
"""Shows the cursor: among the last things that are written to a terminal that is given back."""


def trains(screen: str) -> bool:
    return "▶ running · update " in screen


def surroundings(**more: str) -> dict[str, str]:
    here = common.surroundings(Path(os.environ["BNTUI_STORE"]).parent)
    return here | {"LC_ALL": "C.UTF-8"} | more


def explorer(*options: str, size: tuple[int, int] = SIZE, **more: str) -> Terminal:
    return Terminal([*EXPLORER, *options], surroundings(**more), size)
