"""The rows of the table of sweeps as values, and their designs as text."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from bntui.core.border import BorderError, Length, Read, convert, parsed
from bntui.core.config import RunConfig
from bntui.core.settings import SETTINGS, judged_one, value_of
from bntui.core.sweep import MOST_CELLS, NOT_OF_THE_NUMBERS, Axis, Design, why_no_name
from bntui.core.text import ConfigError, storable
from bntui.store.checksum import check_row, insertion
from bntui.store.encoding import finite, read_settings
from bntui.store.rows import TimeColumn
from bntui.store.schema import StoreError
from bntui.store.writing import now


def _name(value: object) -> str:
    if not isinstance(value, str) or why_no_name(value):
        raise ValueError("a name that a sweep can have")
    return value


Unread = Annotated[Any, Read(lambda value: value)]
"""What is read once it is known of which setting it is."""


@dataclass(frozen=True, slots=True)
class StoredSweep:
    """A sweep that was begun."""

    name: Annotated[str, Read(_name)]
    begun: TimeColumn
    """In UTC."""
    design: Annotated[Design, Read(lambda text: read_design(text))]


@dataclass(frozen=True, slots=True)
class _Axis:
    setting: str
    values: Annotated[list[Unread], Length(1, MOST_CELLS)]


@dataclass(frozen=True, slots=True)
class _Design:
    base: Unread
    axes: Annotated[list[_Axis], Length(0, len(SETTINGS))]
    seeds: Annotated[list[int], Length(1, MOST_CELLS)]


def sweep_of(row: sqlite3.Row) -> StoredSweep:
    """Return the sweep that a row tells of. Raises BorderError."""
    return convert(StoredSweep, dict(row))


def stored_sweep(connection: sqlite3.Connection, path: Path, name: str) -> StoredSweep:
    """Return the sweep of this name. Raises sqlite3.Error, and StoreError if there is none or its row is wrong."""
    row = connection.execute("SELECT * FROM sweeps WHERE name = ?", (storable(name),)).fetchone()
    if row is None:
        raise StoreError(f"sweep {name!r} is not in the store: `bntui sweeps` lists what is.")
    check_row("sweeps", row)
    try:
        return sweep_of(row)
    except BorderError as error:
        raise StoreError(
            f"sweep {name!r} in {path} is not as this bntui writes them ({error}): give another "
            "--name, or update bntui if a newer one wrote it."
        ) from error


def write_design(design: Design) -> str:
    """Return what a sweep runs as strict JSON: infinity as "inf"."""
    return json.dumps(finite(asdict(design), str))


def read_design(text: object) -> Design:
    """Return what a sweep runs, every setting judged as it would be on the command line.

    Raises BorderError, also for a setting that this version does not know.
    """
    found = convert(_Design, parsed(text))
    base, unknown = read_settings(RunConfig, found.base)
    if unknown:
        raise BorderError(f"its runs have settings that are not known: {', '.join(unknown)}")
    axes = tuple(_axis(axis) for axis in found.axes)
    names = [axis.setting for axis in axes]
    if len(set(names)) < len(names):
        raise BorderError("a setting has two axes")
    seeds = tuple(_setting("seed", seed) for seed in found.seeds)
    if _repeated(seeds):
        raise BorderError("a seed is there twice")
    design = Design(base, axes, seeds)
    if design.count() > MOST_CELLS:
        raise BorderError(f"{design.count():,} runs are more than {MOST_CELLS:,}")
    return design


def put_sweep(connection: sqlite3.Connection, sweep: str, design: Design) -> None:
    """Within a transaction, write that there is a new sweep; one that has the name stays.

    Raises sqlite3.Error, and StoreError for a name or a design that no sweep can have.
    """
    if why := why_no_name(sweep):
        raise StoreError(f"a sweep can't be called {sweep!r}, {why}: give another --name.")
    text = write_design(design)
    try:
        read_design(text)
    except BorderError as error:
        raise StoreError(
            f"the sweep {sweep} can't be kept ({error}): give other values, or fewer."
        ) from error
    behind, sealed = insertion("sweeps", (sweep, now(), text))
    connection.execute(f"INSERT OR IGNORE INTO {behind}", sealed)


def _axis(found: _Axis) -> Axis:
    if found.setting not in SETTINGS.keys() - NOT_OF_THE_NUMBERS - {"seed"}:
        raise BorderError(f"{found.setting!r} can't be an axis")
    values = tuple(_setting(found.setting, value) for value in found.values)
    if _repeated(values):
        raise BorderError(f"a value of {found.setting} is there twice")
    return Axis(found.setting, values)


def _setting(name: str, value: object) -> Any:
    """Return the value of a setting, of its type and judged. Raises BorderError."""
    try:
        judged = value if value is None else judged_one(name, value)
    except ConfigError as error:
        raise BorderError(f"{name}: {error}") from error
    given: Mapping[str, Any] = {name: judged}
    return value_of(convert(RunConfig, {"knobs": given} if SETTINGS[name].live else given), name)


def _repeated(values: tuple[Any, ...]) -> bool:
    return len(set(values)) < len(values)
