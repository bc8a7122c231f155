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
from bntui.ui.explorer.watched_evidence import paragraphs

BAR = 30
"""Cells of an accuracy of 1, where there is room."""
BEFORE_BAR = 24
"""Cells of "    1,024 updates 0.954 "."""
TABLE = 88
"""Cells in which a layer has one row; else it has three."""


def why(snapshot: Snapshot, width: int = TABLE) -> str:
    """Return the verdict, and below it the measurements behind it, as paragraphs for a width."""
    judged, watched = verdict(snapshot), snapshot.watched
    said = [*judged.evidence, judged.outlook, in_keys(judged.remedies, followed=snapshot.followed)]
    if watched:
        said = [*([] if watched.findings else judged.evidence), *paragraphs(watched)]
    words = [
        judged.cause.value,
        *said,
        *("\n".join(part) for part in sections(snapshot, width)),
        "\n".join(epochs(snapshot)),
    ]
    return "\n\n".join(filter(None, words))


def sections(snapshot: Snapshot, width: int = TABLE) -> Iterator[list[str]]:
    """Yield the measurements behind a verdict, the lines of one subject at a time.

    Rows of tables have at most `width` cells from 44 on; sentences are to be wrapped.
    """
    validation = snapshot.validation
    if validation is None or not validation.images:
        return
    rows = [_row("running", validation.running.accuracy, validation.running.loss)]
    if validation.layers:
        rows.append(_row("fresh", validation.fresh.accuracy, validation.fresh.loss))
    if validation.corrected:
        corrected = validation.corrected
        rows.append(_row("running less start values", corrected.accuracy, corrected.loss))
    yield [
        f"The same weights at update {validation.update:,}, {validation.images:,} {snapshot.noun}:",
        *rows,
    ]
    if validation.corrected and harms(validation.difference):
        of = "loss" if by_loss(validation) else "accuracy"
        share = percent(start_share(validation))
        yield [f"Start values' share of what is lost, in {of}: {share}."]
    yield from _layers(snapshot, width)
    yield from _waiting(snapshot, width)
    yield from _images(snapshot)


def epochs(snapshot: Snapshot) -> list[str]:
    """Return the figures of every finished epoch, as Keras prints them; the latest comes last."""
    reports = [report for report in snapshot.reports if not report.twin]
    if not reports:
        return []
    rows = [f"  {one.epoch:>5}  {one.acc:>8.3f}  {one.val_acc:>10.3f}" for one in reports]
    return ["Accuracy epoch by epoch:", "  epoch  training  validation", *rows]


def _row(name: str, accuracy: float, loss: float) -> str:
    return f"  {name:<25} {accuracy:.3f}  loss {plain(loss)}"


def _layers(snapshot: Snapshot, width: int) -> Iterator[list[str]]:
    exchanges, known, ahead = snapshot.exchanges, exchanged(snapshot), forecasts(snapshot)
    waiting = snapshot.layers_waiting
    if exchanges is None or not known:
        return
    header = (
        f"  {'layer':<11}{'':<11}{'it running, others fresh':<25}{'it fresh, others running':<25}"
    )
    rows = [f"{header}sound in"] if width >= TABLE else []
    for layer in snapshot.validation.layers if snapshot.validation else ():
        if found := known.get(layer.name):
            state, sound_in = health(layer, found).value, _ahead(ahead.get(layer.name))
            alone, rescued = _change(found.alone), _change(found.rescued)
            if width >= TABLE:
                rows.append(f"  {layer.name:<11}{state:<11}{alone:<25}{rescued:<25}{sound_in}")
            else:
                rows.append(f"  {layer.name}: {state}, sound in: {sound_in}")
                rows += [f"    it running    {alone}", f"    it fresh      {rescued}"]
    others = "" if width >= TABLE else "; the other layers have the other statistics"
    yield [
        f"One layer at a time, update {exchanges.update:,}, {exchanges.images:,} images: accuracy "
        f"± standard error, loss{others}",
        *rows,
        *(
            [
                f"Sound in: updates, reckoned at update {waiting.update:,}, on {waiting.images:,} images"
            ]
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


def _waiting(snapshot: Snapshot, width: int) -> Iterator[list[str]]:
    waiting = snapshot.waiting
    if waiting is None:
        return
    bar = max(1, min(BAR, width - BEFORE_BAR))
    yield [
        f"If the weights had stood still since update {waiting.update:,} ({waiting.images:,} images; "
        f"fresh: {waiting.fresh.accuracy:.3f}), after",
        *(
            f"  {updates:>7,.0f} updates {accuracy:.3f} {'█' * round(bar * accuracy)}"
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
        f"  {'  classes as in training':<25} {check.as_trained:.3f}",
        f"Validation from training images, means and logarithms of variances: {shifts}",
    ]
