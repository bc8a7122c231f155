"""Running statistics are replaced by those of training batches, and come back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset
from torchvision.ops import FrozenBatchNorm2d

from bntui.probe.errors import ProbeError
from bntui.probe.recalibration import recalibrate
from tests.as_found import as_found

IMAGES = torch.randn(40, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 3.0 + 2.0
LABELS = torch.arange(40) % 2
LOADER = DataLoader(TensorDataset(IMAGES, LABELS), batch_size=8)


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))


def norms(model: nn.Module) -> list[nn.BatchNorm2d]:
    return [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]


def statistics(layer: nn.Module) -> tuple[Tensor, Tensor]:
    mean, variance = layer.running_mean, layer.running_var
    assert isinstance(mean, Tensor)
    assert isinstance(variance, Tensor)
    return mean.detach().clone(), variance.detach().clone()


def of_all(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the unbiased variance of each channel."""
    variance, mean = torch.var_mean(values.movedim(1, 0).flatten(1), 1)
    return mean, variance


def without(found: dict[str, Any], *parts: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not name.endswith(parts)}


BUFFERS = ("running_mean", "running_var")


@pytest.mark.parametrize("training", [True, False])
def test_the_first_layer_gets_the_statistics_of_all_values(training: bool) -> None:
    model = small().train(training)
    restore = recalibrate(model, LOADER, batches=3)
    torch.testing.assert_close(statistics(norms(model)[0]), of_all(IMAGES[:24]))
    assert restore.layers == ("0", "2")
    assert restore.samples == 24


def test_layers_behind_it_see_training_mode() -> None:
    """As torch's running statistics with a cumulative average, whose variance is of each batch."""
    model, oracle = small(), small()
    for layer in norms(oracle):
        layer.momentum = None
    with torch.no_grad():
        for images, _ in LOADER:
            oracle.train()(images)
    recalibrate(model, LOADER)
    mean, variance = statistics(norms(model)[1])
    wanted_mean, wanted_variance = statistics(norms(oracle)[1])
    torch.testing.assert_close(mean, wanted_mean)
    torch.testing.assert_close(variance, wanted_variance, rtol=0.02, atol=0.0)


def test_all_else_is_as_found_and_buffers_are_not_rebound() -> None:
    model = small().eval()
    norms(model)[0].train()
    before = as_found(model)
    references = [norm.running_mean for norm in norms(model)]
    shuffling = DataLoader(LOADER.dataset, batch_size=8, shuffle=True)
    with recalibrate(model, shuffling):
        after = as_found(model)
        assert without(after, *BUFFERS) == without(before, *BUFFERS)
        for name in ("0 running_mean", "0 running_var"):
            assert after[name] != before[name]
            assert after[name][0] == before[name][0]
        assert all(
            norm.running_mean is one for norm, one in zip(norms(model), references, strict=True)
        )
    assert as_found(model) == before


def test_undone_bit_for_bit_and_once_only() -> None:
    model = small()
    mean = norms(model)[0].running_mean
    assert mean is not None
    mean.copy_(torch.tensor([-0.0, torch.nan, 1e-42]))
    before = as_found(model)
    restore = recalibrate(model, LOADER)
    assert as_found(model) != before
    restore.undo()
    assert as_found(model) == before
    mean.fill_(7.0)
    restore.undo()
    assert statistics(norms(model)[0])[0].tolist() == [7.0] * 3


def test_undone_after_an_error_in_the_block() -> None:
    model = small()
    before = as_found(model)
    with pytest.raises(KeyError), recalibrate(model, LOADER):
        raise KeyError
    assert as_found(model) == before


def test_undone_in_a_model_that_has_changed_its_type() -> None:
    model = small()
    restore = recalibrate(model, LOADER)
    model.double()
    restore.undo()
    assert norms(model)[0].running_mean is not None
    assert statistics(norms(model)[0])[0].dtype == torch.float64
    assert statistics(norms(model)[0])[1].tolist() == [1.0] * 3


class Fails(nn.Module):
    """Raises in its third pass, after changing what it can."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        outputs: Tensor = self.norm(images)
        self.norm.eval()
        assert self.norm.weight is not None
        self.norm.weight.data.zero_()
        torch.rand(1)
        np.random.rand()  # noqa: NPY002
        if self.passes == 3:
            raise RuntimeError("the model's own")
        return outputs


def test_an_error_of_the_model_is_its_own_and_nothing_is_replaced() -> None:
    model = Fails()
    before = as_found(model)
    with pytest.raises(RuntimeError, match="the model's own"):
        recalibrate(model, LOADER)
    assert as_found(model) == before


def test_an_error_of_the_loader_is_its_own_and_nothing_is_replaced() -> None:
    class Breaks:
        def __iter__(self) -> Iterator[Tensor]:
            yield IMAGES
            raise OSError("the loader's own")

    model = small()
    before = as_found(model)
    with pytest.raises(OSError, match="the loader's own"):
        recalibrate(model, Breaks())
    assert as_found(model) == before


def test_frozen_layers_keep_their_statistics_and_normalise_with_them() -> None:
    first, last = nn.BatchNorm2d(3).eval(), nn.BatchNorm2d(3)
    never = FrozenBatchNorm2d(3)
    assert first.running_mean is not None
    first.running_mean.fill_(5.0)
    model = nn.Sequential(first, never, last)
    restore = recalibrate(model, LOADER)
    assert restore.layers == ("2",)
    assert statistics(first)[0].tolist() == [5.0] * 3
    assert statistics(never)[1].tolist() == [1.0] * 3
    torch.testing.assert_close(statistics(last)[0], of_all(IMAGES)[0] - 5.0, rtol=1e-4, atol=1e-4)


class Twice(nn.Module):
    """Calls one layer twice, and another one never."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.idle = nn.BatchNorm2d(3)

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.norm(images) + self.norm(images + 2.0)
        return outputs


