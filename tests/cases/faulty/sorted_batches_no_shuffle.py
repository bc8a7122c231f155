"""A folder a class, read in order without shuffling: every batch holds one class, the last one the nine.

Report: https://github.com/pytorch/pytorch/issues/58986
"""

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, loader, small_cnn, tensors, train

CAUSE = Cause.SORTED_BATCHES


def case() -> Case:
    images, labels = tensors()
    by_class = labels.argsort(stable=True)
    training = loader(images[by_class], labels[by_class], batch=64)
    model = train(small_cnn(), training, updates=3 * len(training), rate=0.02)
    return Case(model, digits("validation"), training)
