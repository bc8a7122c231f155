"""`bntui doctor`: the machine, the libraries, the data and the store, to be pasted into a bug report.

Every start of bntui imports this module: what takes long to load is imported where it is used.
"""

import locale
import os
import platform
import re
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import click

from bntui.machine import environment, places

Facts = list[tuple[str, str]]
"""Names and values, in the order in which they are shown."""

PACKAGES = ("torch", "torchvision", "numpy", "textual", "rich", "click", "psutil", "platformdirs")
SETTINGS = (
    *(
        "BNTUI_STORE",
        "BNTUI_DATA",
        "BNTUI_CONFIG",
        *environment.THREADS_GIVEN,
        "CUDA_VISIBLE_DEVICES",
    ),
    *("THP_MEM_ALLOC_ENABLE", "TEXTUAL_FPS", "TEXTUAL_ANIMATIONS", "NO_COLOR"),
)


@click.command()
def doctor() -> None:
    """Show what bntui runs on and finds, to be pasted into a bug report.

    Checks every data set and the store, and changes nothing. The home directory is written as ~;
    user and host name are left out.
    """
    click.echo(text(facts()))


def text(sections: "list[tuple[str, Facts]]") -> str:
    """Return facts as text, without personal names and without control characters."""
    from bntui.core.text import literal

    lines = []
    for title, rows in sections:
        width = max((len(name) for name, _ in rows), default=0)
        lines += [title, *(f"  {name:{width}}  {literal(value)}" for name, value in rows), ""]
    return anonymous("\n".join(lines).rstrip())


def facts(*, quick: bool = False) -> "list[tuple[str, Facts]]":
    """Return all facts; `quick` ones read no data set or store, and import no torch."""
    slow: dict[str, Callable[[], Facts]] = {} if quick else {"data": _data, "store": _store}
    sections: dict[str, Callable[[], Facts]] = {
        "versions": _versions,
        "machine": lambda: _machine(quick=quick),
        "terminal": _terminal,
        **slow,
        "places": _places,
        "settings": _settings,
        "speed": _speed,
    }
    return [(title, _or_why_not(find)) for title, find in sections.items()]


def anonymous(text: str) -> str:
    """Return `text` with ~ for the home directory, and without user and host name."""
    import socket

    users, homes = places.names_and_homes()
    for home in homes:
        if len(home) > 1:
            text = re.sub(re.escape(home.rstrip("/")) + r"(?![\w.-])", "~", text)
    host = socket.gethostname()
    names = {host: "HOST", host.partition(".")[0]: "HOST", **dict.fromkeys(users, "USER")}
    for name in sorted(names, key=len, reverse=True):
        if len(name) > 1 and name.lower() not in {"root", "localhost"}:
            # Also as a part of another name, of a path's, say, unless that is a longer word.
            alone = rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])"
            text = re.sub(alone, names[name], text, flags=re.IGNORECASE)
    return text


def _or_why_not(find: "Callable[[], Facts]") -> Facts:
    """Return facts, or why they can't be found: who runs this command may have a broken machine."""
    try:
        return find()
    except Exception as error:
        return [("not known", f"{type(error).__name__}: {error}")]


