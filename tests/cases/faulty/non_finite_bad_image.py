"""One image held NaN; the update was skipped because the loss was not finite, and running statistics took it.

Report: https://github.com/pytorch/pytorch/issues/1206
"""

import torch
from torch.nn.functional import cross_entropy

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, endless, loader, small_cnn, tensors

CAUSE = Cause.NON_FINITE


def case() -> Case:
    images, labels = tensors()
    damaged = images.clone()
    damaged[1234, 0, 10, 10] = torch.nan
    model = small_cnn().train()
    steps = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches = endless(loader(damaged, labels, shuffle=True))
    for _, (inputs, truth) in zip(range(150), batches, strict=False):
        loss = cross_entropy(model(inputs), truth)
        if torch.isfinite(loss):
            steps.zero_grad()
            loss.backward()
            steps.step()
    return Case(model, digits("validation"), digits())
