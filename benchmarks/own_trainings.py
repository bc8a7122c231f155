"""Trainings of a user's own that `benchmarks.watch` measures, by themselves and watched in several ways."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.check import CLASSES, images_of
from benchmarks.throughput import network

if TYPE_CHECKING:
    from torch import Tensor, nn

RESNET, OURS = "ResNet-18, 32 of 64×64", "bntui's network, 64 of 28×28"
MODELS = (RESNET, OURS)
BLOCK = 4
"""Steps of one training before it is the other's turn."""
BATCHES, VALIDATION = 64, 512
"""Training batches of an epoch, and validation images."""
UNWATCHED, WATCHED = "unwatched", "bntui.watch"


class Training:
    """A plain loop over synthetic images, the same from the same seed."""

    def __init__(self, name: str, quick: bool) -> None:
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        torch.manual_seed(0)
        batch = 32 if name == RESNET else 64
        side = (32 if quick else 64) if name == RESNET else 28
        self.model = _resnet() if name == RESNET else network(0.25 if quick else 1.0)
        count = batch * (4 if quick else BATCHES)
        splits = [images_of(count, side, 1), images_of(64 if quick else VALIDATION, side, 2)]
        if name == OURS:
            splits = [split.mean(1, keepdim=True) for split in splits]
        sets = [TensorDataset(split, torch.arange(len(split)) % CLASSES) for split in splits]
        self.training = DataLoader(sets[0], batch, shuffle=True, drop_last=True)
        self.validation = DataLoader(sets[1], 128)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)
        self.loss: Callable[..., Tensor] = torch.nn.functional.cross_entropy
        self.around_backward: Callable[[Tensor, Any, Any], AbstractContextManager[Any]] | None = (
            None
        )
        self._batches = self._endless()

    def _endless(self) -> Iterator[Any]:
        while True:
            yield from self.training

    def step(self) -> "Tensor":
        """Make one update, and return its loss."""
        images, labels = next(self._batches)
        self.optimizer.zero_grad()
        outputs = self.model(images)
        loss = self.loss(outputs, labels)
        if self.around_backward is None:
            loss.backward()
        else:
            with self.around_backward(loss, outputs, labels) as create_graph:
                loss.backward(create_graph=create_graph)
        self.optimizer.step()
        return loss.detach()


def _resnet() -> "nn.Module":
    from torchvision.models import resnet18

    model: nn.Module = resnet18(num_classes=CLASSES)
    return model


def alone(name: str, quick: bool, blocks: int) -> list[dict[str, float]]:
    """Return the seconds of a step unwatched and with statistics alone, block by block."""
    from bntui.probe.watching.batch_statistics import Statistics

    plain, followed = Training(name, quick), Training(name, quick)
    taken = Statistics(followed.model)

    def step_followed() -> None:
        followed.step()
        taken.step()

    ways = {UNWATCHED: plain.step, WATCHED: step_followed}
    found = []
    for number in range(-1, blocks):
        order = list(ways)[:: -1 if number % 2 else 1]  # drift favours none
        seconds = {way: _seconds(ways[way]) for way in order}
        if number >= 0:  # the first is for nothing: torch sets itself up
            found.append(seconds)
    return found


def _seconds(step: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(BLOCK):
        step()
    return (time.perf_counter() - begun) / BLOCK


def whole(name: str, way: str, quick: bool, seconds: float) -> list[float]:
    """Train for so many seconds in one way; return the updates and the seconds that it took."""
    of = Training(name, quick)
    for _ in range(2):
        of.step()  # for nothing: torch sets itself up
    updates = 0
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        folder = stack.enter_context(TemporaryDirectory())
        begun = time.perf_counter()
        with WAYS[way](of, folder) as log:
            while not updates or time.perf_counter() - begun < seconds:
                log(of.step())
                updates += 1
        taken = time.perf_counter() - begun
    return [updates, taken]


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be written on the terminal, whose reader may be late."""
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(nothing.fileno(), number)
        try:
            yield
        finally:
            for number, one in zip((1, 2), kept, strict=True):
                os.dup2(one, number)


def _read(loss: "Tensor") -> None:
    """Take the loss as a number, as all loops that tell it do."""
    loss.item()


@contextmanager
def unwatched(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Watch nothing."""
    yield _read


@contextmanager
def by_bntui(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Watch with both loaders at the default share."""
    import bntui

    store = Path(folder) / "runs.sqlite"
    given = {"validation": of.validation, "training": of.training, "store": store}
    with bntui.watch(of.model, **given) as probe:

        def log(loss: "Tensor") -> None:
            probe.log(loss=loss.item())

        yield log


@contextmanager
def by_wandb(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Let wandb watch the model at its defaults: histograms of gradients every 1,000 batches."""
    import wandb

    with wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True)) as run:
        run.watch(of.model)

        def log(loss: "Tensor") -> None:
            run.log({"loss": loss.item()})

        yield log


@contextmanager
def by_cockpit(of: Training, folder: str) -> Iterator[Callable[["Tensor"], None]]:
    """Track cockpit's economical quantities at every step, its default."""
    from backpack import extend
    from cockpit import Cockpit
    from cockpit.utils.configuration import configuration
    from torch.nn import CrossEntropyLoss

    of.model = extend(of.model, use_converter=True)  # residual blocks are taken apart for it
    of.loss = extend(CrossEntropyLoss())
    each = CrossEntropyLoss(reduction="none")
    cockpit = Cockpit(of.model.parameters(), quantities=configuration("economy"))
    updates = iter(range(10**9))

    @contextmanager
    def around(loss: Any, outputs: Any, labels: Any) -> Iterator[bool]:
        number, losses = next(updates), each(outputs, labels)
        told = {"batch_size": len(labels), "individual_losses": losses, "loss": loss}
        with cockpit(number, info=told | {"optimizer": of.optimizer}):
            yield cockpit.create_graph(number)

    of.around_backward = around
    yield _read


WAYS: dict[str, Callable[[Training, str], AbstractContextManager[Callable[["Tensor"], None]]]] = {
    UNWATCHED: unwatched,
    WATCHED: by_bntui,
    "wandb.watch": by_wandb,
    "cockpit, economical": by_cockpit,
}
