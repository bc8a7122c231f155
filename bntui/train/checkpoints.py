"""Moments of a run that can be returned to, as bytes: enough to go on bit for bit.

A state is a tree of plain values, arrays and tensors. Knows nothing of what is in it: trainer, observer
and session say so themselves (`state` and `restore`), as dataclasses that what is read must fit.
"""

import json
import math
import os
import zlib
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from tempfile import TemporaryFile
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bntui.core.border import BorderError, Length, convert, parsed, shown
from bntui.core.snapshot import Checkpoint
from bntui.core.text import ConfigError
from bntui.machine.places import temporary_folder

WORD = 4
"""Bytes of a CRC-32, and of a length."""
MAGIC = b"bntui"
FORMAT = 3
"""Raised whenever what is in a state changes, but for a field that may be missing."""
ARRAY = "$array"
"""What stands for an array in the outline of a state: whether it is a tensor, its kind and shape."""
DTYPES = frozenset({"f4", "f8", "i4", "i8", "u1", "b1"})
"""Kinds of arrays, as numpy writes them; all little-endian."""
_Form: Any = tuple[bool, str, Annotated[list[int], Length(0, 8)]]
MOST_BYTES = 256_000_000
"""What all checkpoints of a run may take on disk, together."""
MOST_CHECKPOINTS = 128
"""Checkpoints of a run: more are too many to choose from."""
SHARE = 0.02
"""Share of the time that checkpoints at epoch ends may take."""


def pack(state: Any) -> bytes:
    """Return `state` as bytes: a checksum, what it is, and its arrays one behind the other.

    A state is made of dataclasses, dictionaries with texts for keys, lists, tuples, numbers, texts,
    None, tensors and arrays of the kinds in `DTYPES`.
    """
    arrays: list[bytes] = []
    outline = json.dumps(_outline(state, arrays)).encode()
    content = b"".join([MAGIC, bytes([FORMAT]), len(outline).to_bytes(WORD), outline, *arrays])
    return zlib.crc32(content).to_bytes(WORD) + content


def unpack(content: bytes) -> dict[str, Any]:
    """Return the state that `pack` wrote, its tensors on the CPU, dataclasses as dictionaries.

    Takes about as much memory as `content`, and an outline of at most `LONGEST_JSON`, whatever is in
    it: nothing in it is compressed, or shared, or run. Raises ConfigError if it is damaged or of
    another version.
    """
    checksum, content = content[:WORD], content[WORD:]
    old = content.startswith(b"PK")  # the zip of torch.save, format 1
    try:
        if zlib.crc32(content).to_bytes(WORD) != checksum:
            raise BorderError("wrong checksum")
        if not old and not content.startswith(MAGIC):
            raise BorderError("no state")
        version = 1 if old else content[len(MAGIC)]
        state = _unpacked(content[len(MAGIC) + 1 :]) if version == FORMAT else {}
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError) as error:
        raise ConfigError(
            "the checkpoint is damaged: return to another one, or repeat the run from its start."
        ) from error
    if version != FORMAT:
        raise ConfigError(
            f"the checkpoint has format {version} and this bntui reads {FORMAT}: repeat the run "
            "from its start."
        )
    return state


