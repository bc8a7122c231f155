"""torchvision's FrozenBatchNorm2d in place of a trained net's batch norm, as detectors have it, under a new head."""

from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def _frozen(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.BatchNorm2d):
        return layer
    frozen: nn.Module = FrozenBatchNorm2d(layer.num_features, layer.eps)
    frozen.load_state_dict(layer.state_dict())
    return frozen


def case() -> Case:
    trained = fit(small_cnn(), digits(), 200)
    head = nn.Sequential(nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    model = nn.Sequential(*(_frozen(layer) for layer in list(trained)[:-1]), head)
    return Case(fit(model, digits(), 150, rate=0.002), digits("validation"), digits())
