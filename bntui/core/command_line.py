"""The command line that repeats a run, live changes included."""

import shlex

from bntui.core.settings import SETTINGS, typed, value_of
from bntui.core.snapshot import Snapshot

OF_THE_MOMENT = {"at", "steps", "epochs"}
"""Settings that follow from where the run is, and from what was done on the way."""


def command_line(snapshot: Snapshot) -> str:
    """Return the `bntui run …` that trains to where `snapshot` is, bit for bit on the same CPU."""
    words = ["bntui", "run"]
    for row in sorted(SETTINGS.values(), key=lambda row: row.live):
        value = value_of(snapshot.config, row.field)
        if row.field in OF_THE_MOMENT or value is None or value == row.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{row.flag}" if value else f"--no-{row.flag}")
        else:
            words += [f"--{row.flag}", typed(value)]
    words += ["--steps", str(max(1, snapshot.update))]
    for mark in snapshot.marks:
        if mark.change and mark.update <= snapshot.update:
            words += ["--at", f"{mark.update}:{mark.change}"]
    return shlex.join(words)
