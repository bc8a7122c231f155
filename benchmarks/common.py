"""What the benchmarks share: programs in processes of their own, tables, and what machine this is.

As a program it is one of those processes: `python -m benchmarks.common MODULE FUNCTION
ARGUMENTS RESULT` calls a function with arguments from JSON and writes what it returns to a file.
"""

import argparse
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psutil
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.driver import Terminal

SIZE = (120, 40)
"""Columns and rows of a terminal, unless the benchmark is about them."""
LONGEST = 3600.0
"""Seconds after which a program has failed; how long one takes depends on the machine."""
ROUNDS = 4
MEGABYTE = 1e6
PACKAGES = ("torch", "textual", "keras", "tensorflow")

T = TypeVar("T")
Cell = str | float | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure."""

    quick: bool = False
    """Sizes and numbers that only show that the benchmark works."""
    rounds: int = ROUNDS
    """How often each program runs: alternately, and the median counts."""
    against: str = ""
    """The folder of another checkout of bntui to compare with; only the start is compared."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a benchmark found."""

    title: str
    columns: Mapping[str, str]
    """Of each column its name, and how its numbers are written: a format specification."""
    rows: Sequence[Row]
    """None and NaN stand for what could not be measured."""
    note: str = ""

    def text(self) -> list[list[str]]:
        """Return the rows as they are shown."""
        return [
            [_written(cell, spec) for cell, spec in zip(row, self.columns.values(), strict=True)]
            for row in self.rows
        ]


Benchmark = Callable[[Effort], Iterator[Table]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function in a process of its own has returned, and cost."""

    value: Any
    peak: float
    """The most memory that the process had, in MB."""


def in_process(function: Callable[..., Any], *arguments: Any, **environment: str) -> Outcome:
    """Call a module's function in a fresh process, on a pseudo-terminal; arguments go as JSON.

    Raises RuntimeError with the end of what it wrote if it fails.
    """
    with TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = calling(function, *arguments, result=result)
        with Terminal(command, surroundings(folder) | environment, SIZE) as terminal:
            code, usage = terminal.wait(LONGEST), terminal.usage
        if code or usage is None:
            said = terminal.last.decode(errors="replace")
            raise RuntimeError(f"{function.__name__}{arguments} ended with {code}:\n{said}")
        return Outcome(json.loads(result.read_text()), _maxrss(usage.ru_maxrss))


def calling(function: Callable[..., Any], *arguments: Any, result: Path) -> list[str]:
    """Return the command that calls a module's function, and writes to `result` what it returns."""
    module = function.__module__
    if module == "__main__":
        module = sys.modules[module].__spec__.name  # type: ignore[union-attr]
    call = [module, function.__name__, json.dumps(arguments), str(result)]
    return [sys.executable, "-m", "benchmarks.common", *call]


def surroundings(folder: str | Path) -> dict[str, str]:
    """Return the environment of a program on a good terminal here, its runs kept in `folder`."""
    ours = {"COLUMNS", "LINES", "NO_COLOR", "SSH_CONNECTION"}
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "BNTUI_STORE": str(Path(folder) / "runs.sqlite"),
        "BNTUI_CONFIG": os.devnull,
    }


def alternate(
    programs: Mapping[str, Callable[[], T]], rounds: int, *, turning: bool = False
) -> dict[str, list[T]]:
    """Run all programs one after the other, and again; return what each returned every time.

    If `turning`, every second round goes backwards: over an even number, drift favours none.
    """
    results: dict[str, list[T]] = {name: [] for name in programs}
    for number in range(1, rounds + 1):
        backwards = turning and number % 2 == 0
        for name, program in list(programs.items())[:: -1 if backwards else 1]:
            say(f"round {number} of {rounds}: {name}")
            results[name].append(program())
    return results


