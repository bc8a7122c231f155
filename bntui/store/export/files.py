"""Pictures and numbers of a run as files, in a folder of the user's."""

import csv
import io
from datetime import datetime
from pathlib import Path

from bntui.core.snapshot import Snapshot
from bntui.machine.places import exports_folder, make_folder, new_file


def save(text: str, suffix: str) -> Path:
    """Write `text` to a new file that is named after this moment. Raises OSError."""
    folder = exports_folder()
    make_folder(folder)
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for number in range(1000):
        path = folder / f"bntui-{stamp}{f'-{number}' if number else ''}.{suffix}"
        try:
            with new_file(path) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{path} and a thousand like it exist")


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
