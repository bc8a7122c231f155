"""Models that are refused, in one sentence with the way out."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torchvision.ops import FrozenBatchNorm2d

from bntui.probe.errors import ProbeError
from bntui.probe.model_errors import refuse, refuse_source


def bound() -> nn.Module:
    model = nn.Sequential(nn.LazyBatchNorm1d())
    model(torch.randn(4, 3))
    return model


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda: {"state": 1}, "The model is of the type dict: give an nn.Module."),
        (
            lambda: nn.DataParallel(nn.BatchNorm1d(3)),
            "The model is a DataParallel, which runs copies of the layers: give model.module.",
        ),
        (
            lambda: nn.Sequential(nn.DataParallel(nn.BatchNorm1d(3))),
            "0 is a DataParallel, which runs copies of the layers: put 0.module in its place.",
        ),
        (
            lambda: nn.Sequential(nn.LazyBatchNorm1d()),
            "0.weight has no shape yet, as in lazy layers: run a batch through the model first.",
        ),
        (
            lambda: nn.Sequential(nn.LazyBatchNorm1d(affine=False)),
            "0.running_mean has no shape yet, as in lazy layers: run a batch through the model first.",
        ),
        (
            on_meta,
            "0.weight is on the meta device, where nothing has values: give the model its weights first, "
            "with model.to_empty(device=…) and model.load_state_dict(…).",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 3)),
            "The model has no layers with running statistics: it has no norm layers that are known here.",
        ),
        (
            lambda: nn.Sequential(*(nn.GroupNorm(1, 3) for _ in range(3))),
            "The model has no layers with running statistics: GroupNorm ×3 has nothing to check.",
        ),
        (
            lambda: nn.Sequential(nn.LayerNorm(3), nn.InstanceNorm2d(3, track_running_stats=True)),
            "The model has no layers with running statistics: InstanceNorm2d ×1 and LayerNorm ×1 have "
            "nothing to check.",
        ),
    ],
    ids=["no model", "parallel", "parallel part", "lazy", "lazy buffer", "meta", "none", "group", "others"],
)  # fmt: skip
def test_refused(model: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ProbeError) as caught:
        refuse(model())
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "model",
    [
        nn.BatchNorm1d(3),
        nn.BatchNorm1d(3, affine=False),
        nn.SyncBatchNorm(3),
        nn.Sequential(FrozenBatchNorm2d(3)),
        nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False)),
        nn.Sequential(nn.GroupNorm(1, 3), nn.BatchNorm2d(3).half()),
        AveragedModel(nn.BatchNorm1d(3)),
        bound(),
    ],
)
def test_not_refused(model: nn.Module) -> None:
    refuse(model)


def test_a_source_must_have_the_models_own_parameters() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    refuse_source(model, None)
    refuse_source(model, nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))))
    with pytest.raises(ProbeError, match="averaged_from has other parameters"):
        refuse_source(model, nn.Linear(3, 3))
