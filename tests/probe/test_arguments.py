"""Arguments that a check can't use are refused in one sentence, before anything is measured."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bntui.probe.check import check
from bntui.probe.errors import ProbeError
from bntui.probe.recalibration import recalibrate

BATCHES = [(torch.randn(8, 3), torch.arange(8) % 3) for _ in range(4)]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"samples": 0}, "samples must be a whole number from 1 on: 0 was given."),
        ({"fresh_batches": True}, "fresh_batches must be a whole number from 1 on: True was given."),
        ({"seed": -1}, "seed must be a whole number from 0 to 2^63 - 1: -1 was given."),
        ({"seed": "x"}, "seed must be a whole number from 0 to 2^63 - 1: 'x' was given."),
        ({"seed": 2**63}, f"seed must be a whole number from 0 to 2^63 - 1: {2**63} was given."),
        ({"forward": 3}, "forward is of the type int, not a function: give a function of model and batch."),
        (
            {"forward": lambda batch: batch},
            "forward can't be called as forward(model, batch) (too many positional arguments): give a "
            "function of model and batch.",
        ),
        (
            {"metric": "accuracy"},
            "metric is of the type str, not a function: give a function of outputs and targets.",
        ),
        (
            {"averaged_from": {}},
            "averaged_from is of the type dict: give the nn.Module whose weights the model averages.",
        ),
        (
            {"against": "model.onnx"},
            "against is of the type str, which can't be called: give an nn.Module, or a function that is "
            "called like the model.",
        ),
        (
            {"against": nn.LazyLinear(3)},
            "against: weight has no shape yet, as in lazy layers: run a batch through the model first.",
        ),
    ],
)  # fmt: skip
def test_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProbeError) as caught:
        check(nn.BatchNorm1d(3), BATCHES, **given)
    assert str(caught.value) == sentence


def test_recalibration_refuses_a_forward_that_can_not_be_called() -> None:
    with pytest.raises(ProbeError, match=r"^forward can't be called as forward\(model, batch\)"):
        recalibrate(nn.BatchNorm1d(3), BATCHES, forward=lambda: None)  # type: ignore[misc,arg-type]


def test_whole_numbers_of_other_types_are_taken() -> None:
    report = check(nn.BatchNorm1d(3), BATCHES, samples=np.int64(16), seed=np.uint8(1))  # type: ignore[arg-type]
    assert report.notes[0] == "16 validation samples were taken."
