"""An exponential average of the weights and of the running statistics: buffers follow the weights."""

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.cases.case import Case
from tests.cases.data import digits, small_cnn
from tests.cases.fit import fit


def case() -> Case:
    model = small_cnn()
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95), use_buffers=True)
    fit(model, digits(), 300, after=lambda _: averaged.update_parameters(model))
    averaged.eval()
    return Case(averaged, digits("validation"), digits(), {"averaged_from": model})
