"""What real runs showed, kept in a file, so that every picture and every test shows the same.

A state is any of the frozen dataclasses that screens read: snapshots, kept runs. They lie in JSON by the
names of their fields, so a field that is added later takes its default, and one that is gone is left
out. An object that several states share is written once, and is one object again when it is read:
screens ask whether a measurement *is* the one before.
"""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bntui.core import config, measured, series, snapshot, sweep, watched
from bntui.store import rows, writing

FILE = Path(__file__).with_name("states.json.xz")
States = Mapping[str, Any]


def _kinds() -> dict[str, type]:
    modules = (config, measured, series, snapshot, sweep, watched, rows, writing)
    found = (value for module in modules for value in vars(module).values())
    return {
        kind.__name__: kind
        for kind in found
        if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum))
    }


class _Writer:
    """Turns objects into what JSON can hold; those seen before into their number."""

    def __init__(self) -> None:
        self.pool: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        """Keeps what was written from being collected: its id stands for it."""

    def written(self, value: Any) -> Any:
        """Return what stands for `value`."""
        if value is None or type(value) in {bool, int, str}:
            return value
        if isinstance(value, float):
            return value if np.isfinite(value) else {"float": str(value)}
        if isinstance(value, tuple | list):
            return [self.written(one) for one in value]
        if isinstance(value, datetime):
            return {"moment": value.isoformat()}
        if isinstance(value, Mapping):
            return {"map": [[key, self.written(one)] for key, one in value.items()]}
        if isinstance(value, bytes):
            return {"bytes": ""}  # weights: no screen shows them
        if id(value) not in self._numbers:
            node = self._node(value)
            self._numbers[id(value)] = len(self.pool)
            self._alive.append(value)
            self.pool.append(node)
        return {"see": self._numbers[id(value)]}

    def _node(self, value: Any) -> dict[str, Any]:
        if isinstance(value, np.ndarray):
            text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            return {"array": str(value.dtype), "shape": list(value.shape), "values": text}
        kind = type(value).__name__
        if isinstance(value, Enum):
            return {"kind": kind, "name": value.name}
        if is_dataclass(value):
            stated = {one.name: self.written(getattr(value, one.name)) for one in fields(value)}
            return {"kind": kind, "fields": stated}
        if hasattr(value, "read"):  # a checkpoint that lies in a file
            return {"kind": "bytes"}
        raise TypeError(f"a {kind} has no place among the states")


class _Reader:
    """Makes the objects again."""

    def __init__(self, pool: list[Any]) -> None:
        self._pool = pool
        self._made: dict[int, Any] = {}
        self._kinds = _kinds()

    def read(self, value: Any) -> Any:
        """Return the object that `value` stands for."""
        if isinstance(value, list):
            return tuple(self.read(one) for one in value)
        if not isinstance(value, dict):
            return value
        if "float" in value:
            return float(value["float"])
        if "moment" in value:
            return datetime.fromisoformat(value["moment"])
        if "map" in value:
            return {key: self.read(one) for key, one in value["map"]}
        if "bytes" in value:
            return b""
        number = value["see"]
        if number not in self._made:
            self._made[number] = self._object(self._pool[number])
        return self._made[number]

    def _object(self, node: dict[str, Any]) -> Any:
        if "array" in node:
            array = np.frombuffer(base64.b64decode(node["values"]), node["array"])
            return array.reshape(node["shape"])
        if node["kind"] == "bytes":
            return b""
        kind: Any = self._kinds[node["kind"]]
        if "name" in node:
            return kind[node["name"]]
        known = {one.name for one in fields(kind)}
        return kind(**{k: self.read(v) for k, v in node["fields"].items() if k in known})


def packed(states: States) -> bytes:
    """Return states, by their names, as the content of a file."""
    writer = _Writer()
    named = {name: writer.written(state) for name, state in states.items()}
    text = json.dumps({"pool": writer.pool, "states": named}, separators=(",", ":"))
    return lzma.compress(text.encode(), preset=9)


def unpacked(content: bytes) -> dict[str, Any]:
    """Return the states in the content of a file."""
    found = json.loads(lzma.decompress(content))
    reader = _Reader(found["pool"])
    return {name: reader.read(state) for name, state in found["states"].items()}


@cache
def kept_states() -> States:
    """Return the states that the repository keeps."""
    return unpacked(FILE.read_bytes())