def median_ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the ratios round by round: what drifts from round to round cancels."""
    return statistics.median(value / of for value, of in zip(values, base, strict=True))


def say(what: str) -> None:
    """Say on standard error what is being measured."""
    if sys.stderr.isatty():
        print(f"\x1b[2K\r{what}", end="", file=sys.stderr, flush=True)


def main(*benchmarks: Benchmark) -> None:
    """Print the tables of `benchmarks`, and write them where the command line says."""
    parser = argparse.ArgumentParser(description="Benchmarks of bntui on this machine.")
    parser.add_argument("--quick", action="store_true", help="only show that they work")
    parser.add_argument(
        "--rounds", type=int, help=f"how often each program runs [{ROUNDS}; quick: 1]"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FOLDER",
        help="another checkout of bntui, whose start is measured in turn with this one's",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    options = parser.parse_args()
    if options.against and not (options.against / "bntui" / "__main__.py").is_file():
        parser.error(
            f"--against {options.against} is no checkout of bntui: it has no bntui/__main__.py."
        )
    effort = Effort(
        options.quick,
        options.rounds or (1 if options.quick else ROUNDS),
        str(options.against.resolve()) if options.against else "",
    )
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    # With it, every start would compile all of bntui anew, as only the first one does elsewhere.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if effort.quick:  # on a shared machine two threads mostly wait for one another
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    facts = machine()
    found: list[Table] = []
    console.print(sentence(facts, effort))
    for benchmark in benchmarks:
        for table in benchmark(effort):
            say("")
            found.append(table)
            _print(console, table)
            # After every table, so that an interrupted session leaves what it has.
            if options.json:
                _write(options.json, as_json(facts, effort, found))
            if options.markdown:
                _write(options.markdown, as_markdown(facts, effort, found))


def machine() -> dict[str, str | float]:
    """Return what is measured on, and with."""
    return {
        "date": date.today().isoformat(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: found for name in ("bntui", *PACKAGES) if (found := _version(name))},
    }


def sentence(facts: Mapping[str, str | float], effort: Effort) -> str:
    """Say what was measured on, how and when."""
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", *PACKAGES) if name in facts)
    how = "a quick try: the figures mean nothing" if effort.quick else f"{effort.rounds} rounds"
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, {facts['system']}; "
        f"{versions}; load before: {facts['load']}; {facts['date']}; {how}."
    )


def as_json(facts: Mapping[str, str | float], effort: Effort, tables: Iterable[Table]) -> str:
    """Return all of it as JSON: each row an object by the columns' names."""
    content = {
        "machine": facts,
        "effort": asdict(effort),
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "rows": [
                    dict(zip(table.columns, map(_known, row), strict=True)) for row in table.rows
                ],
            }
            for table in tables
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def as_markdown(facts: Mapping[str, str | float], effort: Effort, tables: Iterable[Table]) -> str:
    """Return all of it as Markdown, for docs/performance.md."""
    parts = [sentence(facts, effort)]
    for table in tables:
        rule = ["---" if spec == "" else "---:" for spec in table.columns.values()]
        lines = [list(table.columns), rule, *table.text()]
        parts.append(f"**{table.title}**")
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        if table.note:
            parts.append(table.note)
    return "\n\n".join(parts) + "\n"


def _print(console: Console, table: Table) -> None:
    shown = RichTable(title=table.title, title_justify="left", caption_justify="left")
    shown.caption = table.note or None
    for name, spec in table.columns.items():
        shown.add_column(name, justify="right" if spec else "left", no_wrap=bool(spec))
    for row in table.text():
        shown.add_row(*row)
    console.print("", shown)


def _written(cell: Cell, spec: str) -> str:
    cell = _known(cell)
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else format(cell, spec)


def _known(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and isnan(cell) else cell


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def peak_so_far() -> float:
    """Return the most memory that this process has had, in MB."""
    return _maxrss(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _maxrss(value: int) -> float:
    """Return MB: Linux counts in KiB, macOS in bytes."""
    return value * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def _cpu() -> str:
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _be_called(module: str, function: str, arguments: str, result: str) -> None:
    returned = getattr(import_module(module), function)(*json.loads(arguments))
    Path(result).write_text(json.dumps(returned))


if __name__ == "__main__":
    _be_called(*sys.argv[1:])
