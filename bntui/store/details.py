"""What screens show of a run and series do not have: the last of each measurement, as rows and back.

A row has a measurement's plain values as JSON, and the numbers of its arrays behind one another as raw
little-endian bytes: ResNet-50's validation has 16 numbers for each of 26,560 channels.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from json import dumps
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from bntui.core.border import BorderError, Count, convert, parsed
from bntui.core.measured import (
    NO_DETAIL,
    ChannelExchanges,
    Channels,
    DataCheck,
    Difference,
    Exchanges,
    Hindsight,
    LayersWaiting,
    Noise,
    Recalibration,
    Validation,
    Waiting,
)
from bntui.core.snapshot import TWIN, Divergence, Snapshot
from bntui.core.text import literal
from bntui.core.watched import Watched

LARGEST = 64_000_000
"""Bytes of one measurement's arrays at most. Of a larger validation the channels are left out."""
WATCHED = "watched"
_ARRAYS = {"f4": np.float32, "f8": np.float64}


@dataclass(frozen=True, slots=True)
class Look:
    """What the last look at all momenta has beside its accuracies, which are series."""

    names: tuple[str, ...] = ()
    images: Count = 0
    gains: tuple[Difference, ...] = ()
    behind: tuple[Difference, ...] = ()
    recommended: float | None = None
    distance: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What a snapshot says of how far a run is, and the table of runs does not."""

    message: str = ""
    observing: bool = True
    epochs: Count = 0
    updates_per_epoch: Count = 0
    images_per_s: float = 0.0
    observed_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Detail:
    """One measurement, and the update that it is of."""

    kind: str
    """A field of `Snapshot`, `look` or `progress`; of a twin, with `twin:` before it."""
    at: int
    value: Any


MEASURED: dict[str, type[Any]] = {
    "validation": Validation,
    "what_if": Hindsight,
    "exchanges": Exchanges,
    "waiting": Waiting,
    "layers_waiting": LayersWaiting,
    "data_check": DataCheck,
    "channel_exchanges": ChannelExchanges,
    "recalibration": Recalibration,
    "recalibrated": Recalibration,
    "noise": Noise,
    "divergence": Divergence,
    WATCHED: Watched,
}
"""Fields of `Snapshot` that are kept as they are."""
KINDS: dict[str, type[Any]] = {**MEASURED, "look": Look, "progress": Progress}


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    at: Count
    words: str
    data: bytes


def details(snapshot: Snapshot) -> Iterator[tuple[str, int, object]]:
    """Return kind, update and the object itself of all that a snapshot and its twin have of these."""
    for name in MEASURED:
        value = getattr(snapshot, name)
        if value is not None and not (isinstance(value, Hindsight) and not len(value.updates)):
            yield name, _update_of(value, snapshot), value
    if snapshot.hindsight is not None and len(snapshot.hindsight.updates):
        yield "look", int(snapshot.hindsight.updates[-1]), snapshot.hindsight
    yield "progress", snapshot.update, _progress(snapshot)
    if snapshot.twin is not None:
        for name, update, value in details(snapshot.twin):
            yield TWIN + name, update, value


def packed(kind: str, value: object) -> tuple[str, bytes]:
    """Return one of these objects as JSON and bytes: what `read` makes the same of."""
    if isinstance(value, Hindsight) and kind.removeprefix(TWIN) == "look":
        value = _look(value)
    arrays: list[bytes] = []
    words = _plain(value, arrays)
    if isinstance(value, Validation) and sum(map(len, arrays)) > LARGEST:
        layers = tuple(replace(layer, detail=NO_DETAIL) for layer in value.layers)
        return packed(kind, replace(value, layers=layers))
    return dumps(words, allow_nan=False), b"".join(arrays)


def read(row: sqlite3.Row) -> Detail:
    """Return a measurement. Raises BorderError for one that is not as bntui writes it."""
    found = convert(_Row, {name: row[name] for name in ("kind", "at", "words", "data")})
    kind = KINDS.get(found.kind.removeprefix(TWIN))
    if kind is None:
        raise BorderError(f"{literal(found.kind)[:40]!r} is no measurement that this bntui knows")
    arrays = _Arrays(found.data)
    values = arrays.put_into(parsed(found.words))
    arrays.check_end()
    return Detail(found.kind, found.at, _sound(convert(kind, values)))


def with_details(snapshot: Snapshot, found: Mapping[str, Detail]) -> Snapshot:
    """Return a stored run's state with its measurements, those of its twin in its twin."""
    changes: dict[str, Any] = {name: found[name].value for name in MEASURED if name in found}
    changes = {name: value for name, value in changes.items() if _fits(value, snapshot)}
    if "progress" in found:
        progress = found["progress"].value
        told = {field.name: getattr(progress, field.name) for field in fields(progress)}
        # Where it is 0 or empty it was not known, and what the run's own row says may be more.
        changes |= {name: value for name, value in told.items() if value or name == "observing"}
        changes["message"] = snapshot.message or progress.message
    if snapshot.hindsight is not None and "look" in found:
        changes["hindsight"] = _with_look(snapshot.hindsight, found["look"])
    if snapshot.twin is not None:
        theirs = {
            kind.removeprefix(TWIN): detail
            for kind, detail in found.items()
            if kind.startswith(TWIN)
        }
        changes["twin"] = with_details(snapshot.twin, theirs)
    return replace(snapshot, **changes)


