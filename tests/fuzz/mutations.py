"""Files that somebody hands over: stores, checkpoints in them and experiments, changed at random.

What is changed are types, sizes and values, and every checksum is made right again: bits that flip by
themselves are in `tests/store/test_damage.py`.
"""

import io
import json
import math
import random
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bntui.core.text import ConfigError
from bntui.store.checksum import CHECKED, checksum
from bntui.train.checkpoints import FORMAT, MAGIC, pack, unpack

DEEP = 10_000
TEXTS = (
    *("", " ", "x", "0", "-1", "64", "0.5", "nan", "inf", "-Infinity", "true", "null", "None"),
    *(
        "\x1b[2J\x1b]0;title\x07",
        "[/red]",
        "a\nb\r",
        "\0",
        "\x9b31m",
        "\u202eabc",
        "漢字",
        "é" * 300,
    ),
    *("/etc/passwd", "../../up", "~nobody/x", "x" * 200_000, "0123456789abcdef", "f" * 70),
    *(
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00+00:00",
    ),
    *("9999-12-31T23:59:59.999-12:00", "2026-13-45", "running", "paused", "interrupted", "gone"),
    *("batch", "spectral", "renorm", "layer", "cuda:99", "mps", "x2/1", "1:16,5:64", "x0/0", "sgd"),
    *("momentum=0.5", "norm=none", "pace=1", "depth=64", "recalibrate", "bias-corrected", "digits"),
    *("mnist", "photos", "hindsight:", "hindsight:own", "hindsight:0.9", "twin:train_acc"),
    *("train_loss", "val_acc", "seconds", "drift:conv1_bn", "drift:\x1b[31m"),
)
NUMBERS = (
    *(0, 1, -1, 2, 3, 9, 64, 96, 1000, 65_536, 65_537, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1),
    *(-(2**63), 0.0, -0.0, 0.5, 1.0, 1.5, 0.999, 5e-324, 1e-300, 1e9, 1e100, 1e308, -1e308),
    *(math.inf, -math.inf, math.nan),
)
BLOBS = (b"", b"\0", b"\xff\xfe\xfd", b"PK\x03\x04", b"x" * 7, b"\0" * 64, b"\xff" * 64)


def value(rng: random.Random) -> Any:
    """Return any value that SQLite can hold."""
    kind = rng.randrange(4)
    return rng.choice(TEXTS if kind < 2 else NUMBERS if kind == 2 else (*BLOBS, None))


def plain(rng: random.Random) -> Any:
    """Return any value that JSON can say, and now and then what it says badly."""
    kind = rng.randrange(8)
    if kind < 3:
        return rng.choice(TEXTS)
    if kind < 6:
        return rng.choice((*NUMBERS, 10**400, True, False, None))
    return rng.choice(([], {}, [[]], [1, 2, 3], {"a": {"b": 1}}, ["x"] * 5000, {"$array": [1]}))


def tree(rng: random.Random, root: Any, leaf: Callable[[random.Random, Any], Any]) -> Any:
    """Return a tree of tables and lists with one node of it changed, by `leaf` if it is one."""
    if isinstance(root, dict | list) and root and rng.random() < 0.9:
        key = rng.choice(list(root) if isinstance(root, dict) else range(len(root)))
        copy = root.copy()
        how = rng.randrange(12)
        if how == 0:
            del copy[key]
        elif how == 1 and isinstance(copy, dict):
            copy[rng.choice(TEXTS)] = copy.pop(key)
        elif how == 2 and isinstance(copy, list):
            copy += copy[-1:] * rng.choice((1, 7, 2000))
        else:
            copy[key] = tree(rng, root[key], leaf)
        return copy
    return leaf(rng, root)


def text(rng: random.Random, content: str) -> Any:
    """Return what JSON says, changed."""
    how = rng.randrange(10)
    if how == 0:
        return rng.choice(("[" * DEEP, '{"a":' * DEEP, "[" * DEEP + "]" * DEEP, "NaN", "1e999", ""))
    if how == 1:
        place = rng.randrange(len(content) + 1)
        return content[:place] + rng.choice(TEXTS[:20]) + content[place + rng.randrange(3) :]
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):  # it was changed before
        return content
    return json.dumps(tree(rng, found, lambda rng, _: plain(rng)))


