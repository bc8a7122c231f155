"""Files that would run code if they were unpickled: a checkpoint, and a user's .npz."""

import io
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bntui.core.text import ConfigError
from bntui.data.npz import read_npz
from bntui.train.checkpoints import unpack
from tools.faults import Fault


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> tuple[object, tuple[str, int, bool]]:
        return os.makedirs, (self.trace, 0o777, True)


@pytest.mark.fault("malicious checkpoint", injected="a pickle that runs code, its checksum right")
def test_a_checkpoint_runs_nothing(tmp_path: Path, fault: Fault) -> None:
    trace, out = tmp_path / "trace", io.BytesIO()
    torch.save({"format": 1, "trainer": Evil(trace)}, out)
    content = out.getvalue()
    torch.load(io.BytesIO(content), weights_only=False)
    trace.rmdir()  # fails unless it would have run
    with pytest.raises(ConfigError) as told:
        unpack(zlib.crc32(content).to_bytes(4) + content)
    assert not trace.exists()
    fault.saw, fault.lost = str(told.value), "nothing; no code ran"


@pytest.mark.fault("malicious .npz", injected="an array of Python objects that runs code")
@pytest.mark.parametrize("name", ["x_train", "y_test"])
def test_an_npz_runs_nothing(tmp_path: Path, fault: Fault, name: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / "data.npz"
    images, labels = np.zeros((4, 16, 16), np.uint8), np.arange(4) % 2
    arrays: dict[str, Any] = {
        "x_train": images,
        "y_train": labels,
        "x_test": images,
        "y_test": labels,
    }
    evil = np.array([Evil(trace)] * 4, dtype=object)
    np.savez(path, **(arrays | {name: evil}))
    with np.load(path, allow_pickle=True) as loaded:
        loaded[name]
    trace.rmdir()
    with pytest.raises(ConfigError) as told:
        read_npz(path, None, lambda: None)
    assert not trace.exists()
    assert "could run any code" in str(told.value)
    fault.saw, fault.lost = "one sentence: it holds Python objects", "nothing; no code ran"
