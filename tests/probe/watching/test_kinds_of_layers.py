"""Layers of other libraries, and layers that tell less than torch's own do."""

import os
import warnings
from collections.abc import Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA
from bntui.measure.layers import running_statistics
from bntui.probe.keras_model import KerasModel
from bntui.probe.watching import layout
from bntui.probe.watching.batch_statistics import SAMPLED, Statistics
from bntui.probe.watching.rows import Rows
from tests.probe.watching.trainings import (
    Make,
    close,
    convolutional,
    held,
    images,
    norms,
    once,
    replayed,
    trained,
)

os.environ["KERAS_BACKEND"] = "torch"
import keras


class Written(nn.BatchNorm2d):
    """Moves its buffers by operations that raise versions, without counting batches."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        if self.training:
            variance, mean = torch.var_mean(input.detach(), (0, 2, 3))
            for buffer, value in zip(running_statistics(self), (mean, variance), strict=True):
                buffer.mul_(1.0 - (self.momentum or 0.0)).add_(value, alpha=self.momentum or 0.0)
        return nn.functional.batch_norm(input, None, None, self.weight, self.bias, True)


class Replaced(nn.BatchNorm2d):
    """Has new buffers after every call."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        if self.training:
            variance, mean = torch.var_mean(input.detach(), (0, 2, 3))
            before, momentum = running_statistics(self), self.momentum or 0.0
            self.running_mean = (1.0 - momentum) * before[0] + momentum * mean
            self.running_var = (1.0 - momentum) * before[1] + momentum * variance
        return nn.functional.batch_norm(input, None, None, self.weight, self.bias, True)


def network(kind: type[nn.Module]) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 6, 3), kind(6), nn.ReLU(), nn.Conv2d(6, 5, 3), kind(5))


def activated() -> nn.Module:
    timm = pytest.importorskip("timm")
    return network(timm.layers.BatchNormAct2d)


def by_hand() -> nn.Module:
    return network(Written)


def anew() -> nn.Module:
    return network(Replaced)


def ours() -> nn.Module:
    from bntui.measure.norms import BatchNorm

    return network(BatchNorm)


def patched() -> nn.Module:
    """Layers whose `forward` some library has put its own before, which writes the buffers."""
    model = convolutional()
    for layer in norms(model):
        layer.forward = partial(Written.forward, layer)  # type: ignore[method-assign,arg-type]
    return model


def synchronised() -> nn.Module:
    converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(convolutional())
    return converted


@pytest.mark.parametrize("make", [activated, by_hand, anew, patched, synchronised])
def test_other_layers_are_followed_like_torch_s(make: Make) -> None:
    _, statistics = trained(make, 0.1, watch=True)
    replayed(statistics, make)
    assert statistics.calls == (1, 1)
    assert statistics.notes == ()


def test_frozen_layers_never_move() -> None:
    from torchvision.ops import FrozenBatchNorm2d

    def make() -> nn.Module:
        frozen = FrozenBatchNorm2d(6)
        frozen.running_mean.fill_(0.3)
        return nn.Sequential(nn.Conv2d(3, 6, 3), frozen, nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5))

    _, statistics = trained(make, 0.1, watch=True)
    assert statistics.calls == (0, 1)
    assert statistics.start_left == pytest.approx(0.9**10)
    for momentum in MOMENTA:
        replay, _ = trained(make, torch_momentum(momentum))
        row = statistics.row(f"{momentum:g}")
        assert row[0, :6].eq(0.3).all()
        close(row[:, 6:], held(replay))


def test_layers_without_buffers_are_told_of() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3, track_running_stats=False), nn.BatchNorm2d(3))
    statistics = Statistics(model)
    model(images(0))
    statistics.step()
    assert statistics.layers.names == ("1",)
    assert statistics.notes == ("0: no running statistics to follow (track_running_stats=False).",)


def test_a_model_without_such_layers_is_watched_in_vain() -> None:
    model = nn.Linear(3, 2)
    statistics = Statistics(model)
    model(torch.ones(1, 3))
    statistics.step()
    with statistics.suspended():
        statistics.moved_by_user()
    assert statistics.row("0.9").shape == statistics.own().shape == (2, 0)
    assert statistics.calls == ()
    assert statistics.start_left == 0.0
    assert statistics.notes == ()


