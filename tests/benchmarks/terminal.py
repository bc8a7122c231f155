"""What bntui asks of a terminal while it trains at full speed: `python -m tests.benchmarks.terminal`.

In a pseudo-terminal of each size, with SSH_CONNECTION set as over SSH: bytes a second, the share of
a CPU that the screen's thread takes, and how long a key takes to show its effect, from the press to
the arrival of the bytes that show it. Where wandb is installed, `wandb leet` follows a live run
beside it.
"""

import random
import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.benchmarks.common import SIZE, Effort, Row, Table, alternate, main, say, surroundings
from tests.benchmarks.driver import Terminal

SIZES = ((80, 24), SIZE, (200, 60))
SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
COMMAND = [sys.executable, "-m", "bntui", "--epochs", "100000"]
TRAINS = re.compile(r"▶ running (· update )?[1-9]")
SECONDS, QUICK_SECONDS = (10.0, 30.0), (0.5, 2.0)
"""How long to let it train before, and how long to count."""
KEYS, QUICK_KEYS = 200, 10
PAUSE = (0.05, 0.2)
"""Seconds between two keys, drawn at random: keys keep no step with the screen's."""
SWITCH, SWITCHED = "s", "smoothed"
"""A key that draws both charts anew, and the word in their titles that comes and goes with it."""

COLUMNS = {
    "terminal": "",
    "bytes/s": ",.0f",
    "of a CPU": ".1%",
    "key p50, ms": ".0f",
    "p95": ".0f",
    "max": ".0f",
}


def measure(
    size: tuple[int, int], environment: dict[str, str], seconds: tuple[float, float], keys: int
) -> list[float]:
    """Return what the columns after the first hold, for bntui in one terminal."""
    with (
        TemporaryDirectory() as folder,
        Terminal(COMMAND, surroundings(folder) | environment, size) as terminal,
    ):
        terminal.until(lambda text: TRAINS.search(text) is not None)
        steady = count(terminal, seconds, main_thread)
        return [*steady, *latencies(terminal, keys)]


def count(
    terminal: Terminal, seconds: tuple[float, float], cpu: Callable[[int], float]
) -> tuple[float, float]:
    """Return bytes a second, and CPU seconds a second, of a program left alone."""
    before, length = seconds
    time.sleep(before)
    sent, used, begun = terminal.sent, cpu(terminal.pid), time.perf_counter()
    time.sleep(length)
    passed = time.perf_counter() - begun
    return (terminal.sent - sent) / passed, (cpu(terminal.pid) - used) / passed


def main_thread(pid: int) -> float:
    """Return the CPU seconds of a process's first thread; on macOS, where none is told, NaN."""
    threads = psutil.Process(pid).threads()
    return next((one.user_time + one.system_time for one in threads if one.id == pid), float("nan"))


def latencies(terminal: Terminal, keys: int) -> tuple[float, float, float]:
    """Return the median, the 95th percentile and the maximum of so many keys, in ms."""
    chance = random.Random(0)
    found = []
    for _ in range(keys):
        time.sleep(chance.uniform(*PAUSE))
        terminal.catch_up()
        before = SWITCHED in terminal.text
        pressed = terminal.press(SWITCH)
        shown = terminal.until(lambda text: (SWITCHED in text) != before)  # noqa: B023
        found.append(1000 * (shown - pressed))
    return statistics.median(found), sorted(found)[int(0.95 * keys)], max(found)


def tables(effort: Effort) -> Iterator[Table]:
    """Measure in every terminal."""
    seconds = QUICK_SECONDS if effort.quick else SECONDS
    keys = QUICK_KEYS if effort.quick else KEYS
    terminals = {_name(size, "SSH"): (size, SSH) for size in SIZES}
    terminals[_name(SIZE, "local")] = (SIZE, {})
    if effort.quick:
        terminals = dict([terminals.popitem()])
    found = alternate(
        {name: (lambda at=at: measure(*at, seconds, keys)) for name, at in terminals.items()},
        effort.rounds,
    )
    rows: list[Row] = [(name, *_medians(figures)) for name, figures in found.items()]
    yield Table(
        "Terminal: while training at full speed",
        COLUMNS,
        rows,
        f"Over {seconds[1]:.0f} s; {keys} keys that draw both charts anew. The CPU share is that of "
        "the screen's thread.",
    )


def _medians(figures: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(column) for column in zip(*figures, strict=True)]


def _name(size: tuple[int, int], how: str) -> str:
    return f"bntui {size[0]}×{size[1]}, {how}"


if __name__ == "__main__":
    main(tables)
