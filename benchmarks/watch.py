"""What watching a training costs, beside what others cost: `python -m benchmarks.watch`.

- Statistics alone: two equal trainings in one process, a few steps of the one and of the other in turn.
- Everything, as `bntui.watch` does it by default with both loaders: whole trainings of five minutes, each
  in a process of its own between two unwatched ones, from before the watching begins until it has ended.
  Beside it `wandb.watch` at its defaults, offline, and cockpit's economical quantities, where these are
  installed; `PYTHONPATH` may name the folder that they were installed in (`pip install --target`).
- The start: a script that loads torch and does nothing else, by itself, by `bntui watch`, and with the
  two lines.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import (
    Effort,
    Row,
    Table,
    alternate,
    in_process,
    main,
    median_ratio,
    say,
    surroundings,
)
from benchmarks.own_trainings import (
    BLOCK,
    MODELS,
    RESNET,
    UNWATCHED,
    WATCHED,
    WAYS,
    alone,
    whole,
)

MOST_ALONE, MOST, MOST_START = 1.03, 1.10, 300
"""What statistics alone, everything, and the start may take: times the time of a step, and milliseconds."""
BLOCKS, QUICK_BLOCKS = 40, 3
"""How often it is a training's turn."""
SECONDS, UNWATCHED_SECONDS, QUICK_SECONDS = 300.0, 60.0, 4.0
INSTALL = {
    "wandb.watch": ("wandb", "pip install wandb"),
    "cockpit, economical": ("cockpit", "pip install cockpit-for-pytorch 'setuptools<81'"),
}
STARTS = {
    "python SCRIPT": ([], "import torch\n"),
    "bntui watch SCRIPT": (["-m", "bntui", "watch"], "import torch\n"),
    "python SCRIPT, a model": ([], "import torch\nmodel = torch.nn.BatchNorm1d(4)\n"),
    "the same with the two lines": (
        [],
        "import torch\nmodel = torch.nn.BatchNorm1d(4)\nimport bntui\nwith bntui.watch(model):\n    pass\n",
    ),
}
"""Options of Python, and the script; the second of each two is compared with the first."""


def tables(effort: Effort) -> Iterator[Table]:
    """Measure statistics alone, everything, and the start."""
    yield _alone(effort)
    yield _everything(effort)
    yield _start(effort)


def _alone(effort: Effort) -> Table:
    blocks = QUICK_BLOCKS if effort.quick else BLOCKS
    rows: list[Row] = []
    for name in MODELS:
        found: list[dict[str, float]] = []
        for number in range(effort.rounds):
            say(f"statistics alone, {name}: process {number + 1} of {effort.rounds}")
            found += in_process(alone, name, effort.quick, blocks).value
        plain, watched = ([block[way] for block in found] for way in (UNWATCHED, WATCHED))
        ratios = [one / of for one, of in zip(watched, plain, strict=True)]
        quarters = statistics.quantiles(ratios, n=4)
        times = [1000 * statistics.median(each) for each in (plain, watched)]
        rows.append((name, *times, statistics.median(ratios), quarters[0], quarters[2]))
    return Table(
        "Watching: statistics alone, the time of a step",
        {
            "training": "",
            "unwatched, ms": ",.1f",
            "watched, ms": ",.1f",
            "ratio": ".3f",
            "lower quarter": ".3f",
            "upper quarter": ".3f",
        },
        rows,
        f"Medians of {effort.rounds}×{blocks} pairs of {BLOCK} steps each, in turn in one process. At most "
        f"{MOST_ALONE} times the time is allowed.",
    )


def _everything(effort: Effort) -> Table:
    seconds = QUICK_SECONDS if effort.quick else SECONDS
    base = QUICK_SECONDS if effort.quick else UNWATCHED_SECONDS
    missing = [name for name, (package, _) in INSTALL.items() if find_spec(package) is None]
    rows: list[Row] = []
    for name in MODELS:
        ways = [way for way in WAYS if way != UNWATCHED and way not in missing]
        rows += _beside(name, ways if name == RESNET else [WATCHED], effort, seconds, base)
    note = (
        f"Whole trainings of {seconds:.0f} s, each between two unwatched ones of {base:.0f} s, which are 1: "
        f"from before the watching begins until it has ended. bntui.watch, with its looks, is allowed {MOST}."
    )
    for way in missing:
        note += f" {way} was not measured: {INSTALL[way][1]}."
    columns = {
        "training": "",
        "watched by": "",
        "updates": ",.0f",
        "ms an update": ",.1f",
        "ratio": ".3f",
    }
    return Table("Watching: everything, the time of a step", columns, rows, note)


def _beside(name: str, ways: list[str], effort: Effort, seconds: float, base: float) -> list[Row]:
    """Train in each way, between unwatched trainings, in processes of their own."""

    def per_update(way: str, lasts: float) -> tuple[float, float]:
        say(f"everything, {name}: {way}")
        updates, taken = in_process(whole, name, way, effort.quick, lasts).value
        return updates, taken / updates

    rounds = max(1, effort.rounds // 2)
    counts: dict[str, list[float]] = {way: [] for way in ways}
    times: dict[str, list[float]] = {way: [] for way in ways}
    of: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        _, before = per_update(UNWATCHED, base)
        for way in ways:
            updates, taken = per_update(way, seconds)
            _, after = per_update(UNWATCHED, base)
            counts[way].append(updates)
            times[way].append(taken)
            of[way].append((before + after) / 2.0)
            before = after
    return [
        (
            name,
            way,
            statistics.median(counts[way]),
            1000 * statistics.median(times[way]),
            median_ratio(times[way], of[way]),
        )
        for way in ways
    ]


def _start(effort: Effort) -> Table:
    with TemporaryDirectory() as folder:

        def started(options: list[str], code: str) -> float:
            script = Path(folder) / "script.py"
            script.write_text(code)
            command = [sys.executable, *options, str(script)]
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=surroundings(folder))
            return 1000 * (time.perf_counter() - begun)

        programs = {
            name: partial(started, options, code) for name, (options, code) in STARTS.items()
        }
        for program in programs.values():
            program()  # once for nothing: Python compiles what it finds changed
        found = alternate(programs, effort.rounds * (1 if effort.quick else 5), turning=True)
    names = list(STARTS)
    rows: list[Row] = []
    for name, of in ((names[1], names[0]), (names[3], names[2])):
        more = [one - base for one, base in zip(found[name], found[of], strict=True)]
        medians = (statistics.median(found[each]) for each in (of, name))
        rows.append((name, *medians, statistics.median(more)))
    return Table(
        "Watching: the start",
        {"program": "", "without, ms": ",.0f", "with, ms": ",.0f", "more, ms": ",.0f"},
        rows,
        f"From the start of a script that imports torch to its end; at most {MOST_START} ms more are allowed.",
    )


if __name__ == "__main__":
    main(tables)
