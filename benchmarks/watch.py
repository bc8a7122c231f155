"""What watching a training costs, beside what others cost: `python -m benchmarks.watch`.

- Statistics alone: two equal trainings in one process, a few steps of the one and of the other in turn.
- Everything, as `bntui.watch` does it by default with both loaders: whole trainings of five minutes, each
  in a process of its own between two unwatched ones, from before the watching begins until it has ended.
  Beside it `wandb.watch` at its defaults, offline, and cockpit's economical quantities, where these are
  installed; `PYTHONPATH` may name the folder that they were installed in (`pip install --target`).
- The start: a script that loads torch and does nothing else, by itself, by `bntui watch`, and with the
  two lines.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.check import CLASSES, images_of
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
from benchmarks.throughput import network

if TYPE_CHECKING:
    from torch import Tensor, nn

RESNET, OURS = "ResNet-18, 32 of 64×64", "bntui's network, 64 of 28×28"
MODELS = (RESNET, OURS)
MOST_ALONE, MOST, MOST_START = 1.03, 1.10, 300
"""What statistics alone, everything, and the start may take: times the time of a step, and milliseconds."""
BLOCK, BLOCKS, QUICK_BLOCKS = 4, 40, 3
"""Steps of one training before it is the other's turn, and how often it is a training's turn."""
SECONDS, UNWATCHED_SECONDS, QUICK_SECONDS = 300.0, 60.0, 4.0
BATCHES, VALIDATION = 64, 512
"""Training batches of an epoch, and validation images."""
INSTALL = {
    "wandb.watch": ("wandb", "pip install wandb"),
    "cockpit, economical": ("cockpit", "pip install cockpit-for-pytorch 'setuptools<81'"),
}
UNWATCHED, WATCHED = "unwatched", "bntui.watch"
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


class Training:
    """A plain loop over synthetic images, the same from the same seed."""

    def __init__(self, name: str, quick: bool) -> None:
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        torch.manual_seed(0)
        batch = 32 if name == RESNET else 64
        side = (32 if quick else 64) if name == RESNET else 28
        self.model = _resnet() if name == RESNET else network(0.25 if quick else 1.0)
        count = batch * (4 if quick else BATCHES)
        splits = [images_of(count, side, 1), images_of(64 if quick else VALIDATION, side, 2)]
        if name == OURS:
            splits = [split.mean(1, keepdim=True) for split in splits]
        sets = [TensorDataset(split, torch.arange(len(split)) % CLASSES) for split in splits]
        self.training = DataLoader(sets[0], batch, shuffle=True, drop_last=True)
        self.validation = DataLoader(sets[1], 128)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.loss: Callable[..., Tensor] = torch.nn.functional.cross_entropy
        self.around_backward: Callable[[Tensor, Any, Any], AbstractContextManager[Any]] | None = (
            None
        )
        self._batches = self._endless()

    def _endless(self) -> Iterator[Any]:
        while True:
            yield from self.training

    def step(self) -> "Tensor":
        """Make one update, and return its loss."""
        images, labels = next(self._batches)
        self.optimizer.zero_grad()
        outputs = self.model(images)
        loss = self.loss(outputs, labels)
        if self.around_backward is None:
            loss.backward()
        else:
            with self.around_backward(loss, outputs, labels) as create_graph:
                loss.backward(create_graph=create_graph)
        self.optimizer.step()
        return loss.detach()


def _resnet() -> "nn.Module":
    from torchvision.models import resnet18

    model: nn.Module = resnet18(num_classes=CLASSES)
    return model


def alone(name: str, quick: bool, blocks: int) -> list[dict[str, float]]:
    """Return the seconds of a step unwatched and with statistics alone, block by block."""
    from bntui.probe.watching.batch_statistics import Statistics

    plain, followed = Training(name, quick), Training(name, quick)
    taken = Statistics(followed.model)

    def step_followed() -> None:
        followed.step()
        taken.step()

    ways = {UNWATCHED: plain.step, WATCHED: step_followed}
    found = []
    for number in range(-1, blocks):
        order = list(ways)[:: -1 if number % 2 else 1]  # drift favours none
        seconds = {way: _seconds(ways[way]) for way in order}
        if number >= 0:  # the first is for nothing: torch sets itself up
            found.append(seconds)
    return found


def _seconds(step: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(BLOCK):
        step()
    return (time.perf_counter() - begun) / BLOCK


def whole(name: str, way: str, quick: bool, seconds: float) -> list[float]:
    """Train for so many seconds in one way; return the updates and the seconds that it took."""
    of = Training(name, quick)
    for _ in range(2):
        of.step()  # for nothing: torch sets itself up
    updates = 0
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        folder = stack.enter_context(TemporaryDirectory())
        begun = time.perf_counter()
        with WAYS[way](of, folder) as log:
            while time.perf_counter() - begun < seconds:
                log(of.step())
                updates += 1
        taken = time.perf_counter() - begun
    return [updates, taken]


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be written on the terminal, whose reader may be late."""
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(nothing.fileno(), number)
        try:
            yield
        finally:
            for number, one in zip((1, 2), kept, strict=True):
                os.dup2(one, number)


def _read(loss: "Tensor") -> None:
    """Take the loss as a number, as all loops that tell it do."""
    loss.item()


@contextmanager
def unwatched(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Watch nothing."""
    yield _read


@contextmanager
def by_bntui(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Watch with both loaders at the default share."""
    import bntui

    store = Path(folder) / "runs.sqlite"
    given = {"validation": of.validation, "training": of.training, "store": store}
    with bntui.watch(of.model, **given) as probe:

        def log(loss: "Tensor") -> None:
            probe.log(loss=loss.item())

        yield log


@contextmanager
def by_wandb(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Let wandb watch the model at its defaults: histograms of gradients every 1,000 batches."""
    import wandb

    with wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True)) as run:
        run.watch(of.model)

        def log(loss: "Tensor") -> None:
            run.log({"loss": loss.item()})

        yield log


@contextmanager
def by_cockpit(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Track cockpit's economical quantities at every step, its default."""
    from backpack import extend
    from cockpit import Cockpit
    from cockpit.utils.configuration import configuration
    from torch.nn import CrossEntropyLoss

    of.model = extend(of.model, use_converter=True)  # residual blocks are taken apart for it
    of.loss = extend(CrossEntropyLoss())
    each = CrossEntropyLoss(reduction="none")
    cockpit = Cockpit(of.model.parameters(), quantities=configuration("economy"))
    updates = iter(range(10**9))

    @contextmanager
    def around(loss: Any, outputs: Any, labels: Any) -> Iterator[bool]:
        number, losses = next(updates), each(outputs, labels)
        told = {"batch_size": len(labels), "individual_losses": losses, "loss": loss}
        with cockpit(number, info=told | {"optimizer": of.optimizer}):
            yield cockpit.create_graph(number)

    of.around_backward = around
    yield _read


WAYS: dict[str, Callable[[Training, str], AbstractContextManager[Callable[["Tensor"], None]]]] = {
    UNWATCHED: unwatched,
    WATCHED: by_bntui,
    "wandb.watch": by_wandb,
    "cockpit, economical": by_cockpit,
}


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