def _outline(value: Any, arrays: list[bytes]) -> Any:
    """Return what JSON can say of a value, and append what it can't to `arrays`."""
    if isinstance(value, Tensor | np.ndarray):
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        arrays.append(array.tobytes())
        return {ARRAY: [isinstance(value, Tensor), array.dtype.str[1:], list(array.shape)]}
    if is_dataclass(value):
        return {one.name: _outline(getattr(value, one.name), arrays) for one in fields(value)}
    if isinstance(value, dict):
        return {key: _outline(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_outline(item, arrays) for item in value]
    return value


def _unpacked(content: bytes) -> dict[str, Any]:
    size, begin = int.from_bytes(content[:WORD]), WORD
    outline = content[begin : begin + size]
    reader = _Arrays(content, begin + size)
    state = reader.filled(parsed(outline.decode()))
    if reader.place != len(content) or not isinstance(state, dict):
        raise BorderError("more than the arrays that it tells of, or fewer")
    return state


class _Arrays:
    """Reads arrays one behind the other, so that no two of them share memory."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self.place = place
        """Where the next one begins."""

    def filled(self, outline: Any) -> Any:
        """Return what an outline tells of, its arrays in their places. Raises ValueError."""
        if isinstance(outline, list):
            return [self.filled(item) for item in outline]
        if not isinstance(outline, dict):
            return outline
        if ARRAY in outline:
            return self._next(*convert(_Form, outline[ARRAY]))
        return {key: self.filled(item) for key, item in outline.items()}

    def _next(self, is_tensor: bool, kind: str, shape: list[int]) -> Tensor | NDArray[Any]:
        if kind not in DTYPES:
            raise BorderError(f"arrays of {shown(kind)} are not kept")
        count = math.prod(shape)
        end = self.place + count * np.dtype(kind).itemsize
        if end > len(self._content):
            raise BorderError("an array is cut short")
        found = np.frombuffer(self._content, "u1" if kind == "b1" else kind, count, self.place)
        self.place = end
        # A copy, aligned and its own; of bytes that are to be yes or no, any but 0 is yes.
        array = (found != 0 if kind == "b1" else found.copy()).reshape(shape)
        return torch.from_numpy(array) if is_tensor else array


class Spilled:
    """Bytes in a place of a `SpillFile`, which is free again when this object ends."""

    def __init__(self, file: "SpillFile", place: int, room: int, size: int) -> None:
        self._file, self._place, self._room, self._size = file, place, room, size

    def __len__(self) -> int:
        """Return how many there are."""
        return self._size

    def __del__(self) -> None:
        self._file.free.append((self._place, self._room))

    def read(self) -> bytes:
        """Return them, to any thread. Raises OSError."""
        return self._file.read(self._place, self._size)


class SpillFile:
    """A temporary file without a name, in which many things come and go."""

    def __init__(self) -> None:
        """Make it. Raises OSError."""
        self._file = TemporaryFile(dir=temporary_folder(), buffering=0)  # noqa: SIM115 - open as long as this lives
        self._end = 0
        self.free: list[tuple[int, int]] = []
        """Where something was, and how much room it had. Any thread may add to it."""

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def put(self, content: bytes) -> Spilled:
        """Write `content` where there is room for it, else at the end. Raises OSError."""
        size = len(content)
        fitting = next((span for span in self.free if span[1] >= size), None)
        if fitting:
            self.free.remove(fitting)
            place, room = fitting
        else:
            # A power of two, so that the place of one is large enough for a later one that has
            # grown. What was never written takes no room on the disk.
            place, room = self._end, 1 << max(0, size - 1).bit_length()
            self._end += room
        spilled = Spilled(self, place, room, size)
        written = 0
        while written < size:
            written += os.pwrite(self._file.fileno(), content[written:], place + written)
        return spilled

    def read(self, place: int, size: int) -> bytes:
        """Return the bytes of a place. Raises OSError."""
        return os.pread(self._file.fileno(), size, place)


class Checkpoints:
    """The checkpoints of one run: the oldest thin out when there are too many.

    Their states lie in a temporary file, or in memory where there is no room for one.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most: int = MOST_CHECKPOINTS) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._kept: list[Checkpoint] = []
        self._file: SpillFile | None = None

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one more; of two at the same update the later one stays."""
        if self._kept and self._kept[-1].update == checkpoint.update:
            self._kept.pop()
        with suppress(OSError):
            self._file = self._file or SpillFile()
            checkpoint = replace(checkpoint, state=self._file.put(checkpoint.content()))
        self._kept.append(checkpoint)
        while self._too_many():
            older = len(self._kept) // 2
            if older < 2:
                del self._kept[:-1]
                break
            del self._kept[1 : older + 1 : 2]  # every second one of the older half, not the first

    def view(self) -> tuple[Checkpoint, ...]:
        """Return all that are kept, oldest first."""
        return tuple(self._kept)

    def _too_many(self) -> bool:
        size = sum(len(kept.state) for kept in self._kept)
        return size > self._most_bytes or len(self._kept) > self._most
