"""A network is bit for bit as it was, whatever its forward does."""

import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.utils.hooks import RemovableHandle

from bntui.measure.unchanged import unchanged
from tests.as_found import as_found

BATCH = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


class Network(nn.Module):
    """Does in every pass what it is told to."""

    weight: nn.Parameter
    seen: Tensor | None
    held: Tensor
    wide: Tensor

    def __init__(self, does: Callable[["Network"], object] = id) -> None:
        super().__init__()
        self.does = does
        self.norm = nn.BatchNorm1d(3)
        self.frozen = nn.BatchNorm1d(3).eval()
        self.spare = nn.Linear(2, 2)
        self.weight = nn.Parameter(torch.tensor([[-0.0, 0.0, torch.nan], [2.0, -3.0, 1e-42]]))
        self.weight.grad = torch.full((2, 3), -0.0)
        self.register_buffer("seen", None)
        self.register_buffer("held", torch.tensor([torch.nan, -0.0, torch.inf]))
        self.register_buffer("wide", torch.ones(1, 1).expand(2, 5))
        hooks: list[RemovableHandle] = []
        hooks.append(self.register_forward_hook(lambda *_: hooks[0].remove()))
        self.norm.register_forward_pre_hook(lambda *_: None)

    def forward(self, batch: Tensor) -> Tensor:
        with torch.no_grad():
            self.does(self)
        outputs: Tensor = self.frozen(self.norm(batch))
        return outputs


def backward(network: Network) -> None:
    with torch.enable_grad():
        (network.weight * 2.0).sum().backward()


def replace(network: Network) -> None:
    network.weight = nn.Parameter(torch.ones(2, 3))
    network.weight.grad = torch.ones(2, 3)


def put(network: Network, name: str, value: Any) -> None:
    getattr(network, name).data = value


FORWARD: dict[str, Callable[[Network], object]] = {
    "nothing": lambda _: None,
    "fills an empty buffer": lambda network: setattr(network, "seen", torch.ones(2)),
    "writes a buffer": lambda network: network.held.zero_(),
    "rebinds a buffer": lambda network: setattr(network, "held", torch.ones(3)),
    "moves a buffer": lambda network: put(network, "held", torch.ones(4).double()),
    "empties a buffer": lambda network: setattr(network, "held", None),
    "drops a buffer": lambda network: delattr(network, "held"),
    "adds a buffer": lambda network: network.register_buffer(
        "new", torch.ones(2), persistent=False
    ),
    "writes a wide buffer": lambda network: network.wide[:, :1].fill_(2.0),
    "adds a module": lambda network: network.add_module("new", nn.Linear(2, 2)),
    "drops a module": lambda network: delattr(network, "spare"),
    "replaces a module": lambda network: setattr(network, "frozen", nn.BatchNorm1d(3)),
    "trains": lambda network: network.train(),
    "evaluates": lambda network: network.eval(),
    "adds a hook": lambda network: network.norm.register_forward_hook(lambda *_: None),
    "draws": lambda _: (torch.rand(1), np.random.rand(), random.random()),  # noqa: NPY002
    "seeds": lambda _: (torch.manual_seed(3), np.random.seed(3), random.seed(3)),  # noqa: NPY002
}
WEIGHTS: dict[str, Callable[[Network], object]] = {
    "clips its weights": lambda network: network.weight.data.clamp_(0.0, 1.0),
    "clips them with a version": lambda network: network.weight.clamp_(0.0, 1.0),
    "moves its weights": lambda network: put(network, "weight", network.weight.data.clamp(0, 1)),
    "casts its weights": lambda network: put(network, "weight", network.weight.data.double()),
    "replaces its weights": replace,
    "drops its weights": lambda network: setattr(network, "weight", None),
    "has a gradient": backward,
    "adds weights": lambda network: network.register_parameter("new", nn.Parameter(torch.ones(2))),
}  # fmt: skip


@pytest.mark.parametrize("fails", [False, True], ids=["", "and fails"])
@pytest.mark.parametrize(("does", "weights"), [
    *[pytest.param(does, False, id=name) for name, does in FORWARD.items()],
    *[pytest.param(does, True, id=name) for name, does in (FORWARD | WEIGHTS).items()],
])  # fmt: skip
def test_whatever_a_forward_does(
    does: Callable[[Network], object], weights: bool, fails: bool
) -> None:
    network = Network(does)
    before = as_found(network)
    try:
        with unchanged(network, weights=weights):
            network.train()
            network(BATCH)
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert as_found(network) == before


