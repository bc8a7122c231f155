"""track_running_stats=False: in eval mode too, every prediction depends on the other images of its batch.

Report: https://github.com/xu-ji/IIC/issues/49
"""

import torch
from torch import nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, train

CAUSE = Cause.BATCH_DEPENDENT


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in ((784, 64), (64, 64)):
        norm = nn.BatchNorm1d(outputs, track_running_stats=False)
        layers += [nn.Linear(inputs, outputs), norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def case() -> Case:
    training = digits()
    model = train(network(), training, updates=300, rate=0.05)
    return Case(model.eval(), digits("validation", batch=4), training)
