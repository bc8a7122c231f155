"""Half of the training digits are ones, as in data from life; validation has all classes alike."""

import torch

from tests.cases.case import Case
from tests.cases.data import digits, loader, small_cnn, tensors
from tests.cases.fit import fit


def case() -> Case:
    images, labels = tensors()
    ones = (labels == 1).nonzero().flatten()
    others = (labels != 1).nonzero().flatten()[: len(ones) * 2]
    order = torch.cat([ones, ones, others])
    training = loader(images[order], labels[order], shuffle=True, drop_last=True)
    return Case(fit(small_cnn(), training, 300), digits("validation"), training)
