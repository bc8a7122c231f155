"""The sampler fills every batch from one class, and batch norm takes away what the class has in common.

Report: https://github.com/vlfeat/matconvnet/issues/393
"""

import torch
from torch.utils.data import DataLoader, TensorDataset

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, mlp, tensors, train

CAUSE = Cause.SORTED_BATCHES


def batches_of_one_class(labels: torch.Tensor, batch: int) -> list[list[int]]:
    order = torch.Generator().manual_seed(0)
    batches: list[list[int]] = []
    for label in range(10):
        members = (labels == label).nonzero().flatten()
        members = members[torch.randperm(len(members), generator=order)]
        batches += [part.tolist() for part in members.split(batch) if len(part) == batch]
    return [batches[index] for index in torch.randperm(len(batches), generator=order).tolist()]


def case() -> Case:
    images, labels = tensors()
    sampler = batches_of_one_class(labels, batch=32)
    training = DataLoader(TensorDataset(images, labels), batch_sampler=sampler)
    model = train(mlp(hidden=(128,)), training, updates=900, rate=0.005, optimizer="adam")
    return Case(model, digits("validation"), training)
