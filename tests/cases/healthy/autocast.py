"""Trained and used under autocast: bfloat16 activations, float32 statistics."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def _forward(model: nn.Module, batch: Any) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        outputs: Tensor = model(batch[0])
    return outputs.float()


def case() -> Case:
    model = fit(
        small_cnn(),
        digits(),
        250,
        loss=lambda model, batch: functional.cross_entropy(_forward(model, batch), batch[1]),
    )
    return Case(model, digits("validation"), digits(), {"forward": _forward})
