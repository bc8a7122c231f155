"""The model overrides train() to keep batch norm in training mode, because eval mode "did not work".

Report: https://github.com/zorzi-s/PolyWorldPretrainedNetwork/issues/3
"""

from torch import Tensor, nn

from bntui.probe.causes import Cause
from tests.cases.case import Case
from tests.cases.data import digits, small_cnn, train

CAUSE = Cause.BATCH_DEPENDENT


class AlwaysBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = small_cnn(pooled=True)

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.layers(images)
        return outputs

    def train(self, mode: bool = True) -> "AlwaysBatch":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.train()
        return self


def case() -> Case:
    training = digits()
    model = train(AlwaysBatch(), training, updates=250, rate=0.1)
    return Case(model.eval(), digits("validation", batch=2), training)
