"""The explorer for an hour at full speed: what grows? `python -m tests.fuzz.soak --minutes 60`.

A tiny network on a pseudo-terminal. Memory after a sixth of the time and at the end may differ by
5 %, file descriptors and threads by none, and a screen update may not come to cost more. It is
watched from outside: a screen update is a frame of synchronised output, and what it costs is the CPU
time of the thread that draws.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import psutil

from benchmarks.common import MEGABYTE, SIZE, surroundings
from benchmarks.driver import Terminal

OPTIONS = ("--width", "0.03125", "--batch-size", "8", "--epochs", "100000")
"""Of the run: some milliseconds an update, and no end before 50 million of them."""
SAMPLES = 120
"""Looks at the process, evenly over the time."""
MEMORY, COST = 1.05, 1.10
"""How much more there may be at the end. A tick of the CPU clock is 10 ms, so that the cost of a
screen update is known to some per cent only."""
FRAME = b"\x1b[?2026h"
UPDATE = re.compile(r"update (\d+)")


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment."""

    seconds: float
    updates: int
    memory: float
    """MB resident."""
    files: int
    threads: int
    frames: int
    """Screen updates so far."""
    drawing: float
    """CPU seconds so far of the thread that draws."""


def soak(minutes: float) -> list[Sample]:
    """Run the explorer for so long, and return what it was like on the way."""
    command = [sys.executable, "-m", "bntui", *OPTIONS]
    with TemporaryDirectory() as folder, Terminal(command, surroundings(folder), SIZE) as terminal:
        terminal.until(lambda text: "update" in text and "epoch" in text)
        process = psutil.Process(terminal.pid)
        samples: list[Sample] = []
        frames, begun = 0, time.monotonic()
        for number in range(1, SAMPLES + 1):
            end = begun + 60 * minutes * number / SAMPLES
            while time.monotonic() < end:
                time.sleep(min(0.5, max(0.0, end - time.monotonic())))
                frames += terminal.catch_up().count(FRAME)
            terminal.alive()
            found = UPDATE.search(terminal.text)
            drawing = next(one for one in process.threads() if one.id == terminal.pid)
            samples.append(
                Sample(
                    time.monotonic() - begun,
                    int(found[1]) if found else 0,
                    process.memory_info().rss / MEGABYTE,
                    process.num_fds(),
                    process.num_threads(),
                    frames,
                    drawing.user_time + drawing.system_time,
                )
            )
            last = samples[-1]
            print(f"{last.seconds:6.0f} s  update {last.updates:,}  {last.memory:.1f} MB", end="\r")
        terminal.press("q")
        if code := terminal.wait():
            raise RuntimeError(f"the explorer ended with {code}")
        return samples


def judge(samples: Sequence[Sample]) -> list[tuple[str, float, float, bool]]:
    """Return of each promise its name, the value after a sixth of the time, at the end, and whether it holds."""
    tenth = max(2, len(samples) // 10)
    sixth = len(samples) // 6
    early, late = samples[sixth : sixth + tenth], samples[-tenth:]
    found = []
    for name in ("memory", "files", "threads"):
        before, after = (
            statistics.median(getattr(one, name) for one in part) for part in (early, late)
        )
        holds = after <= MEMORY * before if name == "memory" else after == before
        found.append((name, before, after, holds))
    before, after = cost(early), cost(late)
    found.append(("drawing, ms a screen update", before, after, after <= COST * before))
    return found


def cost(part: Sequence[Sample]) -> float:
    """Return the CPU milliseconds of a screen update."""
    first, last = part[0], part[-1]
    return 1000 * (last.drawing - first.drawing) / max(1, last.frames - first.frames)


def main() -> int:
    """Print what was measured; return 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to run [60]")
    samples = soak(parser.parse_args().minutes)
    last = samples[-1]
    print(f"\n{last.updates:,} updates and {last.frames:,} screen updates in {last.seconds:,.0f} s")
    results = judge(samples)
    for name, before, after, holds in results:
        print(f"{name:28}{before:10.2f} →{after:10.2f}  {'holds' if holds else 'FAILS'}")
    return 0 if all(holds for *_, holds in results) else 1


if __name__ == "__main__":
    sys.exit(main())
