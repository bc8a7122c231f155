"""No step waits for its device: on a GPU every value read back would stop the queue."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bntui.core.config import NORMS, Knobs, RunConfig
from bntui.core.estimators import OWN_ESTIMATORS
from bntui.data import dataset
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")
SMALL = RunConfig(width=0.0625, depth=1, device="cpu", knobs=Knobs(batch_size=16))
READS = {"_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique2"}
"""Operators whose result, or its size, the host has to know: `.item()`, `if tensor`. A copy to the
host waits, too, but on a CPU there is none to be seen."""


class Watch(TorchDispatchMode):
    """Notes every operator that makes the host wait for the device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reads: list[str] = []
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        name = func.overloadpacket.__name__
        masked = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if name in READS or masked:
            self.reads.append(name)
        return func(*args, **(kwargs or {}))


def test_the_watch_sees_what_it_is_for() -> None:
    values = torch.arange(4.0)
    with Watch() as watch:
        values.sum().item()
        bool(values.any())
        values[values > 1]
    assert watch.reads == ["_local_scalar_dense", "_local_scalar_dense", "index"]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("norm", NORMS)
def test_a_step_reads_nothing_back(norm: str, optimizer: str) -> None:
    config = replace(SMALL, norm=norm, optimizer=optimizer, ghost_batch=5)
    digits = dataset.load("digits", train_size=40, device=CPU)
    trainer = Trainer(config, digits, CPU)
    for estimator in OWN_ESTIMATORS:
        with Watch() as watch:
            ended = trainer.step(replace(config.knobs, estimator=estimator))
        if ended:
            trainer.begin_epoch()
        assert watch.operators > 50
        assert watch.reads == []
