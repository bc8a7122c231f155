"""BN layers' statistics by hand, in float64 and from hooks, and the trainer whose they are.

It is the thread's network at an eighth of its width in real training on the digits, so that dead
channels, borders and uneven batches come as they do in life.
"""

from functools import cache

import torch
from torch import Tensor, nn

from bntui.core.config import Knobs, RunConfig
from bntui.data import dataset
from bntui.data.dataset import Dataset
from bntui.measure.layers import Layers
from bntui.measure.unchanged import unchanged
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")


@cache
def digits() -> Dataset:
    return dataset.load("digits", train_size=500, device=CPU)


def small_trainer() -> Trainer:
    return Trainer(RunConfig(width=0.125), digits(), CPU)


def train(trainer: Trainer, updates: int, knobs: Knobs) -> None:
    for _ in range(updates):
        if trainer.step(knobs):
            trainer.begin_epoch()


def training_inputs(model: nn.Module, layers: Layers, images: Tensor) -> list[Tensor]:
    """Return what each BN layer gets in a training-mode pass."""
    inputs: list[Tensor] = []
    hooks = [
        layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0].clone()))
        for layer in layers.layers
    ]
    with torch.no_grad(), unchanged(model):
        model.train()
        model(images)
    for hook in hooks:
        hook.remove()
    return inputs


def by_hand(inputs: list[Tensor]) -> Tensor:
    """Return the means and biased variances (2, C), in float64, of what the layers get."""
    flat = [x.double().transpose(0, 1).flatten(1) for x in inputs]
    means = torch.cat([x.mean(1) for x in flat])
    return torch.stack([means, torch.cat([x.var(1, correction=0) for x in flat])])
