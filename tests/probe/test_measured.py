"""What a check says was measured: on the samples that it names, by the count that it gives, or not at all."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.probe.causes import Cause
from bntui.probe.check import check
from bntui.probe.report import Report
from tests.probe.test_check import TRAINING, VALIDATION, Perceptron


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    torch.manual_seed(0)
    model = Perceptron()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for inputs, labels in TRAINING * 8:
        loss = cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def said(report: Report) -> str:
    return " ".join(" ".join(one.evidence) for one in report.verdicts)


class Sequences(nn.Module):
    """BN over positions: (batch, length, channels) as rows (batch·length, channels)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last = nn.BatchNorm1d(10), nn.Linear(10, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        several = inputs[:, None, :].repeat(1, 50, 1)
        rows = self.norm(several.reshape(-1, 10)).reshape(len(inputs), 50, 10)
        outputs: Tensor = self.last(rows.mean(1))
        return outputs


def test_values_are_those_that_a_layer_gets_however_the_model_shapes_them() -> None:
    training = [(x[:4], y[:4]) for x, y in TRAINING]
    report = check(Sequences(), VALIDATION, training)
    assert report.layers[0].values == 200
    assert Cause.FEW_VALUES not in [one.cause for one in report.verdicts]
