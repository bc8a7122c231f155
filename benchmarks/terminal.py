"""What bntui asks of a terminal while it trains at full speed: `python -m benchmarks.terminal`.

In a pseudo-terminal of each size, with SSH_CONNECTION set as over SSH: bytes a second, the share of
a CPU that the screen's thread takes, and how long a key takes to show its effect, from the press to
the arrival of the bytes that show it. Where wandb is installed, `wandb leet` follows a live run
beside it.
"""

import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import runs
from benchmarks.common import SIZE, Effort, Row, Table, alternate, calling, main, surroundings
from benchmarks.driver import Terminal
from bntui.core.run_request import RunRequest
from bntui.train.runner import Runner

SIZES = ((80, 24), SIZE, (200, 60))
SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
COMMAND = [sys.executable, "-m", "bntui", "--epochs", "100000"]
TRAINS = re.compile(r"▶ running (· update )?[1-9]")
PAUSE = (0.05, 0.2)
"""Seconds between two keys, drawn at random: keys keep no step with the screen's."""
LOGGED = ("train_loss", "train_acc", "val_acc", "fresh_acc")

COLUMNS = {
    "terminal": "",
    "bytes/s": ",.0f",
    "of a CPU": ".1%",
    "key p50, ms": ".0f",
    "p95": ".0f",
    "max": ".0f",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much to measure."""

    before: float
    """Seconds to let it train before anything counts."""
    seconds: float
    keys: int


FULL = Counts(before=10.0, seconds=30.0, keys=200)
QUICK = Counts(before=0.5, seconds=2.0, keys=10)


def bntui(size: tuple[int, int], environment: dict[str, str], counts: Counts) -> list[float]:
    """Return what the columns after the first hold, for bntui in one terminal."""
    with (
        TemporaryDirectory() as folder,
        Terminal(COMMAND, surroundings(folder) | environment, size) as terminal,
    ):
        terminal.until(lambda text: TRAINS.search(text) is not None)
        # The key draws both charts anew; the word is in their titles.
        return measure(terminal, counts, main_thread, key="s", word="smoothed")


def leet(size: tuple[int, int], environment: dict[str, str], counts: Counts) -> list[float]:
    """Return the same for `wandb leet`, which follows a run of the engine in another process."""
    with TemporaryDirectory() as folder:
        around = surroundings(folder) | environment | {"WANDB_ERROR_REPORTING": "false"}
        logging = calling(log_to_wandb, folder, result=Path(folder) / "none")
        run = Path(folder) / "wandb" / "latest-run"
        command = [sys.executable, "-m", "wandb", "leet", "run", str(run)]
        with Terminal(logging, around, size) as logger:
            while not list(run.glob("*.wandb")):
                logger.alive()
                time.sleep(0.1)
            with Terminal(command, around, size) as terminal:
                terminal.until(lambda text: "train_loss" in text)
                # Its help covers the charts, which are drawn anew without it.
                return measure(terminal, counts, all_processes, key="h", word="this help")


def log_to_wandb(folder: str) -> None:
    """Train without end, and log what the explorer's charts show."""
    import wandb

    runner = Runner(RunRequest(runs.endless(256, width=0.25)))
    runner.start()
    run = wandb.init(mode="offline", dir=folder)
    shown = -1
    while True:
        snapshot = runner.snapshot
        if snapshot.update > shown and snapshot.series:
            shown = snapshot.update
            values = {name: snapshot.series[name] for name in LOGGED if name in snapshot.series}
            run.log({name: view.latest for name, view in values.items()}, step=shown)
        time.sleep(runs.POLL_SECONDS)


def measure(
    terminal: Terminal, counts: Counts, cpu: Callable[[int], float], *, key: str, word: str
) -> list[float]:
    """Measure a program that shows its run; `key` makes `word` come or go."""
    time.sleep(counts.before)
    sent, used, begun = terminal.sent, cpu(terminal.pid), time.perf_counter()
    time.sleep(counts.seconds)
    passed = time.perf_counter() - begun
    steady = [(terminal.sent - sent) / passed, (cpu(terminal.pid) - used) / passed]
    chance = random.Random(0)
    found = []
    for _ in range(counts.keys):
        time.sleep(chance.uniform(*PAUSE))
        terminal.catch_up()
        shown = word not in terminal.text
        pressed = terminal.press(key)
        arrived = terminal.until(lambda text: (word in text) is shown)  # noqa: B023
        found.append(1000 * (arrived - pressed))
    last = sorted(found)
    return [*steady, statistics.median(found), last[int(0.95 * len(last))], last[-1]]


def main_thread(pid: int) -> float:
    """Return the CPU seconds of a process's first thread; on macOS, where none is told, NaN."""
    threads = psutil.Process(pid).threads()
    return next((one.user_time + one.system_time for one in threads if one.id == pid), float("nan"))


def all_processes(pid: int) -> float:
    """Return the CPU seconds of a process and of those it started."""
    first = psutil.Process(pid)
    times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def tables(effort: Effort) -> Iterator[Table]:
    """Measure in every terminal."""
    counts = QUICK if effort.quick else FULL
    screens: dict[str, Callable[[], list[float]]] = {
        f"bntui {columns}×{rows}, over SSH": partial(bntui, (columns, rows), SSH, counts)
        for columns, rows in ([SIZE] if effort.quick else SIZES)
    }
    if not effort.quick:
        screens[f"bntui {SIZE[0]}×{SIZE[1]}, here"] = partial(bntui, SIZE, {}, counts)
    if there := find_spec("wandb") is not None:
        screens[f"wandb leet {SIZE[0]}×{SIZE[1]}"] = partial(leet, SIZE, SSH, counts)
    rows: list[Row] = [
        (name, *map(statistics.median, columns), max(longest))
        for name, found in alternate(screens, effort.rounds).items()
        for *columns, longest in [zip(*found, strict=True)]
    ]
    yield Table(
        "Terminal: while training at full speed",
        COLUMNS,
        rows,
        f"Over {counts.seconds:.0f} s, then {counts.keys} keys: bntui's draw both charts anew. Its CPU "
        "share is that of the thread that draws, since the others train; wandb leet"
        + ("'s is all of it, and its keys show and hide its help." if there else " is not here."),
    )


if __name__ == "__main__":
    main(tables)
