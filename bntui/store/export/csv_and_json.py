"""A run as text: CSV of what the charts show, and at full resolution CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from bntui.core.settings import values_of
from bntui.core.snapshot import Snapshot
from bntui.diagnose.remedies import values as remedy_values
from bntui.store.database import Store
from bntui.store.encoding import finite, report_values
from bntui.store.rows import Points, StoredRun

SCHEMA = 2
"""Of the JSON that `bntui run` and `bntui export` write. In 1, remedies were worded, or had a `kind`."""


def csv_lines(store: Store, run: str) -> Iterator[str]:
    """Return every value of every series, a row each: series, update, value. Raises StoreError.

    Values are written with every digit they need, and what is not finite as nan, inf and -inf.
    """
    table = csv.writer(_Lines(), lineterminator="\n")
    yield table.writerow(["series", "update", "value"])
    for name, points in store.points(run).items():
        for update, value in zip(points.updates.tolist(), points.values.tolist(), strict=True):
            yield table.writerow([name, update, value])


class _Lines:
    """Makes `writerow` of a CSV writer return the line, so that a large table is never whole."""

    def write(self, line: str) -> str:
        return line


def series_csv(snapshot: Snapshot) -> str:
    """Return every history and the map of all momenta as CSV: series, update, low, high, last.

    A row is a bucket of a history: the least, the greatest and the last of its values. What is not
    finite is empty.
    """
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["series", "update", "low", "high", "last"])
    for name, view in snapshot.series.items():
        for values in zip(view.x, view.low, view.high, view.last, strict=True):
            table.writerow([name, *(_cell(float(value)) for value in values)])
    if snapshot.hindsight:
        hindsight = snapshot.hindsight
        for name, row in zip(hindsight.names, hindsight.accuracy, strict=True):
            for update, value in zip(hindsight.updates, row, strict=True):
                cells = [_cell(float(value))] * 3
                table.writerow([f"hindsight:{name}", _cell(float(update)), *cells])
    return out.getvalue()


def _cell(value: float) -> str:
    if value != value:  # NaN
        return ""
    return f"{value:.0f}" if value.is_integer() else repr(value)


def json_lines(store: Store, run: str) -> Iterator[str]:
    """Return the events of a run, as `bntui run --json` writes them, with every value measured.

    One object a line: `start`, then in the order of their updates `update` with the value of each
    series that has one there, `epoch`, `verdict` and `mark`, and `end`. What is not finite is null.
    Raises StoreError.
    """
    stored = store.run(run)
    points, reports = store.points(run), store.reports(run)
    verdicts, marks = store.verdicts(run), store.marks(run)
    happened: list[tuple[int, int, dict[str, Any]]] = []
    for report in reports:
        values = report_values(report)
        values["hindsight"] = dict(report.hindsight)
        happened.append((report.update, 1, {"event": "epoch", **values}))
    for said in verdicts:
        values = {"event": "verdict", "update": said.at, "cause": said.cause}
        values |= {"evidence": said.evidence, "outlook": said.outlook}
        values["remedies"] = [remedy_values(remedy) for remedy in said.remedies]
        if said.cure:
            values["cure"] = said.cure
        happened.append((said.at, 2, values))
    for mark in marks:
        values = {"event": "mark", "update": mark.update}
        happened.append((mark.update, 3, values | {"label": mark.label, "change": mark.change}))
    happened.sort(key=lambda event: event[:2], reverse=True)  # the first is the last, to be popped
    yield _line({"event": "start", "schema": SCHEMA, **about(stored)})
    for update, measured in _together(points):
        while happened and happened[-1][0] < update:
            yield _line(happened.pop()[2])
        yield _line({"event": "update", "update": update, **measured})
    while happened:
        yield _line(happened.pop()[2])
    yield _line(
        {
            "event": "end",
            "phase": stored.state,
            "updates": stored.updates,
            "seconds": round(stored.seconds, 3),
        }
    )


def about(run: StoredRun) -> dict[str, Any]:
    """Return a run's settings and facts, under the names that `bntui run --json` uses.

    A training that is watched has no settings of ours; `watched` says what is known of it.
    """
    facts, watched = run.facts, run.watched
    told, known = asdict(watched) if watched else None, bool(watched) or facts.loaded
    return {
        "run": run.id,
        "version": run.versions.get("bntui", ""),
        "device": facts.device,
        "dataset": facts.dataset,
        "train": None if not known or (watched and facts.train <= 1) else facts.train,
        "validation": facts.validation,
        "parameters": facts.parameters,
        "updates_per_epoch": None
        if watched or not known
        else -(-facts.train // run.config.knobs.batch_size),
        "config": None if watched else values_of(run.config),
        "watched": told,
        "state": run.state,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat(),
        "versions": run.versions,
        "threads": facts.threads,
        "parent": run.parent,
        "branched": run.branched,
        "note": run.note,
        "pinned": run.pinned,
    }


def _line(values: dict[str, Any]) -> str:
    return json.dumps(finite(values), allow_nan=False) + "\n"


def _together(points: dict[str, Points]) -> Iterator[tuple[int, dict[str, float]]]:
    """Return the values of each update by series; the last one where a series has two."""
    if not points:
        return
    series = {name: (one.updates.tolist(), one.values.tolist()) for name, one in points.items()}
    place = dict.fromkeys(series, 0)
    for update in np.unique(np.concatenate([one.updates for one in points.values()])).tolist():
        measured = {}
        for name, (updates, values) in series.items():
            while place[name] < len(updates) and updates[place[name]] == update:
                measured[name] = values[place[name]]
                place[name] += 1
        yield update, measured
