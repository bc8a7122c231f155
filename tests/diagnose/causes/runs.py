"""Small runs on the built-in digits, with their data, rates or statistics changed on purpose."""

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.data import dataset
from bntui.data.dataset import Dataset, Split
from bntui.measure.subject import Samples, stratified
from bntui.train.session import Session
from tests.train.sessions import snapshot_of

Alter = Callable[[Dataset], Dataset]
SMALL = RunConfig(train_size=800, width=0.125, threads=1, knobs=Knobs(batch_size=64, momentum=0.99))


def small(
    *at: Change, seed: int = 0, knobs: dict[str, object] | None = None, **config: object
) -> RunConfig:
    """Return a small run's configuration with these settings, knobs and live changes."""
    turned = replace(SMALL.knobs, **(knobs or {}))  # type: ignore[arg-type]
    return replace(SMALL, seed=seed, knobs=turned, at=at, **config)  # type: ignore[arg-type]


def session(config: RunConfig, alter: Alter = lambda dataset: dataset) -> Session:
    """Return a run that nobody looks at while it trains, on data that `alter` changed."""
    load = dataset.load
    with patch.object(dataset, "load", lambda *names, **values: alter(load(*names, **values))):
        made = Session(RunRequest(config, Observation(epoch_ends=False)))
    made.observer.led = True
    return made


def train(run: Session, updates: int) -> Session:
    """Train on."""
    for _ in range(updates):
        run.train_once(None)
    return run


def ended(config: RunConfig, updates: int, alter: Alter = lambda dataset: dataset) -> Snapshot:
    """Train so many updates and return the run's last snapshot, everything measured."""
    run = train(session(config, alter), updates)
    run.conclude()
    return snapshot_of(run, Phase.FINISHED)


# What is done to validation images, or to the images trained on.


def validated_on(change: Callable[[Tensor], Tensor]) -> Alter:
    """Return data whose validation images (N, C, H, W) are changed."""

    def alter(dataset: Dataset) -> Dataset:
        split = dataset.validation
        return replace(dataset, validation=Split(change(split.images), split.labels))

    return alter


def dimmed(share: float) -> Alter:
    return validated_on(lambda images: (images - images.min()) * share + images.min())


def moved(pixels: int) -> Alter:
    return validated_on(lambda images: torch.roll(images, pixels, 3))


def noisy(deviation: float) -> Alter:
    draws = torch.Generator().manual_seed(7)
    return validated_on(
        lambda images: images + deviation * torch.randn(images.shape, generator=draws)
    )


def blurred(width: int) -> Alter:
    return validated_on(lambda images: avg_pool2d(images, width, 1, width // 2))


def turned() -> Alter:
    return validated_on(lambda images: torch.rot90(images, 1, (2, 3)))


def inverted() -> Alter:
    return validated_on(lambda images: -images)


def of_classes(*labels: int) -> Alter:
    """Return data validated on images of these classes alone."""

    def alter(dataset: Dataset) -> Dataset:
        split = dataset.validation
        chosen = torch.isin(split.labels, torch.tensor(labels))
        return replace(dataset, validation=Split(split.images[chosen], split.labels[chosen]))

    return alter


def few(count: int) -> Alter:
    """Return data with so few validation images."""

    def alter(dataset: Dataset) -> Dataset:
        split = dataset.validation
        chosen = stratified(Samples(split.images, split.labels), count)
        return replace(dataset, validation=Split(chosen.inputs, chosen.targets))

    return alter


def trained_on(counts: dict[int, int]) -> Alter:
    """Return data with so many training images of each class."""

    def alter(dataset: Dataset) -> Dataset:
        split = dataset.train
        places = [
            torch.nonzero(split.labels == label).flatten()[:count]
            for label, count in counts.items()
        ]
        chosen = torch.cat(places)
        return replace(dataset, train=Split(split.images[chosen], split.labels[chosen]))

    return alter


def mislabelled(share: float) -> Alter:
    """Return data where so many training images have another's label: to be learned by heart."""

    def alter(dataset: Dataset) -> Dataset:
        labels = dataset.train.labels.clone()
        draws = torch.Generator().manual_seed(3)
        wrong = torch.rand(len(labels), generator=draws) < share
        labels[wrong] = torch.randint(10, (int(wrong.sum()),), generator=draws)
        return replace(dataset, train=Split(dataset.train.images, labels))

    return alter
