"""Moments of a run that can be returned to, as bytes: enough to go on bit for bit.

A state is a dict of plain numbers, strings, lists, arrays and tensors. Written with torch.save, it is
read back without executing anything (`weights_only`). Knows nothing of what is in it: trainer,
observer and session say so themselves (`state` and `restore`).
"""

import io
import os
import zlib
from contextlib import suppress
from dataclasses import replace
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import torch

from bntui.engine.config import ConfigError
from bntui.engine.snapshot import Checkpoint
from bntui.places import temporary_folder

CHECKSUM = 4
"""Bytes of a CRC-32."""
FORMAT = 1
"""Raised whenever what is in a state changes."""
MOST_BYTES = 256_000_000
"""What all checkpoints of a run may take on disk, together."""
MOST = 128
"""Checkpoints of a run: more are too many to choose from."""
SHARE = 0.02
"""Share of the time that checkpoints at epoch ends may take."""


def pack(state: dict[str, Any]) -> bytes:
    """Return `state` as bytes, its checksum first: torch reads damaged numbers without a word."""
    out = io.BytesIO()
    torch.save(_tensors({"format": FORMAT, **state}), out)
    content = out.getvalue()
    return zlib.crc32(content).to_bytes(CHECKSUM) + content


def unpack(content: bytes) -> dict[str, Any]:
    """Return the state that `pack` wrote, its tensors on the CPU and its arrays as tensors.

    Raises ConfigError if it is damaged or of another version.
    """
    checksum, content = content[:CHECKSUM], content[CHECKSUM:]
    try:
        if zlib.crc32(content).to_bytes(CHECKSUM) != checksum:
            raise ValueError("wrong checksum")
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        version = state["format"]
    except Exception as error:  # zip, pickle and torch each have their own ways to fail
        raise ConfigError(
            "the checkpoint is damaged: return to another one, or repeat the run from its start."
        ) from error
    if version != FORMAT:
        raise ConfigError(
            f"the checkpoint has format {version} and this bntui reads {FORMAT}: repeat the run "
            "from its start."
        )
    return dict(state)


def _tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: _tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tensors(item) for item in value]
    return value


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

    def __init__(self, most_bytes: int = MOST_BYTES, most: int = MOST) -> None:
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
