"""What measuring asks of what it measures: any network, its layers, its samples, and how it is scored.

`any_module.py` makes a subject of any network, `attached.py` of our own, which is faster. Whatever
measures takes a `Subject` and leaves it as it found it; the observer takes a `TrainingRun`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.measure.estimators import Estimators
from bntui.measure.histories import EpochEnd, Result
from bntui.measure.layers import Layers


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Inputs with their targets, on the network's device."""

    inputs: Tensor
    """(N, …), such as images (N, C, H, W)."""
    targets: Tensor
    """(N, …), such as the classes: int64 (N,), from 0."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.targets)

    def __getitem__(self, places: slice | Tensor) -> "Samples":
        """Return some of the samples."""
        return Samples(self.inputs[places], self.targets[places])

    def batches(self, size: int) -> Iterator["Samples"]:
        """Yield all samples in their order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def stratified(samples: Samples, count: int) -> Samples:
    """Return at most `count` of the samples, each class in its share, evenly spread over all.

    Not the first ones: files are often sorted, and those of MNIST begin with the easy ones.
    """
    total = len(samples)
    if total <= count:
        return samples
    by_class = samples.targets.cpu().argsort(stable=True)
    places = (torch.arange(count, dtype=torch.float64) + 0.5) * total / count
    chosen = by_class[places.long()].sort().values.to(samples.inputs.device)
    return samples[chosen]


class Scoring(Protocol):
    """What a network's outputs are worth."""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, which training lowers."""
        ...

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample: (N,)."""
        ...

    def guesses(self, outputs: Tensor) -> Tensor:
        """Return the predicted class of each sample: (N,)."""
        ...


@dataclass(frozen=True, slots=True)
class Classification:
    """Outputs are logits (N, classes), and targets the classes."""

    classes: int

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy."""
        return cross_entropy(outputs, targets)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each sample: (N,)."""
        return cross_entropy(outputs, targets, reduction="none")

    def guesses(self, outputs: Tensor) -> Tensor:
        """Return the most likely class of each sample: (N,)."""
        return outputs.argmax(1)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a forward pass, and the layers whose statistics it depends on."""

    layers: range
    """Their places in the subject's layers."""
    run: Callable[[Tensor], Tensor]


class Subject(Protocol):
    """A network with what it is measured on."""

    @property
    def network(self) -> nn.Module:
        """The network itself."""
        ...

    @property
    def layers(self) -> Layers:
        """Its layers with running statistics: a row is in their order."""
        ...

    @property
    def training(self) -> Samples:
        """What it is trained on."""
        ...

    @property
    def validation(self) -> Samples:
        """What it is validated on."""
        ...

    @property
    def scoring(self) -> Scoring:
        """What its outputs are worth."""
        ...

    def trains(self, module: nn.Module) -> bool:
        """Return whether one of the network's modules is in training mode while the network trains.

        Not, for example, a BN layer that its owner has frozen: it normalises with running statistics then.
        """
        ...

    def forward(self, inputs: Tensor) -> Tensor:
        """Run one batch (N, …) through the network as it stands, and return the outputs (N, …)."""
        ...

    def stages(self) -> Sequence[Stage]:
        """Return the forward pass as stages, each of which takes what the one before puts out.

        Where statistics differ only in the layers of the last stages, the first need not run again.
        """
        ...

    def collect(self, inputs: Tensor) -> Tensor:
        """Return the biased statistics (2, C) of one training-mode pass; changes nothing.

        Every layer sees the output of layers that normalise with this batch's own statistics, as in
        training.
        """
        ...


def set_training(subject: Subject) -> None:
    """Put every module of a subject's network into the mode in which it trains."""
    for module in subject.network.modules():
        module.training = subject.trains(module)


class TrainingRun(Protocol):
    """A subject in training, as the observer sees it."""

    @property
    def subject(self) -> Subject:
        """What is trained."""
        ...

    @property
    def estimators(self) -> Estimators:
        """Running statistics as every estimator has them."""
        ...

    @property
    def has_hindsight(self) -> bool:
        """Whether other estimators tell what would have been: not where statistics feed back."""
        ...

    @property
    def update(self) -> int:
        """Updates made."""
        ...

    @property
    def images(self) -> int:
        """Images trained on."""
        ...

    @property
    def momentum(self) -> float:
        """The share of the old statistics that the last update kept, as in Keras."""
        ...

    @property
    def moves(self) -> float:
        """How often an update moves the running statistics."""
        ...

    def take_results(self) -> list[Result]:
        """Return the results of every update since the last call."""
        ...

    def epoch_so_far(self) -> EpochEnd:
        """Return the averages over the images seen since the epoch began."""
        ...

    def begin_epoch(self) -> None:
        """Go on with the next epoch."""
        ...
