"""The weights of two fine-tuned models are averaged under the statistics of one of them.

Report: https://github.com/timgaripov/swa/issues/7
"""

from copy import deepcopy

import torch

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, loader, small_cnn, tensors, train

CAUSE = Cause.AVERAGED_WEIGHTS


def case() -> Case:
    images, labels = tensors()
    training = digits()
    first = train(small_cnn(pooled=True), training, updates=10, rate=0.2)
    second = deepcopy(first)
    halves = [
        loader(images[part], labels[part], batch=64, shuffle=True)
        for part in (slice(2000), slice(2000, 4000))
    ]
    train(first, halves[0], updates=150, rate=0.2)
    train(second, halves[1], updates=150, rate=0.2)
    soup = deepcopy(first)
    with torch.no_grad():
        for mixed, weight in zip(soup.parameters(), second.parameters(), strict=True):
            mixed.lerp_(weight, 0.5)
    return Case(soup, digits("validation"), training, {"averaged_from": second})
