"""The quantities of a run, epoch by epoch, that an experiment's expressions may read; the thread's runs.

Built from the last snapshot alone, so that a run with a screen and one without give the same. Imports
no torch.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bntui.core.cells import padded, wrapped
from bntui.core.measured import LayerDrift
from bntui.core.snapshot import Snapshot

QUANTITIES = {
    "acc": "training accuracy, averaged over the epoch as Keras does",
    "loss": "training loss, averaged over the epoch",
    "val_acc": "validation accuracy with the running statistics",
    "val_loss": "validation loss with the running statistics",
    "val_acc_fresh": "validation accuracy of the same weights with fresh statistics",
    "val_loss_fresh": "validation loss of the same weights with fresh statistics",
    "start_left": "share of the start value that is left in the running statistics",
    "log_var_ratio": "size of ln(running / fresh variance), averaged over the channels of the worst layer",
    "first_error": "relative error of the first BN layer's output, eval against training mode",
    "network_error": "the same of the last BN layer; near 1 as soon as its output is small or unlike that of training",
    "logits_error": "error of the logits, eval against training mode, after the best rescaling: 0 predicts the same",
    "noise_scale": "gradient noise scale in images, a guess: up to it, larger batches pay (for plain SGD)",
    "noise_scale_low": "lower end of the 95 % interval that was measured for it",
    "noise_scale_high": "upper end of that, infinite where none can be told",
    "epochs": "epochs finished so far",
    "updates": "updates made so far",
    "images": "training images seen so far",
    "seconds": "seconds of training and measuring so far",
    "images_per_s": "training images a second, over training steps only",
    "recalibrated_from": "validation accuracy right before the last recalibration",
    "recalibrated_to": "validation accuracy right after it, with the same weights",
}
"""Every name that may follow the dot in `arm.name`. A row of the map of momenta is `arm["0.9"]`."""

COMPARED = {"acc": "acc", "val_acc": "val_acc", "val_loss": "val_loss", "val_acc_fresh": "fresh"}
"""The quantities that `table` compares runs by, and the titles of their columns."""
VALUE = 9
"""Cells of a column of `table`."""
NOTHING = "not measured"
"""What the table says of a run that did not come to its end."""
PUBLISHED_QUANTITIES = ("acc", "loss", "val_acc", "val_loss", "seconds")
THREAD = {"thread_4096": 4096, "thread_64": 64}
"""The thread's own runs under the names that an expression uses, with their batch sizes."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What was measured of one run."""

    values: Mapping[str, Sequence[float]]
    """By quantity or by the name of a row of hindsight: one value an epoch."""

    def history(self, name: str) -> Sequence[float]:
        """Return one value an epoch; nothing for what was not measured."""
        return self.values.get(name, ())

    def final(self, name: str) -> float:
        """Return the value at the end of the run, NaN for what was not measured."""
        history = self.history(name)
        return history[-1] if history else math.nan


def outcome(snapshot: Snapshot) -> RunOutcome:
    """Return what was measured of a run until `snapshot`; NaN for epochs that have no report."""
    reports = snapshot.reports
    before = reports[0].epoch - 1 if reports else 0
    values: dict[str, list[float]] = {}
    seconds = math.nan if before else 0.0
    for report in reports:
        seconds += report.seconds
        row = {
            **{name: getattr(report, name) for name in QUANTITIES if hasattr(report, name)},
            "start_left": max((layer.start_left for layer in report.layers), default=math.nan),
            "log_var_ratio": _worst_log_ratio(report.layers),
            "first_error": report.layers[0].network_error if report.layers else math.nan,
            "network_error": report.layers[-1].network_error if report.layers else math.nan,
            "epochs": report.epoch,
            "updates": report.update,
            "seconds": seconds,
            **dict(report.hindsight),
        }
        for name, value in row.items():
            values.setdefault(name, [math.nan] * before).append(value)
    if reports:
        train = snapshot.facts.train if snapshot.facts else 0
        ends = [float(train * epoch) for epoch in range(1, reports[-1].epoch)]
        values["images"] = [*ends, float(snapshot.images)]
    if snapshot.recalibrated:
        values["recalibrated_from"] = [snapshot.recalibrated.before]
        values["recalibrated_to"] = [snapshot.recalibrated.after]
    return RunOutcome(values)


def table(runs: Iterable[tuple[str, RunOutcome]], width: int) -> str:
    """Return the last figures of runs, each beside its name, which takes as many lines as it needs."""
    room = max(VALUE, width - VALUE * len(COMPARED))
    lines = ["at the end".ljust(room) + "".join(f"{n:>{VALUE}}" for n in COMPARED.values())]
    for name, run in runs:
        figures = [run.final(quantity) for quantity in COMPARED]
        written = ("–" if math.isnan(figure) else f"{figure:.4f}" for figure in figures)
        told = "".join(f"{figure:>{VALUE}}" for figure in written)
        if all(map(math.isnan, figures)):
            told = f"{NOTHING:>{VALUE * len(COMPARED)}}"
        first, *others = wrapped(name, room - 2) or [""]
        lines += [padded(first, room) + told, *(f" {other}" for other in others)]
    return "\n".join(line.rstrip() for line in lines)


def _worst_log_ratio(layers: Sequence[LayerDrift]) -> float:
    ratios = (layer.log_var_off for layer in layers)  # of single channels: signed, they cancel out
    return max((ratio for ratio in ratios if not math.isnan(ratio)), default=math.nan)


@cache
def published() -> dict[int, RunOutcome]:
    """Return the thread's own runs by batch size, as post 1 gives them."""
    table = resources.files("bntui.experiments.built_in") / "published_runs.csv"
    runs: dict[int, dict[str, list[float]]] = {}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        values = runs.setdefault(int(row["batch_size"]), {n: [] for n in PUBLISHED_QUANTITIES})
        for name, history in values.items():
            value = float(row[name])
            history.append(history[-1] + value if name == "seconds" and history else value)
    return {batch: RunOutcome(values) for batch, values in runs.items()}
