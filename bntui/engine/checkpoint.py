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

CHECKSUM = 4
"""Bytes of a CRC-32."""
FORMAT = 1
"""Raised whenever what is in a state changes."""
MOST_BYTES = 256_000_000
"""What all checkpoints of a run may take on disk, together."""
MOST = 128
"""Checkpoints of a run: each is an open file."""
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
    """Bytes in a temporary file without a name, which ends with this object."""

    def __init__(self, content: bytes) -> None:
        """Write `content`. Raises OSError."""
        self._size = len(content)
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as this lives
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) :]

    def __len__(self) -> int:
        """Return how many there are."""
        return self._size

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def read(self) -> bytes:
        """Return them, to any thread. Raises OSError."""
        return os.pread(self._file.fileno(), self._size, 0)


class Checkpoints:
    """The checkpoints of one run: the oldest thin out when there are too many.

    Their states lie in temporary files, or in memory where there is no room for files.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most: int = MOST) -> None:
        self._most_bytes = most_bytes
        self._most = most
        self._kept: list[Checkpoint] = []

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one more; of two at the same update the later one stays."""
        if self._kept and self._kept[-1].update == checkpoint.update:
            self._kept.pop()
        with suppress(OSError):
            checkpoint = replace(checkpoint, state=Spilled(checkpoint.content()))
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
