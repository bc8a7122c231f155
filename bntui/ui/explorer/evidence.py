"""What a verdict rests on, in full: every exchange of statistics or images, and what it gave."""

import math
from collections.abc import Iterator

from bntui.core.measured import Difference
from bntui.core.snapshot import Snapshot
from bntui.core.text import percent, plain
from bntui.diagnose.health import exchanged, forecasts, health, in_updates
from bntui.diagnose.significance import harms
from bntui.diagnose.stale import by_loss, start_share
from bntui.diagnose.verdict import verdict
from bntui.ui.explorer.remedies import in_keys

BAR = 30
"""Cells of an accuracy of 1."""


def why(snapshot: Snapshot) -> str:
    """Return the verdict, and below it the measurements behind it, as paragraphs."""
    judged = verdict(snapshot)
    words = [
        judged.cause.value,
        *judged.evidence,
        judged.outlook,
        in_keys(judged.remedies),
        *("\n".join(part) for part in sections(snapshot)),
    ]
    return "\n\n".join(filter(None, words))


def sections(snapshot: Snapshot) -> Iterator[list[str]]:
    """Yield the measurements behind a verdict, the lines of one subject at a time."""
    validation = snapshot.validation
    if validation is None:
        return
    rows = [_row("running", validation.running.accuracy, validation.running.loss)]
    if validation.layers:
        rows.append(_row("fresh", validation.fresh.accuracy, validation.fresh.loss))
    if validation.corrected:
        corrected = validation.corrected
        rows.append(_row("running less start values", corrected.accuracy, corrected.loss))
    yield [
        f"The same weights at update {validation.update:,}, {validation.images:,} images:",
        *rows,
    ]
    if validation.corrected and harms(validation.difference):
        of = "loss" if by_loss(validation) else "accuracy"
        share = percent(start_share(validation))
        yield [f"Start values' share of what is lost, in {of}: {share}."]
    yield from _layers(snapshot)
    yield from _waiting(snapshot)
    yield from _images(snapshot)


def _row(name: str, accuracy: float, loss: float) -> str:
    return f"  {name:<26} accuracy {accuracy:.3f}  loss {plain(loss)}"


def _layers(snapshot: Snapshot) -> Iterator[list[str]]:
    exchanges, known, ahead = snapshot.exchanges, exchanged(snapshot), forecasts(snapshot)
    waiting = snapshot.layers_waiting
    if exchanges is None or not known:
        return
    rows = [
        f"  {layer.name:<11}{health(layer, known[layer.name]).value:<11}"
        f"{_change(known[layer.name].alone):<25}{_change(known[layer.name].rescued):<25}"
        f"{_ahead(ahead.get(layer.name))}"
        for layer in (snapshot.validation.layers if snapshot.validation else ())
        if layer.name in known
    ]
    yield [
        f"One layer at a time, update {exchanges.update:,}, {exchanges.images:,} images: accuracy "
        "± standard error, loss",
        f"  {'layer':<11}{'':<11}{'it running, others fresh':<25}{'it fresh, others running':<25}"
        "sound in",
        *rows,
        *(
            [f"  sound in: reckoned at update {waiting.update:,}, on {waiting.images:,} images"]
            if waiting
            else []
        ),
    ]


def _change(found: Difference) -> str:
    return f"{found.accuracy:+.3f} ±{found.accuracy_error:.3f} {found.loss:+.2f}"


def _ahead(updates: float | None) -> str:
    if updates is None:
        return "–"
    if math.isinf(updates):
        return "not by waiting"
    return in_updates(updates) if updates else "now"


def _waiting(snapshot: Snapshot) -> Iterator[list[str]]:
    waiting = snapshot.waiting
    if waiting is None:
        return
    yield [
        f"If the weights had stood still since update {waiting.update:,} ({waiting.images:,} images; "
        f"fresh: {waiting.fresh.accuracy:.3f}), after",
        *(
            f"  {updates:>7,.0f} updates {accuracy:.3f} {'█' * round(BAR * accuracy)}"
            for updates, accuracy, _ in waiting.curve
        ),
    ]


def _images(snapshot: Snapshot) -> Iterator[list[str]]:
    check = snapshot.data_check
    if check is None:
        return
    shifts = "  ".join(f"{s.name} {s.mean_gap:.2f} σ, {s.log_var_off:.2f}" for s in check.shifts)
    yield [
        f"Other images under the same weights, update {check.update:,}:",
        _row("training, running", check.training_running.accuracy, check.training_running.loss),
        _row("training, fresh", check.training_fresh.accuracy, check.training_fresh.loss),
        _row("validation, fresh", check.fresh.accuracy, check.fresh.loss),
        _row("validation, its own", check.own.accuracy, check.own.loss),
        f"  {'validation, classes as in training':<35} {check.as_trained:.3f}",
        f"Validation from training images, means and logarithms of variances: {shifts}",
    ]
