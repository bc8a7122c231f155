"""A conversion from another library maps names by hand, and leaves out the statistics of the shortcuts.

Report: https://github.com/pytorch/pytorch/issues/39721
"""

import torch
from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.PARTLY_UNTOUCHED


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(images)) + self.downsample(images))


def residual(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        Block(1, 8), Block(8, 16), Block(16, 32), nn.Flatten(), nn.Linear(32 * 16, 10)
    )


def case() -> Case:
    training = digits()
    trained = train(residual(0), training, updates=200, rate=0.05)
    converted = {
        name: tensor
        for name, tensor in trained.state_dict().items()
        if "downsample.1.running" not in name and "num_batches_tracked" not in name
    }
    model = residual(1)
    model.load_state_dict(converted, strict=False)
    return Case(model.eval(), digits("validation"), training)
