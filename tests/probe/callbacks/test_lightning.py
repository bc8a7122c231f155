"""The callback in trainers of Lightning, by both of its names."""

import importlib
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

import bntui
from tests.probe.callbacks.trainings import Kept, equal, images, kept, network, states

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = ("lightning.pytorch", "pytorch_lightning")


@pytest.fixture(params=NAMES)
def library(request: pytest.FixtureRequest) -> Any:
    loaded = importlib.import_module(request.param)
    for name in NAMES:
        logging.getLogger(name).setLevel(logging.ERROR)
    return loaded


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def module(library: Any, *, kind: str = "plain") -> Any:
    class Module(library.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network()
            self.losses: list[float] = []

        def training_step(self, batch: Any, number: int) -> Tensor:
            loss = cross_entropy(self.network(batch[0]), batch[1])
            self.losses.append(loss.item())
            return loss

        def validation_step(self, batch: Any, number: int) -> None:
            self.log("val_loss", cross_entropy(self.network(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.05, momentum=0.9)

    class WithForward(Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.network(inputs)  # type: ignore[no-any-return]

    class OfTwo(Module):
        def forward(self, inputs: Tensor, scale: float) -> Tensor:
            return scale * self.network(inputs)  # type: ignore[no-any-return]

    torch.manual_seed(0)
    return {"plain": WithForward, "without forward": Module, "of two": OfTwo}[kind]()


def fitted(library: Any, model: Any, folder: Path, *callbacks: Any, **given: Any) -> Any:
    trainer = library.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **given,
    )
    training = DataLoader(images(96), 12, shuffle=True)
    torch.manual_seed(1)
    trainer.fit(model, training, DataLoader(images(48, 1), 24))
    return trainer


def test_a_fit_is_watched_and_left_as_it_was(library: Any, tmp_path: Path, store: Path) -> None:
    plain, watched = module(library), module(library)
    fitted(library, plain, tmp_path)
    drawn = torch.rand(1)
    callback = bntui.LightningCallback(every=5, store=store)
    trainer = fitted(library, watched, tmp_path, callback)
    assert torch.equal(torch.rand(1), drawn)
    assert watched.losses == plain.losses
    assert equal(states(watched), states(plain))
    assert "val_loss" in trainer.callback_metrics
    run = kept(store)
    assert (run.state, run.updates) == ("finished", 16)
    assert run.losses == pytest.approx(plain.losses)
    assert_looked(run)


def assert_looked(run: Kept) -> None:
    assert {"val_acc", "drift:network.1", "drift:network.5"} <= run.series
    assert run.watched.score == "accuracy"
    assert run.watched.findings
    assert run.watched.optimizer == "SGD"


def test_the_loss_of_accumulated_gradients_is_the_mean(
    library: Any, tmp_path: Path, store: Path
) -> None:
    model = module(library)
    fitted(
        library, model, tmp_path, bntui.LightningCallback(store=store), accumulate_grad_batches=4
    )
    run = kept(store)
    assert run.updates == 4
    means = [sum(model.losses[start : start + 4]) / 4 for start in range(0, 16, 4)]
    assert run.losses == pytest.approx(means)


@pytest.mark.parametrize(
    ("kind", "given"),
    [("without forward", {}), ("of two", {}), ("plain", {"validation": False})],
)
def test_without_validation_statistics_alone_are_watched(
    kind: str, given: Any, library: Any, tmp_path: Path, store: Path
) -> None:
    model = module(library, kind=kind)
    fitted(library, model, tmp_path, bntui.LightningCallback(every=5, store=store, **given))
    run = kept(store)
    assert run.watched.score == ""
    assert not any("failed" in note for note in run.watched.notes)
    assert "drift:network.1" in run.series


def test_how_a_module_is_run_can_be_said(library: Any, tmp_path: Path, store: Path) -> None:
    callback = bntui.LightningCallback(
        every=5, store=store, forward=lambda module, batch: module(batch[0], 2.0)
    )
    fitted(library, module(library, kind="of two"), tmp_path, callback)
    assert kept(store).watched.score == "accuracy"


def test_a_fit_that_fails_is_kept_as_failed(library: Any, tmp_path: Path, store: Path) -> None:
    model = module(library)

    def fail(*_: Any) -> None:
        if len(model.losses) == 3:
            raise ZeroDivisionError

    model.network[-1].register_forward_hook(fail)
    with pytest.raises(ZeroDivisionError):
        fitted(library, model, tmp_path, bntui.LightningCallback(store=store, validation=False))
    run = kept(store)
    assert (run.state, run.updates) == ("failed", 3)


def test_a_fit_that_follows_is_another_run(library: Any, tmp_path: Path, store: Path) -> None:
    callback = bntui.LightningCallback(store=store, name="mine")
    for _ in range(2):
        fitted(library, module(library), tmp_path, callback)
    from bntui.store.database import Store

    with Store(store) as opened:
        assert [run.updates for run in opened.runs()] == [16, 16]
        assert {run.watched.model for run in opened.runs() if run.watched} == {"mine"}


def test_what_it_is_not_for_is_refused(library: Any, tmp_path: Path) -> None:
    model = module(library)
    model.network = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    with pytest.raises(bntui.ProbeError, match="no layers with running statistics"):
        fitted(library, model, tmp_path, bntui.LightningCallback(store=False))
