"""Labels without any meaning: the model learns nothing, in either mode."""

import torch

from tests.cases.case import Case
from tests.cases.data import Loader, loader, small_cnn, tensors
from tests.cases.fit import fit


def _meaningless(split: str) -> Loader:
    images = tensors(split)[0]
    labels = torch.randint(10, (len(images),), generator=torch.Generator().manual_seed(5))
    training = split == "training"
    return loader(images, labels, shuffle=training, drop_last=training)


def case() -> Case:
    training = _meaningless("training")
    return Case(fit(small_cnn(), training, 200), _meaningless("validation"), training)
