"""Networks that are not ours, in training as anybody trains them, and all that measuring might disturb."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.measure.any_module import AnyModule, recording
from bntui.measure.estimators import Estimators
from bntui.measure.histories import EpochEnd, Result
from bntui.measure.subject import Classification, Samples

CLASSES = 3
BATCH = 24
MOMENTUM = 0.9


class BoomError(Exception):
    """What a network raises in the middle of a pass."""


@dataclass
class Calls:
    """How many calls are left; measuring puts a module's own numbers back, and not those of this object."""

    left: int | None = None


class Fuse(nn.Module):
    """Raises once it was called as often as it bears; `calls.left` is None where it bears everything."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls()

    def forward(self, batch: Tensor) -> Tensor:
        if self.calls.left is not None:
            if self.calls.left == 0:
                raise BoomError
            self.calls.left -= 1
        return batch


class Perceptron(nn.Module):
    """One-dimensional BN with a dropout before it, and a part that its owner keeps in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm1, self.drop = nn.Linear(12, 16), nn.BatchNorm1d(16), nn.Dropout(0.3)
        self.fuse = Fuse()
        self.second, self.norm2 = nn.Linear(16, 8), nn.BatchNorm1d(8, eps=1e-3, affine=False)
        self.last = nn.Linear(8, CLASSES)

    def forward(self, batch: Tensor) -> Tensor:
        hidden = self.drop(self.norm1(self.first(batch)).relu_())
        hidden = self.norm2(self.second(self.fuse(hidden)))
        outputs: Tensor = self.last(hidden.relu())
        return outputs


class Residual(nn.Module):
    """A block that is called twice, whose output is added to what it gets, and ReLUs in place."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.fuse = Fuse()
        self.block = nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        )
        self.last = nn.Linear(6, CLASSES)

    def forward(self, batch: Tensor) -> Tensor:
        hidden = self.stem(batch)
        hidden = hidden + self.block(hidden)
        hidden = hidden + self.block(self.fuse(hidden))
        outputs: Tensor = self.last(hidden.mean((2, 3)))
        return outputs


class Volumes(nn.Module):
    """Three-dimensional BN, beside a layer without running statistics and a buffer of another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4)
        self.fuse = Fuse()
        self.conv2, self.norm2 = nn.Conv3d(4, 6, 3), nn.BatchNorm3d(6)
        self.untracked = nn.BatchNorm3d(6, track_running_stats=False)
        self.last = nn.Linear(6, CLASSES)
        self.passes: Tensor
        self.register_buffer("passes", torch.zeros(1, dtype=torch.int64))

    def forward(self, batch: Tensor) -> Tensor:
        self.passes = self.passes + 1  # bound anew, as many do
        hidden = self.norm1(self.conv1(batch)).relu()
        hidden = self.untracked(self.norm2(self.conv2(self.fuse(hidden)))).relu()
        outputs: Tensor = self.last(hidden.mean((2, 3, 4)))
        return outputs


SHAPES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "perceptron with BatchNorm1d": (Perceptron, (12,)),
    "residual with a shared block": (Residual, (1, 8, 8)),
    "volumes with BatchNorm3d": (Volumes, (1, 6, 6, 6)),
}


def samples(count: int, shape: tuple[int, ...], draws: torch.Generator) -> Samples:
    """Return inputs of three classes, brighter from class to class, far from mean 0 and variance 1."""
    classes = torch.arange(count) % CLASSES
    inputs = 2.0 + 3.0 * torch.randn((count, *shape), generator=draws)
    return Samples(inputs + classes.view(-1, *(1 for _ in shape)), classes)


class Loop:
    """A training loop of somebody else's, as the observer sees it."""

    has_hindsight = True
    moves = 1.0
    momentum = MOMENTUM

    def __init__(self, kind: str) -> None:
        torch.manual_seed(5)
        make, shape = SHAPES[kind]
        self.network = make()
        draws = torch.Generator().manual_seed(6)
        training, validation = samples(96, shape, draws), samples(60, shape, draws)
        self.subject = AnyModule(self.network, training, validation, Classification(CLASSES))
        self.estimators = Estimators(self.subject.layers)
        self.update = 0
        self.images = 0
        self.epoch = 1
        self._results: list[Result] = []
        self._optimizer = torch.optim.SGD(self.network.parameters(), lr=0.05)

    def train(self, updates: int) -> None:
        for _ in range(updates):
            start = self.update * BATCH % len(self.subject.training)
            batch = self.subject.training[start : start + BATCH]
            self.network.train()
            with recording(self.subject.layers) as recorder:
                loss = cross_entropy(self.network(batch.inputs), batch.targets)
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self.estimators.update(recorder.row(), self.momentum)
            self.update += 1
            self.images += len(batch)
            self._results.append(Result(self.update, loss.item(), 0.0, None))

    def take_results(self) -> list[Result]:
        taken, self._results = self._results, []
        return taken

    def epoch_so_far(self) -> EpochEnd:
        return EpochEnd(self.epoch, 0.0, 0.0)

    def begin_epoch(self) -> None:
        self.epoch += 1


def fuse_of(network: nn.Module) -> Fuse:
    fuse = network.fuse
    assert isinstance(fuse, Fuse)
    return fuse


def content(tensor: Tensor | None) -> tuple[int, bytes] | None:
    """Return which object a tensor is, and its bits."""
    if tensor is None:
        return None
    return id(tensor), tensor.detach().numpy().tobytes()


def state(network: nn.Module) -> dict[str, object]:
    """Return all that measuring might disturb, bit for bit, with the identity of every tensor."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    found: dict[str, object] = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "python": random.getstate(),
        "gradients": torch.is_grad_enabled(),
    }
    for name, module in network.named_modules():
        found[f"{name} mode"] = module.training
        found[f"{name} momentum"] = getattr(module, "momentum", None)
        found[f"{name} hooks"] = [list(getattr(module, each)) for each in hooks]
        for kind in (module._buffers, module._parameters):
            found |= {f"{name} {one}": content(tensor) for one, tensor in kind.items()}
        for one, parameter in module._parameters.items():
            found[f"{name} {one} gradient"] = content(
                parameter.grad if parameter is not None else None
            )
    return found
