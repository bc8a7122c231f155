"""A stored run as text at full resolution: CSV, and JSON lines."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from bntui.store.database import Points, Store, StoredRun
from bntui.store.encoding import finite, report_values, settings


def csv_lines(store: Store, run: str) -> Iterator[str]:
    """Return every value of every series, a row each: series, update, value. Raises StoreError.

    Values are written with every digit they need, and what is not finite as nan, inf and -inf.
    """
    yield "series,update,value\n"
    for name, points in store.points(run).items():
        quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name
        for update, value in zip(points.updates.tolist(), points.values.tolist(), strict=True):
            yield f"{quoted},{update},{value!r}\n"


def json_lines(store: Store, run: str) -> Iterator[str]:
    """Return what happened, as `bntui run --json` tells it, and all that was measured on the way.

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
        values |= {"evidence": said.evidence, "outlook": said.outlook, "cure": said.cure}
        happened.append((said.at, 2, values))
    for mark in marks:
        values = {"event": "mark", "update": mark.update}
        happened.append((mark.update, 3, values | {"label": mark.label, "change": mark.change}))
    happened.sort(key=lambda event: event[:2], reverse=True)  # the first is the last, to be popped
    yield _line({"event": "start", **about(stored)})
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
    """Return what a run is made of, with the names of `bntui run --json`."""
    facts = run.facts
    return {
        "run": run.id,
        "version": run.versions.get("bntui", ""),
        "device": facts.device,
        "dataset": facts.dataset,
        "train": facts.train,
        "validation": facts.validation,
        "parameters": facts.parameters,
        "updates_per_epoch": -(-facts.train // run.config.knobs.batch_size),
        "config": settings(run.config),
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
    """Return for each update the values that there are, the last where a series has two."""
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