@pytest.mark.parametrize("late", [(True, False), (False, True), (True, True)])
def test_lazy_layers_are_followed_from_their_first_call(late: tuple[bool, bool]) -> None:
    def network(lazy: Sequence[bool]) -> nn.Module:
        first, second = (
            nn.LazyBatchNorm2d() if one else nn.BatchNorm2d(channels)
            for one, channels in zip(lazy, (6, 5), strict=True)
        )
        return nn.Sequential(nn.Conv2d(3, 6, 3), first, nn.ReLU(), nn.Conv2d(6, 5, 3), second)

    torch.manual_seed(0)
    model = network(late)
    statistics = Statistics(model)
    assert len(statistics.layers) == 2 - sum(late)
    for number in range(3):
        model(images(number))
        statistics.step()
    assert statistics.layers.names == ("1", "4")
    assert statistics.layers.positions == (36, 16)
    assert statistics.calls == (1, 1)
    torch.manual_seed(0)
    other = network((False, False))
    expected = Statistics(other)
    for number in range(3):
        other(images(number))
        expected.step()
    for name in ("0", "0.9", "cumulative"):
        close(statistics.row(name), expected.row(name))


def test_layers_that_have_no_memory_yet_are_followed_once_they_have() -> None:
    with torch.device("meta"):
        model = nn.BatchNorm2d(3)
    statistics = Statistics(model)
    assert len(statistics.layers) == 0
    model.to_empty(device="cpu")
    model.reset_parameters()
    for number in range(2):
        model(images(number))
        statistics.step()
    variance, mean = torch.var_mean(images(1), (0, 2, 3))
    close(statistics.row("0"), torch.stack([mean, variance]))
    assert statistics.calls == (1,)


def test_a_script_in_training_is_polled_or_told_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torch.jit.script(nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()))
    statistics = Statistics(model)
    for number in range(2):
        model(images(number))
        statistics.step()
    variance, mean = torch.var_mean(images(1), (0, 2, 3))
    close(statistics.row("0"), torch.stack([mean, variance]))
    assert statistics.calls == (1,)
    assert statistics.notes == ()


def test_a_model_that_cannot_be_followed_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "Rows", lambda start: start[2, 5] if start.numel() else Rows(start))
    statistics = Statistics(model := convolutional())
    once(model, 0)
    statistics.step()
    (note,) = statistics.notes
    assert note.startswith("Batch statistics were not followed after update 0: IndexError")
    assert statistics.calls == ()
    assert not any(layer._forward_pre_hooks for layer in norms(model))


def test_layers_that_are_added_and_removed_are_found() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    statistics = Statistics(model)
    for number in range(3):
        model(images(number))
        statistics.step()
    kept = statistics.row("0.9")[:, 3:]
    old = model[0]
    model[0] = nn.Conv2d(3, 3, 1)
    model.append(nn.BatchNorm2d(3))
    statistics.step()
    assert statistics.layers.names == ("1", "2")
    assert torch.equal(statistics.row("0.9")[:, :3], kept)
    assert not old._forward_pre_hooks
    model(images(5))
    statistics.step()
    assert statistics.calls == (1, 1)
    assert statistics.start_left == pytest.approx(0.9)


def still(layer: nn.Module) -> None:
    layer.track_running_stats = False  # type: ignore[assignment]


@pytest.mark.parametrize("momentum", [0.0, 1e-5, 0.1])
def test_where_buffers_tell_too_little_inputs_are_sampled(momentum: float) -> None:
    def before(model: nn.Module) -> None:
        if momentum == 0.1:
            for layer in norms(model):
                still(layer)

    _, statistics = trained(convolutional, momentum, watch=True, before=before, updates=SAMPLED + 3)
    _, plain = trained(convolutional, 0.1, watch=True, updates=SAMPLED + 1)
    found = statistics.row("0")
    assert plain.last_move
    torch.testing.assert_close(found, plain.last_move.batch, rtol=1e-5, atol=1e-5)
    (note,) = statistics.notes
    assert note.startswith("1, 4: inputs were sampled every 4 updates")


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_buffers_of_16_bits_are_sampled(precision: torch.dtype) -> None:
    layer = nn.BatchNorm2d(3).to(precision)
    statistics = Statistics(layer)
    layer(images(0).to(precision))
    statistics.step()
    batch = images(0).to(precision).float()
    variance, mean = torch.var_mean(batch, (0, 2, 3))
    close(statistics.row("0"), torch.stack([mean, variance]))
    assert len(statistics.notes) == 1


