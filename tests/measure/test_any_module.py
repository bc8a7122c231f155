"""A network that isn't ours as a subject."""

import pytest
import torch
from torch import Tensor, nn

from bntui.measure.any_module import AnyModule, CallRecorder
from bntui.measure.drift import compare_modes
from bntui.measure.evaluation import evaluate
from bntui.measure.subject import Classification, Samples

INPUTS = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))


def subject_of(network: nn.Module) -> AnyModule:
    samples = Samples(INPUTS.clone(), torch.arange(10) % 3)
    return AnyModule(network, samples, samples, Classification(3))


def test_a_network_may_work_in_place_on_what_it_gets() -> None:
    subject = subject_of(nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm1d(3)))
    fresh = subject.collect(subject.training.inputs)
    evaluate(subject, [fresh, torch.ones(2, 3)], subject.validation)
    assert torch.equal(subject.training.inputs, INPUTS)
    variance, mean = torch.var_mean(INPUTS.relu(), 0, correction=0)
    torch.testing.assert_close(fresh, torch.stack([mean, variance]))


class ByName(nn.Module):
    """Names the argument of its layer, as some libraries do."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, batch: Tensor) -> Tensor:
        outputs: Tensor = self.norm(input=batch)
        return outputs


def test_a_layer_may_get_its_batch_by_name() -> None:
    subject = subject_of(ByName())
    assert subject.layers.positions == (1,)
    variance, mean = torch.var_mean(INPUTS, 0, correction=0)
    torch.testing.assert_close(subject.collect(INPUTS), torch.stack([mean, variance]))


class Caching(nn.Module):
    """Fills an empty buffer at its first pass."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.seen: Tensor | None
        self.register_buffer("seen", None)

    def forward(self, batch: Tensor) -> Tensor:
        self.seen = batch
        outputs: Tensor = self.norm(batch)
        return outputs


def test_an_empty_buffer_is_empty_again() -> None:
    network = Caching()
    subject = subject_of(network)
    subject.collect(INPUTS)
    assert network.seen is None


class KeepsInEval(nn.Sequential):
    """Freezes its first layer by what its `train` does, as detectors do."""

    def train(self, mode: bool = True) -> "KeepsInEval":
        super().train(mode)
        self[0].eval()
        return self


def frozen_by_hand() -> nn.Module:
    network = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3))
    network[0].eval()
    return network


@pytest.mark.parametrize(
    "network",
    [
        frozen_by_hand(),
        KeepsInEval(nn.BatchNorm1d(3), nn.BatchNorm1d(3)),
        KeepsInEval(nn.BatchNorm1d(3), nn.BatchNorm1d(3)).eval(),
    ],
    ids=["by hand", "by its train", "by its train, found in eval mode"],
)
def test_a_layer_that_is_frozen_normalises_as_it_does_in_training(network: nn.Module) -> None:
    modes = [module.training for module in network.modules()]
    assert isinstance(network, nn.Sequential)
    frozen = network[0]
    assert isinstance(frozen, nn.BatchNorm1d)
    frozen.load_state_dict(
        {"running_mean": torch.full((3,), 5.0), "running_var": torch.full((3,), 4.0)}, strict=False
    )
    subject = subject_of(network)
    fresh = subject.collect(INPUTS)
    seen = (INPUTS - 5.0) / (4.0 + 1e-5) ** 0.5
    for row, batch in ((fresh[:, :3], INPUTS), (fresh[:, 3:], seen)):
        variance, mean = torch.var_mean(batch, 0, correction=0)
        torch.testing.assert_close(row, torch.stack([mean, variance]))
    compared = compare_modes(subject, subject.layers.running(), INPUTS)
    assert compared.errors[0] == 0.0 < compared.errors[1]
    assert [module.training for module in network.modules()] == modes


@pytest.mark.parametrize(
    "shape", [(4, 3), (4, 3, 5), (4, 3, 5, 6), (4, 3, 5, 6, 2), (2, 1, 300, 300), (9, 3, 1, 1)]
)
@pytest.mark.parametrize("form", ["plain", "channels last", "every second", "expanded"])
def test_what_layers_get_is_summed_exactly(shape: tuple[int, ...], form: str) -> None:
    batch = 30.0 + torch.randn(shape, generator=torch.Generator().manual_seed(0))
    if form == "channels last":
        batch = batch.movedim(1, -1).contiguous().movedim(-1, 1)
    elif form == "every second":
        batch = batch.repeat_interleave(2, -1)[..., ::2]
    elif form == "expanded":
        batch = batch[:1].expand(shape)
    mean, variance = CallRecorder(subject_of(nn.BatchNorm1d(3)).layers).statistics(batch)
    others = [0, *range(2, batch.dim())]
    wanted = torch.var_mean(batch.double(), others, correction=0)
    torch.testing.assert_close(mean.double(), wanted[1], rtol=1e-6, atol=0.0)
    torch.testing.assert_close(variance.double(), wanted[0], rtol=1e-4, atol=1e-9)
