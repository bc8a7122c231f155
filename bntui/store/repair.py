"""A damaged store: it is set aside under a new name, and what is whole of it goes into a new one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bntui.machine.places import free_damaged_name
from bntui.store.checksum import (
    CHECKED,
    OF_RUNS,
    DamagedError,
    insertion,
    is_whole,
    write_checksums,
)
from bntui.store.liveness import MENDING, hold, is_held, let_go, live_path
from bntui.store.opening import BESIDE, real
from bntui.store.schema import ADDED, MIGRATIONS, StoreError, connect, lenient, transaction, version

MAGIC = b"SQLite format 3\0"
CHECKED_BYTES = 64_000_000
"""A larger store is not searched from end to end when it is opened, only what is read of it."""
REMARK = "(part of it was damaged)"
SWEEPS = "sweeps"
"""No run's id."""
_searched: set[tuple[int, int] | None] = set()


class MendedError(StoreError):
    """The store was damaged and no longer is: what was asked may be asked again."""


class MendedElsewhereError(MendedError):
    """Another process has mended it, and has said what became of it."""


@dataclass(frozen=True, slots=True)
class _Rescued:
    """What could be read of a damaged store."""

    runs: int
    kept: int
    """Of these runs, at least in part."""
    lost: int
    """Rows that were damaged."""
    sweeps: int
    """Of the table of sweeps, rows that were damaged; their runs are kept."""
    torn: bool
    """Whether there may be others that are out of reach."""

    def __str__(self) -> str:
        said = f"{self.kept} of {self.runs} runs in it" if self.runs else "no run"
        said += " could be kept"
        if self.lost:
            said += f", {self.lost} of their parts were damaged"
        if self.sweeps:
            said += f", {self.sweeps} of its sweeps could not"
        return f"{said}, but not all of it could be read" if self.torn else said


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file that now has this name from any other, None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def search(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DamagedError, once in a process, if SQLite's own check finds something in a small store."""
    file = identity(path)
    if file in _searched or path.stat().st_size > CHECKED_BYTES:
        return
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise DamagedError(found)
    _searched.add(file)


def shows_damage(error: Exception, path: Path) -> bool:
    """Tell whether `error` means that the store is damaged, and not another kind of file."""
    if isinstance(error, DamagedError | UnicodeDecodeError):  # this one in a column's name
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_CORRUPT:
        return True
    if code & 0xFF != sqlite3.SQLITE_NOTADB:
        return False
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC
    return False


def mend(path: Path, seen: tuple[int, int] | None) -> MendedError:
    """Set the store at `path` aside and put what is whole of it into a new one; return what to say.

    `seen` is the identity of the file that was found damaged. Where another file has its name now,
    another process has repaired the store, and it is left as it is. Nothing is deleted. Raises StoreError
    while a run that is under way writes to it, and OSError.
    """
    path = real(path)
    lock = live_path(path, MENDING)
    held = hold(lock)
    if held is None:
        raise StoreError(f"the store {path} is being mended by another bntui: try again.")
    try:
        if identity(path) != seen:
            return MendedElsewhereError(
                f"the store {path} was damaged, and another bntui has mended it: try again."
            )
        for run in lock.parent.iterdir():
            if run != lock and is_held(run):
                raise StoreError(
                    f"the store {path} is damaged, and run {run.name} is under way: let it end, and "
                    "the next start of bntui sets the file aside and keeps what is whole of it."
                )
        # The new one first: where it can't be made, for want of room, say, nothing is moved.
        new = path.with_name(f"{path.name}.mending")
        try:
            rescued = _rescue(path, new)
        except BaseException:
            _discard(new)
            raise
        damaged = _replace(path, new)
    finally:
        let_go(lock, held)
    return MendedError(
        f"the store {path} was damaged: it lies beside its place as {damaged.name}, and {rescued}; "
        "try again."
    )


def _replace(path: Path, new: Path) -> Path:
    """Put the new store in the place of the damaged one; return the name that this one has now."""
    name = free_damaged_name(path)
    for part in BESIDE:
        with suppress(FileNotFoundError):
            path.with_name(path.name + part).rename(name.with_name(name.name + part))
    try:
        name.hardlink_to(path)  # the place is never empty: who came then would make a store there
    except OSError:  # a file system without links
        path.rename(name)
    new.rename(path)
    return name


def _discard(new: Path) -> None:
    """Remove what an attempt has left: it takes room, and would be read as part of the next."""
    for part in ("", *BESIDE):
        new.with_name(new.name + part).unlink(missing_ok=True)


def _rescue(damaged: Path, new: Path) -> _Rescued:
    """Copy every whole row that is in reach into a new store."""
    _discard(new)
    with closing(connect(new, patience=1.0)) as to:
        with transaction(to):
            runs, hurt, torn = _copy(damaged, to)
            sweeps = hurt.pop(SWEEPS, 0)
            kept = _remark(to, runs, hurt, torn=not torn.isdisjoint(OF_RUNS))
            write_checksums(to, "runs")
        # Else what was written lies in a file beside it, which is not moved with it.
        to.execute("PRAGMA journal_mode = DELETE")
    return _Rescued(runs, kept, sum(hurt.values()), sweeps, bool(torn))


def _remark(to: sqlite3.Connection, runs: int, hurt: dict[str, int], *, torn: bool) -> int:
    """Remark on every run that may lack a part; return how many there are."""
    known = [row[0] for row in to.execute("SELECT id FROM runs")]
    # No run was lost, and there are parts of another: whose they were can no longer be told.
    stray = len(known) == runs and not hurt.keys() <= set(known)
    for run in known:
        numbers = to.execute(
            "SELECT series FROM points WHERE run = ? GROUP BY series HAVING max(chunk) >= count(*)",
            (run,),
        ).fetchall()
        if numbers or torn or stray:
            hurt.setdefault(run, 0)
        to.execute(
            "UPDATE runs SET checkpoint = (SELECT at FROM checkpoints WHERE run = id) WHERE id = ?",
            (run,),
        )
    for run in hurt.keys() & set(known):
        to.execute("UPDATE runs SET note = trim(note || ' ' || ?) WHERE id = ?", (REMARK, run))
    return len(known)


def _copy(damaged: Path, to: sqlite3.Connection) -> tuple[int, dict[str, int], set[str]]:
    """Return how many runs were met, rows not whole of each, and tables with rows that may be out of reach.

    What is not whole of the table of sweeps is counted under `SWEEPS`.
    """
    hurt: dict[str, int] = {}
    torn: set[str] = set()
    runs: set[int] = set()
    # Read-only, so that it stays as it was found.
    with closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as source:
        source.row_factory = sqlite3.Row
        source.text_factory = lenient
        # Otherwise SQLite refuses to read anything of a file that was cut short.
        source.execute("PRAGMA writable_schema = ON")
        found = _format(source)
        later = {table for number, tables in ADDED.items() if number > found for table in tables}
        strange = _strange(source, damaged)
        for table, columns in CHECKED.items():
            if table in later:
                continue
            if table in strange:
                torn.add(table)
                continue
            for row in _readable(source, table, torn):
                if table == "runs":
                    runs.add(row["rowid"])
                whole = False
                names = tuple(row.keys())
                if found > 1 and "checksum" not in names:
                    torn.add(table)
                with suppress(sqlite3.Error, LookupError):
                    # Without a checksum what SQLite can read counts as whole.
                    if "checksum" not in names or is_whole(table, row):
                        behind, values = insertion(table, (row[column] for column in columns))
                        to.execute(f"INSERT INTO {behind}", values)
                        whole = True
                if not whole:
                    owner = _owner(table, row)
                    hurt[owner] = hurt.get(owner, 0) + 1
    return len(runs), hurt, torn


def _owner(table: str, row: sqlite3.Row) -> str:
    """Return the run of a row; nobody, where the name of the column is damaged."""
    if table not in OF_RUNS:
        return SWEEPS
    run = CHECKED[table][0]
    return str(row[run]) if run in row.keys() else ""  # noqa: SIM118 - else of the values


def _format(source: sqlite3.Connection) -> int:
    """Return the store's format; the newest if nothing of it can be read."""
    try:
        return version(source)
    except sqlite3.Error:
        return len(MIGRATIONS)


def _strange(source: sqlite3.Connection, path: Path) -> set[str]:
    """Return the names of what is no table: what a view holds may be without end.

    Raises StoreError where there are tables, and none of ours.
    """
    try:
        there = source.execute("SELECT name, type, sql FROM sqlite_schema").fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return set()
    if there and not {row["name"] for row in there} & CHECKED.keys():
        raise StoreError(f"{path} is no store of bntui's: name another file with BNTUI_STORE.")
    return {
        row["name"]
        for row in there
        if row["type"] != "index"
        and (row["type"] != "table" or not str(row["sql"]).startswith("CREATE TABLE"))
    }


def _readable(source: sqlite3.Connection, table: str, torn: set[str]) -> Iterator[sqlite3.Row]:
    """Return the rows that SQLite can reach, from both ends of a table that it then calls torn."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            # Without the index: it may be what is damaged.
            for row in source.execute(
                f"SELECT rowid AS rowid, * FROM {table} NOT INDEXED ORDER BY rowid {order}"
            ):
                if row["rowid"] not in seen:
                    seen.add(row["rowid"])
                    yield row
            return
        except (sqlite3.Error, UnicodeDecodeError):
            continue
    torn.add(table)
