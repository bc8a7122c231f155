"""The callback in Hugging Face's `Trainer`, and accelerate around a loop of one's own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from transformers import ResNetConfig, ResNetForImageClassification, Trainer, TrainingArguments

import bntui
from tests.probe.callbacks.trainings import CLASSES, equal, images, kept, network, states

pytestmark = pytest.mark.filterwarnings("ignore")


class Pictures(Dataset[dict[str, Tensor]]):
    """Images as the library's models take them."""

    def __init__(self, count: int, seed: int = 0) -> None:
        self.pixels, self.labels = images(count, seed).tensors

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        return {"pixel_values": self.pixels[at], "labels": self.labels[at]}


def resnet() -> Any:
    torch.manual_seed(0)
    config = ResNetConfig(
        num_channels=2, embedding_size=4, hidden_sizes=[6, 8], depths=[1, 1], layer_type="basic"
    )
    config.num_labels = CLASSES
    return ResNetForImageClassification(config)


class Told(Trainer):
    """Remembers the loss of every batch."""

    def compute_loss(self, *given: Any, **named: Any) -> Any:
        loss: Any = super().compute_loss(*given, **named)
        if given[0].training:
            self.told = [*getattr(self, "told", []), float(loss)]
        return loss


def trainer_of(folder: Path, **given: Any) -> Any:
    arguments = TrainingArguments(
        output_dir=str(folder / "out"),
        num_train_epochs=2,
        per_device_train_batch_size=12,
        per_device_eval_batch_size=24,
        learning_rate=0.01,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
        dataloader_pin_memory=False,
        **given,
    )
    return Told(
        model=resnet(), args=arguments, train_dataset=Pictures(96), eval_dataset=Pictures(48, 1)
    )


def test_a_training_is_watched_and_left_as_it_was(tmp_path: Path, capsys: Any) -> None:
    store = tmp_path / "runs.db"
    plain, watched = trainer_of(tmp_path), trainer_of(tmp_path)
    plain.train()
    said = capsys.readouterr().out
    watched.add_callback(
        bntui.TransformersCallback(
            validation=watched.get_eval_dataloader(), every=5, store=store, name="mine"
        )
    )
    watched.train()
    assert watched.told == plain.told
    assert equal(states(watched.model), states(plain.model))
    lines = zip(capsys.readouterr().out.splitlines(), said.splitlines(), strict=True)
    assert all(one.split("_runtime")[0] == other.split("_runtime")[0] for one, other in lines)
    run = kept(store)
    assert (run.state, run.updates) == ("finished", 16)
    assert run.losses == pytest.approx(plain.told)
    assert "val_acc" in run.series
    assert any(name.startswith("drift:resnet.") for name in run.series)
    assert (run.watched.model, run.watched.score) == ("mine", "accuracy")
    assert run.watched.findings


def test_accumulated_gradients_are_one_update(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    trainer = trainer_of(tmp_path, gradient_accumulation_steps=4)
    trainer.add_callback(bntui.TransformersCallback(store=store))
    trainer.train()
    run = kept(store)
    assert run.updates == 4
    # The trainer leaves it to a model that takes keywords to divide its loss by 4, and this one doesn't.
    sums = [sum(trainer.told[start : start + 4]) for start in range(0, 16, 4)]
    assert run.losses == pytest.approx(sums)
    assert trainer.state.log_history[-1]["train_loss"] == pytest.approx(sum(sums) / 4)


def accelerated(*, watch: bool, store: Path) -> tuple[list[float], list[Tensor]]:
    """Train in a loop of one's own; the last update of an epoch is of fewer batches."""
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=3)
    torch.manual_seed(0)
    model = network()
    training = DataLoader(images(96), 12, shuffle=True)
    model, sgd, training, validation = accelerator.prepare(
        model,
        torch.optim.SGD(model.parameters(), 0.05, momentum=0.9),
        training,
        DataLoader(images(48, 1), 24),
    )
    probe = None
    if watch:
        probe = bntui.watch(model, validation=validation, training=training, every=1, store=store)
    losses: list[float] = []
    for _ in range(2):
        for inputs, labels in training:
            with accelerator.accumulate(model):
                loss = cross_entropy(model(inputs), labels)
                accelerator.backward(loss)
                sgd.step()
                sgd.zero_grad()
                losses.append(loss.item())
    if probe:
        probe.close()
    return losses, states(model)


def test_accelerate_needs_no_callback(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    losses, end = accelerated(watch=False, store=store)
    others, other_end = accelerated(watch=True, store=store)
    assert others == losses
    assert equal(other_end, end)
    run = kept(store)
    assert run.updates == 6
    groups = [(0, 3), (3, 6), (6, 8), (8, 11), (11, 14), (14, 16)]
    assert run.losses == pytest.approx([sum(losses[a:b]) / 3 for a, b in groups])
    assert run.watched.score == "accuracy"