def _versions() -> Facts:
    import sqlite3
    from importlib.metadata import PackageNotFoundError, version

    from bntui import __version__

    rows = [
        ("bntui", __version__),
        ("python", f"{platform.python_version()} {platform.python_implementation()}"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("sqlite", sqlite3.sqlite_version),
    ]
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            rows.append((package, "not installed"))
    return rows


def _machine(*, quick: bool) -> Facts:
    import psutil

    from bntui.machine import memory

    cores = os.cpu_count() or 1
    rows = [
        ("cores", f"{cores}, of which {environment.cores()} may be used"),
        (
            "memory",
            f"{psutil.virtual_memory().total / 1e9:.1f} GB, "
            f"{memory.free_on_host() / 1e9:.1f} GB free to this process",
        ),
        ("threads", f"{psutil.Process().num_threads()} in this process"),
    ]
    if quick and "torch" not in sys.modules:
        return rows
    import torch

    from bntui.machine import device

    rows.append(("torch threads", str(torch.get_num_threads())))
    on, remark = device.resolve("auto")
    rows.append(("device", f"{on} (--device auto)"))
    if remark:
        rows.append(("", remark))
    for number in range(torch.cuda.device_count()):
        with suppress(Exception):  # whatever a broken driver does
            found = torch.cuda.get_device_properties(number)
            rows.append((f"cuda:{number}", f"{found.name}, {found.total_memory / 1e9:.1f} GB"))
    return rows


def _terminal() -> Facts:
    from rich.console import Console

    from bntui.ui.terminal import capabilities

    written = sys.stdout.encoding if sys.stdout else "none"
    ends = [
        name
        for name in ("stdin", "stdout", "stderr")
        if (end := getattr(sys, name)) and end.isatty()
    ]
    return [
        ("a terminal", ", ".join(ends) or "none of stdin, stdout and stderr"),
        ("size", _size()),
        ("TERM", environment.variable("TERM") or "not set"),
        ("COLORTERM", environment.variable("COLORTERM") or "not set"),
        ("colours", Console(file=sys.__stdout__).color_system or "none"),
        ("encoding", f"{written} (locale {locale.getencoding()})"),
        ("drawn with", capabilities.glyphs(plain=False).name.lower()),
        ("over SSH", "yes" if capabilities.over_ssh() else "no"),
        ("tmux", "yes" if environment.variable("TMUX") else "no"),
        ("screen", "yes" if environment.variable("STY") else "no"),
    ]


def _size() -> str:
    for descriptor in range(3):
        with suppress(OSError):
            size = os.get_terminal_size(descriptor)
            return f"{size.columns} × {size.lines}"
    return "not known"


def _data() -> Facts:
    from bntui.core.text import reason
    from bntui.data.arrays import DataError
    from bntui.data.built_in import BUILT_IN_SETS
    from bntui.data.sources import PUBLISHED_SETS

    rows = []
    for name, built_in in BUILT_IN_SETS.items():
        try:
            built_in.read()
            rows.append((name, "built in, checksum right"))
        except DataError as error:
            rows.append((name, str(error)))
    for name, published in PUBLISHED_SETS.items():
        place = published.place(None)
        found = {file: published.find(place, file) for file in published.files}
        there = {file: path for file, path in found.items() if path is not None}
        if len(there) < len(found):
            rows.append((name, f"{len(there)} of {len(found)} files in {places.shown(place)}"))
            continue
        faults = []
        for file, path in there.items():
            try:  # not `read`, which would rename a damaged file
                published.parse(path, file)
            except OSError as error:
                faults.append(f"{path} can't be read ({reason(error)})")
            except ValueError as error:
                faults.append(f"{path} is damaged: {error}")
        rows.append((name, "; ".join(faults) or f"in {place}, whole"))
    return rows


def _store() -> Facts:
    import sqlite3

    from bntui.core.text import ConfigError
    from bntui.store.opening import open_to_read, real
    from bntui.store.schema import MIGRATIONS, format_of, refuse_other_things

    path = places.store_path()
    if places.is_nowhere(path):
        return [("file", f"none, since {places.HOMELESS}")]
    if not path.exists():
        return [("file", f"{path} (none yet)")]
    rows = [("file", f"{path}, {path.stat().st_size / 1e6:.1f} MB")]
    try:
        refuse_other_things(path)
        with closing(open_to_read(real(path), 1.0, untouched=True)) as store:
            found = format_of(store, path)
            rows.append(("format", f"{found} (this bntui writes {len(MIGRATIONS)})"))
            checked = [row[0] for row in store.execute("PRAGMA integrity_check(5)")]
            rows.append(("integrity", "; ".join(" ".join(one.split()) for one in checked)))
            runs = store.execute("SELECT count(*), count(deleted) FROM runs").fetchone()
            rows.append(("runs", f"{runs[0]}, of which {runs[1]} deleted"))
    except ConfigError as error:
        rows.append(("trouble", str(error)))
    except (sqlite3.Error, OSError) as error:
        rows.append(("trouble", f"it can't be read: {error}"))
    return rows


def _places() -> Facts:
    found = {
        "store": places.store_path(),
        "data": places.data_root(None),
        "choices": places.config_path(),
        "exports": places.exports_folder(),
        "crash reports": places.reports_folder(),
    }
    rows = [(name, f"{places.shown(path)} ({_access(path)})") for name, path in found.items()]
    if remark := _remark_on_choices():
        rows.append(("", remark))
    temporary = places.temporary_folder()
    return [*rows, ("temporary files", str(temporary or "can't be written anywhere"))]


def _remark_on_choices() -> str:
    """Return what is wrong with the file of choices, if anything is."""
    from bntui.ui.remembered import Memory

    return Memory(places.config_path()).remark


def _access(path: Path) -> str:
    """Say whether a place can be written to, or made."""
    if places.is_nowhere(path):
        return places.HOMELESS
    if path.exists():
        return "writable" if os.access(path, os.W_OK) else "not writable"
    if places.can_be_made(path):
        return "not there yet"
    return f"not there, and can't be made: {places.nearest_folder(path)} is not writable"


def _settings() -> Facts:
    return [(name, value) for name in SETTINGS if (value := environment.variable(name))]


def _speed() -> Facts:
    given = (environment.given_threads(os.environ, name) for name in environment.THREADS_GIVEN)
    threads = next(filter(None, given), environment.cores())
    found = environment.costly(os.environ, threads, environment.cores())
    return [("", said) for said in found or ["nothing in the environment is known to cost speed"]]