class Counting(nn.Module):
    """Has state that is none of torch's, which a pass in training mode changes as it is told to."""

    def __init__(self, does: Callable[["Counting"], object] = id) -> None:
        super().__init__()
        self.does = does
        self.temperature = 5.0
        self.steps = 0
        self.size = (1, 2)
        self.warm = False
        self.label = "new"
        self.losses = [0.5, 0.25]
        self.history = {"mean": 1.0}
        self.ordered = OrderedDict(a=1)
        self.counts = Counter("aab")
        self.names = {"a", "b"}
        self.last = deque([1, 2], maxlen=2)
        self.hidden = torch.zeros(2)
        self.norm = nn.BatchNorm1d(3)

    def forward(self, batch: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.does(self)
        outputs: Tensor = self.norm(batch)
        return outputs


def held(network: nn.Module) -> dict[str, Any]:
    """Return what the attributes of a module are, which objects they are, and what these hold."""
    attributes = vars(network).items()
    return {name: (id(value), repr(value)) for name, value in attributes if name != "norm"}


@pytest.mark.parametrize("fails", [False, True], ids=["", "and fails"])
@pytest.mark.parametrize("does", [
    lambda one: setattr(one, "temperature", one.temperature * 0.9),
    lambda one: setattr(one, "steps", one.steps + 1),
    lambda one: setattr(one, "size", (3, 4)),
    lambda one: setattr(one, "warm", True),
    lambda one: setattr(one, "label", "warm"),
    lambda one: one.losses.append(0.1),
    lambda one: setattr(one, "losses", []),
    lambda one: one.history.update(mean=2.0, var=1.0),
    lambda one: one.ordered.clear(),
    lambda one: one.counts.update("b"),
    lambda one: one.names.add("c"),
    lambda one: one.last.append(3),
    lambda one: setattr(one, "cache", torch.ones(2)),
    lambda one: delattr(one, "steps"),
    lambda one: setattr(one, "hidden", torch.ones(2)),
    lambda one: one.hidden.add_(1.0),
    lambda one: setattr(one, "norm", nn.Identity()),
])  # fmt: skip
def test_state_that_is_none_of_torchs(does: Callable[[Counting], object], fails: bool) -> None:
    network = Counting(does)
    before, norm = held(network), network.norm
    try:
        with unchanged(network):
            network.train()
            network(BATCH)
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert held(network) == before
    assert network.norm is norm


def test_what_a_hook_keeps_on_its_module() -> None:
    network = Counting()
    network.register_forward_hook(lambda module, *_: module.losses.append(1.0))
    with unchanged(network):
        network(BATCH)
    assert network.losses == [0.5, 0.25]


def spectral() -> nn.Module:
    return spectral_norm(nn.Linear(3, 3))


def embedding() -> nn.Module:
    network = nn.Embedding(5, 3, max_norm=0.1)
    network.register_forward_pre_hook(lambda *_: (torch.arange(5),))
    return network


@pytest.mark.parametrize(
    "network",
    [
        spectral(),
        weight_norm(nn.Linear(3, 3)),
        parametrizations.spectral_norm(nn.Linear(3, 3)),
        embedding(),
        nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3)).eval(),
        nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3).half()).requires_grad_(False)[:1],
    ],
    ids=["old spectral", "old weight norm", "spectral", "embedding", "dropout", "frozen"],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_layers_of_torch_that_write_in_their_forward(network: nn.Module) -> None:
    before = as_found(network)
    with unchanged(network, weights=True):
        network.train()
        network(BATCH)
    assert as_found(network) == before


def test_a_buffer_in_two_places_is_still_one() -> None:
    one, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    other.running_mean = one.running_mean
    network = nn.Sequential(one, other)
    before = as_found(network)
    with unchanged(network):
        network(BATCH)
    assert as_found(network) == before


def test_networks_loaded_in_inference_mode() -> None:
    with torch.inference_mode():
        first = nn.Linear(3, 3)
        network = nn.Sequential(first, nn.BatchNorm1d(3))
    before = as_found(network)
    with unchanged(network, weights=True), torch.inference_mode():
        network(BATCH)
        first.weight.zero_()
    assert as_found(network) == before
    with torch.inference_mode(), unchanged(network, weights=True):
        network(BATCH)
        first.weight.zero_()
    assert as_found(network) == before


def test_training_goes_on_after_it() -> None:
    """Autograd takes no notice: what a graph has saved is still there for it."""
    last = nn.Linear(3, 1)
    network = nn.Sequential(nn.BatchNorm1d(3), last)
    loss = network(BATCH).sum()
    with torch.no_grad(), unchanged(network, weights=True):
        network(BATCH)
        last.weight.data.zero_()
    loss.backward()
    gradient = last.weight.grad
    assert gradient is not None
    assert gradient.abs().sum() > 0.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_streams_of_all_devices() -> None:
    network = Network().cuda()
    before = as_found(network)
    with unchanged(network, weights=True):
        for device in range(torch.cuda.device_count()):
            torch.rand(1, device=f"cuda:{device}")
        network.weight.data.clamp_(0.0, 1.0)
        network(BATCH.cuda())
    assert as_found(network) == before