def test_a_layer_that_is_called_twice_and_one_that_is_not() -> None:
    model = Twice()
    restore = recalibrate(model, [IMAGES])
    assert restore.layers == ("norm",)
    mean, variance = of_all(IMAGES)
    values = 40 * 20
    wanted = variance * (values - 1) / values * (2 * values) / (2 * values - 1)
    torch.testing.assert_close(statistics(model.norm), (mean + 1.0, wanted))
    assert statistics(model.idle)[0].tolist() == [0.0] * 3


def test_averaged_weights_get_their_statistics() -> None:
    model = AveragedModel(small(), use_buffers=False)
    recalibrate(model, LOADER, batches=5)
    torch.testing.assert_close(statistics(norms(model)[0]), of_all(IMAGES))


def test_half_precision() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3)).half()
    restore = recalibrate(model, LOADER)
    mean, _ = statistics(norms(model)[0])
    assert mean.dtype == torch.float16
    torch.testing.assert_close(mean.float(), of_all(IMAGES)[0], rtol=2e-3, atol=2e-3)
    restore.undo()
    assert statistics(norms(model)[0])[1].tolist() == [1.0] * 3


def test_a_forward_of_the_users_own() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3))
    loader = [{"deep": {"pixels": IMAGES}}]
    recalibrate(model, loader, forward=lambda network, batch: network(batch["deep"]["pixels"]))
    torch.testing.assert_close(statistics(norms(model)[0]), of_all(IMAGES))


def test_batches_of_one_value_per_channel_are_left_out() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3))
    flat = IMAGES[:9, :, 0, 0]
    restore = recalibrate(model, [flat[:8], flat[8:]])
    assert restore.samples == 8
    before = as_found(model)
    with pytest.raises(ProbeError, match="give larger batches"):
        recalibrate(model, [flat[:1], flat[1:2]])
    assert as_found(model) == before


class Calls(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)

    def forward(self, images: Tensor) -> Tensor:
        return images


@pytest.mark.parametrize(
    ("model", "loader", "batches", "match"),
    [
        (nn.Sequential(nn.GroupNorm(1, 3)), LOADER, 16, "GroupNorm ×1 has nothing to check"),
        (nn.DataParallel(small()), LOADER, 16, "give model.module"),
        (nn.BatchNorm2d(3, track_running_stats=False), LOADER, 16, "1 use each batch's own"),
        (nn.Sequential(FrozenBatchNorm2d(3)), LOADER, 16, "frozen are 1 of 1"),
        (Calls(), LOADER, 16, "calls none of its layers"),
        (small(), [], 16, "The training loader is empty"),
        (small(), iter([IMAGES]), 16, "once only"),
        (small(), ["text"], 16, "without a tensor"),
        (small(), [[3, IMAGES]], 16, "give forward="),
        (small(), [IMAGES * torch.inf], 16, "What 0 gets in training mode is not finite"),
        (small(), LOADER, 0, "batches must be a whole number from 1 on: 0 was given"),
        (small(), LOADER, 2.5, "batches must be a whole number"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(
    model: nn.Module, loader: Any, batches: Any, match: str
) -> None:
    before = as_found(model)
    with pytest.raises(ProbeError, match=match):
        recalibrate(model, loader, batches)
    assert as_found(model) == before


class OneOfTwo(nn.Module):
    """A layer for each of two domains, as the samples' sign tells."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm1d(2), nn.BatchNorm1d(2)])

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.norms[int(inputs.mean() > 0.0)](inputs)
        return outputs


@pytest.mark.parametrize("every", [2, 4, 16])
def test_batches_that_do_not_reach_a_layer_do_not_count_in_it(every: int) -> None:
    torch.manual_seed(0)
    batches = [torch.randn(64, 2) + (5.0 if number % every else -5.0) for number in range(16)]
    model = OneOfTwo()
    for norm in model.norms:
        norm.running_mean.fill_(100.0)  # type: ignore[operator]
    recalibrate(model, batches)
    for norm, domain in zip(model.norms, (False, True), strict=True):
        own = torch.cat([one for one in batches if bool(one.mean() > 0.0) is domain])
        mean, variance = norm.running_mean, norm.running_var
        assert isinstance(mean, Tensor)
        assert isinstance(variance, Tensor)
        torch.testing.assert_close(mean, own.mean(0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(variance, own.var(0), rtol=1e-4, atol=1e-4)
