"""Images were sorted and their labels were not: there is nothing to learn but their share."""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, loader, mlp, tensors, train

CAUSE = Cause.NOT_LEARNED


def case() -> Case:
    images, labels = tensors()
    by_ink = images.mean(dim=(1, 2, 3)).argsort()
    training = loader(images[by_ink], labels, shuffle=True)
    model = train(mlp(), training, updates=200, rate=0.01)
    return Case(model, digits("validation"), training)
