"""Batches that are dicts, passed by name to a model that gives a dict."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from tests.cases.case import Case
from tests.cases.data import small_cnn, tensors
from tests.cases.fit import fit


class Records(Dataset[dict[str, Tensor]]):
    """A dict for each digit."""

    def __init__(self, split: str) -> None:
        self.images, self.labels = tensors(split)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"image": self.images[index], "label": self.labels[index]}


class WithLoss(nn.Module):
    """Gives its outputs, and the loss where it is told the labels."""

    def __init__(self) -> None:
        super().__init__()
        self.net = small_cnn()

    def forward(self, image: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        outputs = {"logits": self.net(image)}
        if label is not None:
            outputs["loss"] = functional.cross_entropy(outputs["logits"], label)
        return outputs


def _correct(outputs: Any, batch: Mapping[str, Tensor]) -> Tensor:
    correct: Tensor = outputs["logits"].argmax(1) == batch["label"]
    return correct.float()


def _loss(model: nn.Module, batch: Any) -> Tensor:
    loss: Tensor = model(**batch)["loss"]
    return loss


def case() -> Case:
    order = torch.Generator().manual_seed(0)
    training = DataLoader(Records("training"), 64, shuffle=True, generator=order, drop_last=True)
    model = fit(WithLoss(), training, 250, loss=_loss)
    return Case(model, DataLoader(Records("validation"), 64), training, {"metric": _correct})
