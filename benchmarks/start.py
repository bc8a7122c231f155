"""How soon bntui is there: `python -m benchmarks.start`.

From the start of the process to the version on standard output, to the explorer's first picture
(the knobs can be read) and to its first update, beside `python -c pass`. Each is a new process. The
first start finds the files of Python and its packages on the disk only, as after a boot, as far as
that can be had without being root: where other programs use them they stay in memory. And what the
imports take, by package.

With `--against FOLDER` the same moments of another checkout of bntui are measured in turn with this
one's, by the same Python and with the same packages: that table alone is printed.
"""

import os
import re
import statistics
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import bntui
from benchmarks.common import (
    SIZE,
    Effort,
    Row,
    Table,
    alternate,
    main,
    median_ratio,
    say,
    surroundings,
)
from benchmarks.driver import Terminal
from benchmarks.terminal import TRAINS

BASE = "python -c pass"
BNTUI = [sys.executable, "-P", "-m", "bntui"]
"""The bntui that PYTHONPATH names: without -P, the one in the current folder would come before it."""
HERE = Path(bntui.__file__).parent.parent
IMPORTS = {
    "bntui --version": ["-m", "bntui", "--version"],
    "first picture": [
        "-c",
        "import bntui.cli.main, bntui.store.archive, bntui.train.runner, bntui.ui.app",
    ],
    "first update": ["-c", "import bntui.train.session"],
}
"""What Python is told to import what each of these needs."""
PACKAGES_SHOWN = 5
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +([\w.]+)")


def command(checkout: Path, *arguments: str) -> float:
    """Return the milliseconds from the start of a command to its end."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    begun = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=environment)
    return 1000 * (time.perf_counter() - begun)


def screen(checkout: Path, shows: str) -> float:
    """Return the milliseconds from the start of the explorer to a screen that shows something."""
    with TemporaryDirectory() as folder:
        environment = surroundings(folder) | {"PYTHONPATH": str(checkout)}
        with Terminal(BNTUI, environment, SIZE) as terminal:
            shown = terminal.until(lambda text: re.search(shows, text) is not None)
            return 1000 * (shown - terminal.started)


def moments_of(checkout: Path) -> dict[str, Callable[[], float]]:
    """Return what measures each moment of the bntui in a folder."""
    return {
        BASE: partial(command, checkout, sys.executable, "-c", "pass"),
        "bntui --version": partial(command, checkout, *BNTUI, "--version"),
        "first picture": partial(screen, checkout, r"batch size\W+\d"),
        "first update": partial(screen, checkout, TRAINS.pattern),
    }


MOMENTS = moments_of(HERE)


def forget_files() -> None:
    """Have the system drop Python's and its packages' files from memory."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    for root in {*libraries, str(Path(bntui.__file__).parent)}:
        for folder, _, names in os.walk(root):
            for name in names:
                with suppress(OSError), open(Path(folder, name), "rb") as file:  # noqa: PTH123
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def after_boot(moment: Callable[[], float]) -> float:
    """Return what `moment` measures when the files are not in memory."""
    forget_files()
    return moment()


def imports(arguments: list[str]) -> dict[str, float]:
    """Return the milliseconds that the imports of each package take, its own part of them."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], check=True, capture_output=True, text=True
    )
    found: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(told.stderr):
        found[module.partition(".")[0]] += int(microseconds)
    return {package: us / 1000 for package, us in found.items()}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure the moments, then the imports; with another checkout only its moments and these."""
    if effort.against:
        yield in_pairs(Path(effort.against), effort.rounds)
        return
    moments = {f"{name}, again": moment for name, moment in MOMENTS.items()}
    if hasattr(os, "posix_fadvise") and not effort.quick:
        moments |= {f"{name}, first": partial(after_boot, each) for name, each in MOMENTS.items()}
    for moment in MOMENTS.values():
        moment()  # once for nothing: Python compiles what it finds changed
    found = alternate(moments, effort.rounds)
    rows: list[Row] = []
    for name in MOMENTS:
        times = [found.get(f"{name}, {start}") for start in ("first", "again")]
        first, again = (statistics.median(each) if each else None for each in times)
        ratio = median_ratio(found[f"{name}, again"], found[f"{BASE}, again"])
        rows.append((name, first, again, ratio))
    yield Table(
        "Start",
        {"until": "", "first start, ms": ",.0f", "second, ms": ",.0f", f"of {BASE}": ".1f"},
        rows,
        "The first start reads its files from the disk, as far as the system lets go of them.",
    )
    yield _imports(effort)


def in_pairs(checkout: Path, rounds: int) -> Table:
    """Measure the moments of another bntui and of this one in turn."""
    checkouts = {"that": moments_of(checkout), "this": MOMENTS}
    moments = {
        f"{name}, {whose}": each[name] for name in MOMENTS for whose, each in checkouts.items()
    }
    for moment in moments.values():
        moment()  # once for nothing: Python compiles what it finds changed
    found = alternate(moments, rounds, turning=True)
    rows: list[Row] = []
    for name in MOMENTS:
        that, this = found[f"{name}, that"], found[f"{name}, this"]
        medians = statistics.median(that), statistics.median(this)
        rows.append((name, *medians, median_ratio(this, that)))
    return Table(
        f"Start, beside the bntui in {checkout}",
        {"until": "", "that one, ms": ",.0f", "this one, ms": ",.0f", "this of that": ".2f"},
        rows,
        f"Medians of {rounds}, run in turn; the files were in memory.",
    )


def _imports(effort: Effort) -> Table:
    rows: list[Row] = []
    for name, arguments in IMPORTS.items():
        say(f"imports of {name}")
        found = [imports(arguments) for _ in range(effort.rounds)]
        packages = {
            package: statistics.median(one.get(package, 0.0) for one in found)
            for package in found[0]
        }
        total = sum(packages.values())
        largest = sorted(packages.items(), key=lambda item: item[1], reverse=True)[:PACKAGES_SHOWN]
        rows += [(name, package, ms, ms / total) for package, ms in largest]
        rows.append((name, "all", total, 1.0))
    return Table(
        "Imports: the five packages that take longest",
        {"until": "", "package": "", "ms": ",.1f", "share": ".0%"},
        rows,
        "By -X importtime, which itself slows imports; a package's time is without what it imports.",
    )


if __name__ == "__main__":
    main(tables)