def blob(rng: random.Random, content: bytes) -> bytes:
    """Return packed numbers, changed."""
    how = rng.randrange(7)
    place = rng.randrange(len(content) + 1)
    if how == 0:
        return content[:place]
    if how == 1:
        return content + content[:8] * rng.choice((1, 500))
    if how == 2:
        return content[::-1]
    if how == 3:
        numbers = np.frombuffer(content[: len(content) // 8 * 8], "<f8").copy()
        numbers[: rng.randrange(len(numbers) + 1)] = rng.choice((math.nan, math.inf, 1e308, 5e-324))
        return numbers.tobytes()
    if how == 4:
        return rng.choice(BLOBS)
    return content[:place] + rng.randbytes(8) + content[place + 8 :]


def bomb(size: int) -> bytes:
    """Return a zip as torch.save writes one, in which `size` zeros take a thousandth of that."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\0.")
        archive.writestr("archive/data/0", bytes(size))
    return sealed(out.getvalue())


def sealed(content: bytes) -> bytes:
    """Return content with its checksum before it."""
    return zlib.crc32(content).to_bytes(4) + content


def state(rng: random.Random, content: bytes) -> bytes:
    """Return a checkpoint, changed."""
    how = rng.randrange(12)
    if how == 0:
        return bomb(3_000_000)
    if how == 1:
        place = rng.randrange(4, len(content) + 1)
        return sealed(rng.choice((content[4:place], content[4:] + b"more")))
    if how == 2:
        changed = bytearray(content[4:])
        for _ in range(rng.choice((1, 5, 50))):
            changed[rng.randrange(min(len(changed), 4000))] = rng.randrange(256)
        return sealed(bytes(changed))
    if how == 3:
        return rng.choice(
            (
                b"",
                b"x" * 99,
                sealed(b""),
                sealed(b"bntui"),
                sealed((MAGIC + bytes([FORMAT]) + b"\xff") * 9),
            )
        )
    try:
        found = unpack(content)
    except ConfigError:  # it was changed before
        return content
    changed = tree(rng, found, _leaf)
    with suppress(TypeError, AttributeError):
        return pack(changed)
    return pack({"state": None})


def _leaf(rng: random.Random, leaf: Any) -> Any:
    """Return a leaf of a state, changed."""
    if not isinstance(leaf, torch.Tensor | np.ndarray) or rng.random() < 0.2:
        return plain(rng)
    kept = torch.as_tensor(leaf)
    how = rng.randrange(8)
    changed = {
        0: lambda: kept.flatten(),
        1: lambda: kept[: len(kept) // 2] if kept.dim() else kept[None],
        2: lambda: kept.repeat(2, *[1] * (kept.dim() - 1)) if kept.dim() else kept,
        3: lambda: kept.double(),
        4: lambda: kept.to(torch.uint8),
        5: lambda: torch.zeros(0, 2**40, dtype=kept.dtype),
        6: lambda: torch.full_like(kept, rng.choice((0, 1, 100, 255))),
        7: lambda: torch.full(kept.shape, rng.choice((math.nan, math.inf, -1e30, 1e30))),
    }[how]()
    if rng.random() < 0.5 and changed.numel() and how not in {3, 4, 7}:
        changed = changed.clone()
        numbers = (1, -1, 10**6) if not changed.is_floating_point() else (math.nan, -1.0, 1e30)
        with suppress(RuntimeError):
            changed.view(-1)[rng.randrange(changed.numel())] = rng.choice(numbers)
    return changed.numpy() if isinstance(leaf, np.ndarray) else changed


TABLES = (*CHECKED, "runs", "runs")
"""Of a store, whose rows are changed; the runs' more often."""


def store(rng: random.Random, path: Path, tables: tuple[str, ...] = TABLES) -> str:
    """Change rows of the store at `path`, of these tables; return what was done, in words."""
    done = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda found: found.decode("utf-8", "surrogateescape")
        connection.create_function("checksum", -1, checksum, deterministic=True)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            table = rng.choice(tables)
            rows = connection.execute(f"SELECT rowid AS place, * FROM {table}").fetchall()
            if rows:
                done.append(_row(rng, connection, table, rng.choice(rows)))
    return "; ".join(done)


def _row(rng: random.Random, connection: sqlite3.Connection, table: str, row: sqlite3.Row) -> str:
    column = rng.choice(CHECKED[table])
    if table == "checkpoints" and rng.random() < 0.8:
        column = "state"
    content = row[column]
    if rng.random() < 0.02:
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row["place"],))
        return f"{table} less a row"
    changed: Any
    is_state = column == "state" and isinstance(content, bytes) and len(content) > 4
    if is_state and rng.random() < 0.95:
        changed = state(rng, content)
    elif isinstance(content, bytes) and rng.random() < 0.8:
        changed = blob(rng, content)
    elif isinstance(content, str) and content[:1] in "{[" and rng.random() < 0.9:
        changed = text(rng, content)
    else:
        changed = value(rng)
    place = "CAST(? AS TEXT)" if isinstance(changed, bytes) and rng.random() < 0.3 else "?"
    if isinstance(changed, str):
        changed = changed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    # A key twice, or no value for what needs one.
    with suppress(sqlite3.IntegrityError, OverflowError):
        connection.execute(
            f"UPDATE {table} SET {column} = {place} WHERE rowid = ?", (changed, row["place"])
        )
        # Not by SQLite, which hands bytes that are no text to no function.
        now = connection.execute(
            f"SELECT * FROM {table} WHERE rowid = ?", (row["place"],)
        ).fetchone()
        connection.execute(
            f"UPDATE {table} SET checksum = ? WHERE rowid = ?",
            (checksum(*(now[name] for name in CHECKED[table])), row["place"]),
        )
    return f"{table}.{column} = {changed!r:.300}"


WORDS = (
    *("infinity", "nan", "1e999", "9" * 5000, "1" + "0" * 24, "-1", "0", "true", "[]", "{}", '""'),
    *(
        "[" * 500,
        '"' * 3,
        "\0",
        "\x1b[2J",
        "=",
        ".",
        "a.b.c",
        "1979-05-27",
        "07:32:00",
        "0x" + "f" * 20,
    ),
    *('"x"', "[[arm]]", "[arm.x]", "{a=1}", "'''", "\ufeff", "#", "65537", "1e-320", "[1, [2]]"),
)


def experiment(rng: random.Random, content: str) -> str:
    """Return an experiment's file, changed."""
    lines = content.splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(lines))
        line = lines[number]
        how = rng.randrange(7)
        if how == 0:
            del lines[number]
        elif how == 1:
            lines.insert(number, rng.choice(lines))
        elif how == 2 and "=" in line:
            lines[number] = f"{line.partition('=')[0]}= {rng.choice(WORDS)}"
        elif how == 3:
            lines.insert(number, ".".join("a" * rng.choice((2, 3000))) + " = 1")
        else:
            words = line.split(" ")
            words[rng.randrange(len(words))] = rng.choice(
                (*WORDS, "ghost", "0", "1e300", "lowest(")
            )
            lines[number] = " ".join(words)
        lines = lines or [""]
    return "\n".join(lines)
