"""A network that isn't ours as a subject."""

import torch
from torch import Tensor, nn

from bntui.measure.any_module import AnyModule
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