def test_buffers_of_64_bits_lose_nothing() -> None:
    layer = nn.BatchNorm2d(3, momentum=1e-6).double()
    statistics = Statistics(layer)
    for number in range(5):
        layer(images(number).double())
        statistics.step()
    variance, mean = torch.var_mean(images(4), (0, 2, 3))
    close(statistics.row("0"), torch.stack([mean, variance]))
    assert statistics.notes == ()


def keras_model(momentum: float) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.layers.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(momentum=momentum),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
            keras.layers.BatchNormalization(momentum=momentum),
        ]
    )


def fitted(momentum: float, calls: int = 1) -> tuple[keras.Model, Statistics]:
    model = keras_model(momentum)
    statistics = Statistics(KerasModel(model))
    for number in range(8):
        for again in range(calls):
            model(images(number + 50 * again)[..., :6, :6].movedim(1, -1), training=True)
        model(images(number + 20)[..., :6, :6].movedim(1, -1))
        statistics.step()
    return model, statistics


@pytest.mark.parametrize("calls", [1, 2])
def test_keras_s_layers_have_their_own_convention(calls: int) -> None:
    _, statistics = fitted(0.9, calls)
    assert statistics.calls == (calls, calls)
    assert statistics.momentum == (0.1, 0.1)
    for momentum in MOMENTA:
        model, replay = fitted(momentum, calls)
        if momentum < 0.99:
            assert replay.notes == ()
        close(statistics.row(f"{momentum:g}"), replay.own())
        layer = model.layers[1]
        assert torch.equal(replay.own()[1, :4], layer.moving_variance.value)
    assert statistics.notes == ()


def test_what_is_assigned_to_keras_s_layers_is_no_batch() -> None:
    model = keras_model(0.9)
    statistics = Statistics(KerasModel(model))
    inputs = [images(number)[..., :6, :6].movedim(1, -1) for number in range(2)]
    model(inputs[0], training=True)
    statistics.step()
    model.layers[1].moving_mean.assign(torch.full((4,), 2.0))
    model.layers[1].moving_variance.assign(torch.full((4,), 2.0))
    model(inputs[1], training=True)
    statistics.step()
    other = keras_model(0.0)
    other(inputs[1], training=True)
    assert statistics.calls == (1, 1)
    close(statistics.row("0")[0, :4], other.layers[1].moving_mean.value)
    close(statistics.row("0")[1, :4], other.layers[1].moving_variance.value)


def test_our_own_layers_hold_the_last_batch() -> None:
    model, statistics = trained(ours, 1.0, watch=True)
    close(statistics.row("0"), held(model))
    assert statistics.notes == ()


def test_layers_that_move_otherwise_than_their_momentum_says_are_told_of() -> None:
    class Doubled(Written):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002
            outputs = super().forward(input)
            for buffer in running_statistics(self):
                buffer.mul_(0.5)
            return outputs

    _, statistics = trained(lambda: network(Doubled), 0.1, watch=True)
    with statistics.suspended():
        pass
    (note,) = statistics.notes
    assert "running variances move otherwise than torch's momentum says" in note


def test_a_layer_called_by_names_is_sampled_by_no_input() -> None:
    layer = nn.BatchNorm2d(3, momentum=0.0)
    statistics = Statistics(layer)
    layer(input=images(0))
    statistics.step()
    (note,) = statistics.notes
    assert note.endswith("running statistics change too little, and no input was seen.")
    assert torch.equal(statistics.row("0"), statistics.own())


def test_watching_follows_a_model_that_is_trained_once_more() -> None:
    model = convolutional()
    first, second = Statistics(model), Statistics(model)
    once(model, 0)
    first.step()
    first.detach()
    once(model, 1)
    second.step()
    first.step()
    assert (first.update, second.update) == (1, 1)
    assert second.calls == (2, 2)
