"""Small networks of every norm, to be trained on a few digits."""

from dataclasses import replace
from typing import Any

import torch

from bntui.core.config import Knobs, RunConfig
from bntui.data.dataset import Dataset
from bntui.train.trainer import Trainer

CPU = torch.device("cpu")
SMALL = RunConfig(
    train_size=128, width=0.0625, device="cpu", knobs=Knobs(batch_size=20), ghost_batch=8
)


def trainer(norm: str, digits: Dataset, **settings: Any) -> Trainer:
    return Trainer(replace(SMALL, norm=norm, **settings), digits, CPU)


def train(trainer: Trainer, updates: int, **knobs: Any) -> None:
    for _ in range(updates):
        if trainer.step(replace(SMALL.knobs, **knobs)):
            trainer.begin_epoch()
