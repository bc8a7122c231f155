"""Training as people do it for a model that they keep: AdamW, and a rate that ends near 0."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.cases.data import endless

Model = TypeVar("Model", bound=nn.Module)


def cross_entropy(model: nn.Module, batch: Any) -> Tensor:
    """Return the mean loss of a batch (inputs, labels)."""
    return functional.cross_entropy(model(batch[0]), batch[1])


def fit(
    model: Model,
    training: Iterable[Any],
    updates: int,
    rate: float = 0.005,
    loss: Callable[[Model, Any], Tensor] = cross_entropy,
    after: Callable[[int], None] | None = None,
) -> Model:
    """Train under OneCycle and leave the model in eval mode; `after` gets the number of updates.

    At the end the weights hardly move any more, so running statistics are those of the last weights.
    """
    torch.manual_seed(1)
    weights = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=updates)
    model.train()
    for update, batch in zip(range(1, updates + 1), endless(training), strict=False):
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
        schedule.step()
        if after is not None:
            after(update)
    return model.eval()
