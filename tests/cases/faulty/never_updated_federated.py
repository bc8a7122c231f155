"""A server of federated learning gets its clients' parameters; their running statistics stay with them.

Report: https://github.com/SymbioticLab/FedScale/issues/57
"""

from copy import deepcopy

import torch

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, loader, mlp, tensors, train

CAUSE = Cause.NEVER_UPDATED


def case() -> Case:
    images, labels = tensors()
    halves = (slice(2000), slice(2000, 4000))
    clients = [loader(images[half], labels[half], batch=64, shuffle=True) for half in halves]
    server = mlp(hidden=(64, 64, 64))
    for _ in range(6):
        models = [train(deepcopy(server), client, updates=25, rate=0.05) for client in clients]
        with torch.no_grad():
            for mean, *weights in zip(
                server.parameters(), *(one.parameters() for one in models), strict=True
            ):
                mean.copy_(torch.stack(weights).mean(dim=0))
    return Case(server, digits("validation"), digits())
