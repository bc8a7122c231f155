"""Finding a network's layers with running statistics, and what they are called with."""

import torch
from torch import Tensor, nn

from bntui.measure.any_module import AnyModule
from bntui.measure.subject import Classification, Samples


class ByName(nn.Module):
    """Names the argument of its layer, as some libraries do."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, batch: Tensor) -> Tensor:
        outputs: Tensor = self.norm(input=batch)
        return outputs.mean((2, 3))


def test_a_layer_may_get_its_batch_by_name() -> None:
    inputs = torch.randn(10, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    samples = Samples(inputs, torch.arange(10) % 3)
    subject = AnyModule(ByName(), samples, samples, Classification(3))
    assert subject.layers.positions == (20,)
    variance, mean = torch.var_mean(inputs, (0, 2, 3), correction=0)
    torch.testing.assert_close(subject.collect(inputs), torch.stack([mean, variance]))