def _progress(snapshot: Snapshot) -> Progress:
    return Progress(
        message=snapshot.message,
        observing=snapshot.observing,
        epochs=snapshot.epochs,
        updates_per_epoch=snapshot.updates_per_epoch,
        images_per_s=snapshot.images_per_s,
        observed_share=snapshot.observed_share,
    )


def _look(hindsight: Hindsight) -> Look:
    return Look(
        names=hindsight.names,
        images=hindsight.images,
        gains=hindsight.gains,
        behind=hindsight.behind,
        recommended=hindsight.recommended,
        distance=hindsight.distance,
    )


def _with_look(hindsight: Hindsight, detail: Detail) -> Hindsight:
    """Return a map with what the last look has beside it, as far as it is of the same rows."""
    look: Look = detail.value
    hindsight = replace(hindsight, images=look.images, distance=look.distance)
    if look.names != hindsight.names or detail.at != hindsight.updates[-1]:
        return hindsight
    return replace(hindsight, gains=look.gains, behind=look.behind, recommended=look.recommended)


def _update_of(value: object, snapshot: Snapshot) -> int:
    if isinstance(value, Hindsight):
        return int(value.updates[-1])
    return int(getattr(value, "update", snapshot.update))


def _plain(value: Any, arrays: list[bytes]) -> Any:
    """Return a value as JSON has it; of an array its kind and shape, and its numbers into `arrays`."""
    if isinstance(value, np.ndarray):
        kind = f"f{value.dtype.itemsize}"
        arrays.append(np.ascontiguousarray(value, f"<{kind}").tobytes())
        return {kind: list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and not isfinite(value) else value


class _Arrays:
    """Arrays that lie behind one another in the order in which they are named."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._used = 0

    def put_into(self, value: Any) -> Any:
        """Return parsed JSON with the arrays in their places, and its texts fit to be shown."""
        if isinstance(value, str):
            return literal(value)
        if isinstance(value, list):
            return [self.put_into(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (kind := next(iter(value))) in _ARRAYS:
            return self._next(kind, value[kind])
        return {key: self.put_into(item) for key, item in value.items()}

    def check_end(self) -> None:
        """Raise BorderError if there are bytes left."""
        if self._used != len(self._data):
            raise BorderError("there are more numbers than arrays")

    def _next(self, kind: str, shape: object) -> npt.NDArray[Any]:
        """Return the next array, read-only; nothing is copied. Raises BorderError."""
        sizes = convert(tuple[int, ...], shape)
        count = 1
        for size in sizes:
            count *= size
        end = self._used + count * int(kind[1])
        if not 1 <= len(sizes) <= 2 or end > len(self._data):
            raise BorderError("an array is larger than its numbers")
        array = np.frombuffer(self._data, f"<{kind}", count, self._used).reshape(sizes)
        self._used = end
        return array.astype(_ARRAYS[kind], copy=False)


def _sound(value: Any) -> Any:
    """Return a measurement whose arrays have the sizes that they must have. Raises BorderError."""
    if isinstance(value, Validation):
        for layer in value.layers:
            _check_channels(layer.detail, layer.channels)
    if isinstance(value, Hindsight):
        rows, n = len(value.names), len(value.updates)
        _check(value.accuracy, (rows, n))
        for array in (value.updates, value.own, value.fresh, value.momentum):
            _check(array, (n,))
        if not n or len(value.gains) not in {0, rows} or len(value.behind) not in {0, rows}:
            raise BorderError("a look at all momenta has no moment, or not one number for each row")
    if isinstance(value, Look) and not {len(value.gains), len(value.behind)} <= {
        0,
        len(value.names),
    }:
        raise BorderError("a look at all momenta has not one number for each row")
    return value


def _check_channels(detail: Channels, channels: int) -> None:
    size = len(detail.mean_gap)
    if size not in {0, channels}:
        raise BorderError(f"a layer of {channels} channels has numbers of {size}")
    for field in fields(detail):
        if field.name != "values":
            _check(getattr(detail, field.name), (size,))
    if (values := detail.values) is not None:
        for array in (values.running, values.fresh, values.before, values.batch):
            _check(array, (2, size))
        for array in (values.scale, values.shift):
            _check(array, (size,))


def _check(array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise BorderError(f"an array is of {array.shape} and must be of {shape}")


def _fits(value: object, snapshot: Snapshot) -> bool:
    """Tell whether a measurement can be of this run: its predictions are of as many classes, if they have names."""
    if not isinstance(value, Validation) or snapshot.facts is None:
        return True
    classes = len(snapshot.facts.class_names)
    scores = (value.running, value.fresh, value.corrected)
    return not classes or all(len(score.predicted) in {0, classes} for score in scores if score)
