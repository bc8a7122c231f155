"""Stored runs as text on a terminal. What users and files say is shown literally."""

import math
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bntui.engine.changes import CHANGES
from bntui.engine.config import Change
from bntui.engine.snapshot import EpochReport, Mark
from bntui.store.database import StoredRun, StoredVerdict
from bntui.store.encoding import settings
from bntui.text import literal

EPOCHS = 10
"""Epochs that a page shows: the last ones."""
PIPE_WIDTH = 160
"""Where there is no terminal whose width could be asked for."""


def console() -> Console:
    """Return standard output: plain text in a pipe."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width)


def listing(runs: Sequence[StoredRun]) -> Table:
    """Return a table with a row for each run."""
    table = _table("run", "state", "started", "data")
    table.add_column("norm", no_wrap=True)
    for name in ("batch", "momentum", "updates", "val_acc", "fresh"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", overflow="ellipsis", no_wrap=True, ratio=1, min_width=4)
    for run in runs:
        knobs = run.config.knobs
        table.add_row(
            _text(("★ " if run.pinned else "") + run.id),
            _text(run.state),
            _text(_local(run.started)),
            _text(run.facts.dataset),
            _text(run.config.norm),
            _text(str(knobs.batch_size)),
            _text(f"{knobs.momentum:g}" if run.config.has_statistics else "–"),
            _text(f"{run.updates:,}"),
            _text(_figure(run.val_acc)),
            _text(_figure(run.val_acc_fresh)),
            _text(run.note),
        )
    return table


def page(
    run: StoredRun,
    marks: Sequence[Mark],
    verdicts: Sequence[StoredVerdict],
    reports: Sequence[EpochReport],
) -> Iterator[RenderableType]:
    """Return all about one run, part by part."""
    yield _text(f"run {run.id} · {run.state}{' · pinned' if run.pinned else ''}", "bold")
    if run.note:
        yield _text(run.note)
    yield _pairs(_result(run))
    yield _heading("settings")
    yield _pairs([(name, _setting(value)) for name, value in settings(run.config).items()])
    if run.unknown:
        yield _text(
            f"This bntui does not know {', '.join(run.unknown)} of this run: what is shown, and the"
            " line that repeats it, lack that."
        )
    for twin in dict.fromkeys(report.twin for report in reports):
        some = [report for report in reports if report.twin == twin]
        which = "epochs" if len(some) <= EPOCHS else f"the last {EPOCHS} epochs"
        yield _heading(f"{which} of the twin, {literal(twin)}" if twin else which)
        yield _epochs(some[-EPOCHS:])
    if marks:
        yield _heading("marks")
        yield _pairs([(f"update {mark.update:,}", mark.label) for mark in marks])
    if verdicts:
        yield from _judged(verdicts)


def _judged(verdicts: Sequence[StoredVerdict]) -> Iterator[RenderableType]:
    """Return the verdict that stands at last, and below it every one before, as it was at last."""
    spans = [list(span) for _, span in groupby(verdicts, attrgetter("cause"))]
    for place, span in enumerate(reversed(spans)):
        if place < 2:
            yield _heading("verdicts before" if place else "verdict")
        first, last = span[0], span[-1]
        since = "" if first.at == last.at else f", since update {first.at:,}"
        yield _text(f"update {last.at:,}: {last.cause}{since}")
        for sentence in (*last.evidence, last.outlook):
            if sentence:
                yield _text(f"    {sentence}")


def _result(run: StoredRun) -> list[tuple[str, str]]:
    facts = run.facts
    threads = f", {facts.threads} threads" if facts.threads else ""
    rows = [
        ("started", _local(run.started)),
        ("last written", _local(run.ended)),
        (
            "data",
            f"{facts.dataset}: {facts.train:,} training, {facts.validation:,} validation images",
        ),
        ("network", f"{facts.parameters:,} parameters"),
        ("device", facts.device + threads),
        ("versions", ", ".join(f"{name} {number}" for name, number in run.versions.items())),
        ("trained", f"{run.updates:,} updates, epoch {run.epoch}, {run.seconds:,.1f} s"),
        ("training", f"loss {_figure(run.loss)}, accuracy {_figure(run.acc)}"),
        ("validation", f"running {_figure(run.val_acc)}, fresh {_figure(run.val_acc_fresh)}"),
    ]
    if run.message:
        rows.append(("failed", run.message))
    if run.parent:
        rows.append(("branched", f"off {run.parent} after {run.branched} updates"))
    if run.checkpoint is not None:
        rows.append(("checkpoint", f"update {run.checkpoint:,}"))
    return rows


def _epochs(reports: Sequence[EpochReport]) -> Table:
    table = _table()
    for name in (
        "epoch",
        "update",
        "loss",
        "acc",
        "val_loss",
        "val_acc",
        "fresh loss",
        "fresh acc",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        figures = [
            *(report.loss, report.acc, report.val_loss, report.val_acc),
            *(report.val_loss_fresh, report.val_acc_fresh),
        ]
        table.add_row(str(report.epoch), f"{report.update:,}", *map(_figure, figures))
    return table


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(_text(f"  {name}"), _text(value))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold")


def _text(text: str, style: str = "") -> Text:
    """Return text that is neither markup nor able to move the cursor."""
    return Text(literal(text), style)


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple) and value:
        return ", ".join(map(_setting, value))
    if isinstance(value, Change):
        named = {field: name for name, (field, _) in CHANGES.items()}
        name = named.get(value.setting)
        what = f"{name}={_setting(value.value)}" if name else value.setting
        return f"{value.update}:{what}"
    return "–" if value in (None, ()) else str(value)


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
