"""Lightning's Trainer, with its own validation."""

import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.simplefilter("ignore")


class Module(lightning.LightningModule):
    """A network with its loss and its optimiser."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, images: Tensor) -> Tensor:
        """Return logits."""
        return self.network(images)  # type: ignore[no-any-return]

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        """Return the loss."""
        loss = functional.cross_entropy(self(batch[0]), batch[1])
        tell(number, loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], number: int) -> None:
        """Tell the loss of a validation batch."""
        tell(number, functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self) -> Any:
        """Return the optimiser."""
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


seed()
training, validation = loaders()
model = Module()
with TemporaryDirectory() as folder:
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=Path(folder),
    )
    with watched(model, validation=validation, training=training):
        trainer.fit(model, training, validation)
keep(model=model, optimizer=trainer.optimizers[0])
