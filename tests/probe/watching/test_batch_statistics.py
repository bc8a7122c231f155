"""What is recovered while a training runs equals what a replay has in its buffers."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torchvision.models import resnet18

from bntui.core.config import torch_momentum
from bntui.core.estimators import NAMED
from bntui.measure.layers import running_statistics
from bntui.probe.watching.batch_statistics import Statistics
from tests.probe.watching.trainings import (
    UPDATES,
    Make,
    Step,
    close,
    convolutional,
    dense,
    held,
    images,
    norms,
    once,
    replayed,
    residual,
    trained,
)


def siamese(model: nn.Module, number: int) -> Tensor:
    one, other = model(images(number)), model(-images(number + 100))
    loss: Tensor = (one - other).square().mean() + one.mean()
    return loss


def accumulated(model: nn.Module, number: int) -> Tensor:
    once(model, number + 100).backward()
    once(model, number + 200).backward()
    return once(model, number)


def checkpointed(model: nn.Module, number: int, reentrant: bool) -> Tensor:
    assert isinstance(model, nn.Sequential)
    batch = images(number).requires_grad_()
    batch = checkpoint(model[:3], batch, use_reentrant=reentrant)
    outputs: Tensor = model[3:](batch)
    return outputs.square().mean()


@pytest.mark.parametrize("make", [convolutional, residual, dense])
def test_a_row_is_what_a_replay_has_in_its_buffers(make: Make) -> None:
    _, statistics = trained(make, 0.1, watch=True)
    replayed(statistics, make)
    assert statistics.notes == ()
    assert set(statistics.calls) == {1}


def in_bfloat16(model: nn.Module, number: int) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        outputs: Tensor = model(images(number))
    return outputs.float().square().mean()


def adversarial(model: nn.Module, number: int) -> Tensor:
    """A generator's update, then its opponent's: the latter's layers are called three times."""
    assert isinstance(model, nn.Sequential)
    made = model[:3](images(number))
    wrong = model[3:](made).square().mean()
    real, fake = model[:3](images(number + 50)), made.detach()
    for batch in (real, fake):
        wrong = wrong + model[3:](batch).square().mean()
    return wrong  # type: ignore[no-any-return]


def sharp(model: nn.Module, number: int) -> Tensor:
    """Take the gradients elsewhere, as sharpness-aware minimisation does: two passes an update."""
    once(model, number).backward()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.grad is not None:
                weight.add_(weight.grad, alpha=0.01)
    return once(model, number)


STEPS: dict[str, tuple[Step, tuple[int, ...]]] = {
    "siamese": (siamese, (2, 2)),
    "accumulated": (accumulated, (3, 3)),
    "bfloat16": (in_bfloat16, (1, 1)),
    "adversarial": (adversarial, (2, 3)),
    "sharp": (sharp, (2, 2)),
    "checkpointed": (partial(checkpointed, reentrant=False), (2, 1)),
    "checkpointed, reentrant": (partial(checkpointed, reentrant=True), (2, 1)),
}


def test_a_row_of_resnet_18_is_what_a_replay_has() -> None:
    def make() -> nn.Module:
        model: nn.Module = resnet18(num_classes=4)
        return model

    few = partial(trained, make, updates=4)
    _, statistics = few(0.1, watch=True)
    for momentum in (0.0, 0.9, 0.99):
        replay, _ = few(torch_momentum(momentum))
        close(statistics.row(f"{momentum:g}"), held(replay))
    assert statistics.calls == (1,) * 20


@pytest.mark.parametrize("name", STEPS)
def test_every_call_is_a_move(name: str) -> None:
    step, calls = STEPS[name]
    _, statistics = trained(convolutional, 0.1, step, watch=True)
    replayed(statistics, convolutional, step=step)
    assert statistics.calls == calls


@pytest.mark.parametrize("momentum", [0.9, 0.1, 0.01, 0.001, None])
def test_rows_depend_on_the_momentum_by_rounding_only(momentum: float | None) -> None:
    _, statistics = trained(convolutional, momentum, watch=True)
    replayed(statistics, convolutional, momentum=momentum or 1.0 / UPDATES)
    assert statistics.notes == ()


@pytest.mark.parametrize("momentum", [0.1, None])
def test_the_cumulative_row_is_what_no_momentum_makes(momentum: float | None) -> None:
    _, statistics = trained(convolutional, momentum, watch=True)
    replay, _ = trained(convolutional, None)
    close(statistics.row("cumulative"), held(replay))


def test_rows_without_a_constant_momentum_follow_each_layer_s_own() -> None:
    momenta = (0.1, 0.3)
    taken: list[list[Tensor]] = [[], []]

    def mixed(model: nn.Module) -> None:
        for layer, momentum, of in zip(norms(model), momenta, taken, strict=True):
            layer.momentum = momentum
            layer.register_forward_pre_hook(partial(keep, of))

    def keep(of: list[Tensor], _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        of.append(unbiased(inputs[0]))

    model, statistics = trained(convolutional, 0.1, watch=True, before=mixed)
    expected: dict[str, list[Tensor]] = {one.name: [] for one in NAMED if one.kept}
    for momentum, batches in zip(momenta, taken, strict=True):
        for one in NAMED:
            if not one.kept:
                continue
            row = torch.stack([torch.zeros_like(batches[0][0]), torch.ones_like(batches[0][0])])
            for number, batch in enumerate(batches, 1):
                kept = one.kept(1.0 - momentum, number, (1.0 - momentum) ** number)
                row = kept * row + (1.0 - kept) * batch
            expected[one.name].append(row)
    for name, parts in expected.items():
        close(statistics.row(name), torch.cat(parts, 1))
    assert statistics.momentum == momenta
    assert statistics.start_left == pytest.approx(0.9**UPDATES)
    assert statistics.last_move is None
    assert torch.equal(statistics.own(), held(model))


def unbiased(batch: Tensor) -> Tensor:
    variance, mean = torch.var_mean(batch.detach(), [at for at in range(batch.dim()) if at != 1])
    return torch.stack([mean, variance])


@pytest.mark.parametrize("momentum", [0.9, 0.1, 0.01, 0.001])
def test_a_batch_s_statistics_are_recovered(momentum: float) -> None:
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(3, momentum=momentum)
    statistics = Statistics(layer)
    for number in range(300):  # until the variances are those of the batches
        layer(images(number))
        statistics.step()
        assert statistics.last_move
        close(statistics.last_move.batch, unbiased(images(number)), momentum)
        assert statistics.last_move.kept == 1.0 - momentum


def test_fresh_statistics_are_the_mean_of_the_last_updates_batches() -> None:
    layer = nn.BatchNorm2d(3)
    statistics = Statistics(layer)
    assert statistics.recent() is None
    for number in range(11):
        layer(images(2 * number))
        layer(images(2 * number + 1))
        statistics.step()
    found = statistics.recent()
    assert found is not None
    close(found, torch.stack([unbiased(images(number)) for number in range(6, 22)]).mean(0))


def test_the_last_move_is_that_of_the_own_row() -> None:
    model, statistics = trained(convolutional, 0.1, watch=True)
    move = statistics.last_move
    assert move
    close(move.kept * move.before + (1.0 - move.kept) * move.batch, held(model))
    statistics.step()
    assert statistics.last_move is None
    assert statistics.calls == (0, 0)


def test_a_momentum_changed_on_the_way_is_followed() -> None:
    def changing(model: nn.Module, number: int) -> Tensor:
        for layer in norms(model):
            if layer.momentum in changes:
                layer.momentum = changes[number % 3]
        return once(model, number)

    changes = [0.1, 0.5, 0.02]
    _, statistics = trained(convolutional, 0.1, changing, watch=True)
    replay, _ = trained(convolutional, 0.03)
    _, other = trained(convolutional, 0.1, watch=True)
    for name in ("0.97", "0", "cumulative"):
        close(statistics.row(name), other.row(name), 0.02)
    close(statistics.row("0.97"), held(replay), 0.02)
    assert statistics.momentum == (0.1, 0.1)


def test_pretrained_statistics_are_the_start() -> None:
    def pretrained(model: nn.Module) -> None:
        for layer in norms(model):
            mean, variance = running_statistics(layer)
            mean.fill_(3.0)
            variance.fill_(7.0)

    _, statistics = trained(convolutional, 0.1, watch=True, before=pretrained)
    replayed(statistics, convolutional, before=pretrained)


def test_passes_in_eval_mode_move_nothing() -> None:
    def evaluated(model: nn.Module, number: int) -> Tensor:
        model.eval()
        with torch.no_grad():
            model(images(number + 50))
        return once(model.train(), number)

    _, statistics = trained(convolutional, 0.1, evaluated, watch=True)
    replayed(statistics, convolutional)
    assert statistics.calls == (1, 1)


def test_layers_that_are_not_called_stay_where_they_are() -> None:
    def partly(model: nn.Module, number: int) -> Tensor:
        assert isinstance(model, nn.Sequential)
        if number % 3 == 0:
            return once(model[:2], number)
        return once(model, number)

    _, statistics = trained(convolutional, 0.1, partly, watch=True)
    replayed(statistics, convolutional, step=partly)
    assert statistics.calls == (1, 0)
    assert statistics.start_left == pytest.approx(0.9**6)


def test_shared_layers_move_with_every_call() -> None:
    def make() -> nn.Module:
        norm = nn.BatchNorm2d(3)
        return nn.Sequential(norm, nn.Conv2d(3, 3, 1), norm, nn.BatchNorm2d(3))

    _, statistics = trained(make, 0.1, watch=True)
    replayed(statistics, make)
    assert statistics.calls == (2, 1)


@pytest.mark.parametrize("step", [once, siamese, accumulated])
@pytest.mark.parametrize("make", [convolutional, residual])
def test_watching_changes_no_bit(make: Make, step: Step) -> None:
    plain, _ = trained(make, 0.1, step)
    drawn = torch.rand(1)
    watched, _ = trained(make, 0.1, step, watch=True)
    assert torch.equal(drawn, torch.rand(1))
    before, after = plain.state_dict(), watched.state_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, after[name])
        assert value.stride() == after[name].stride()


def test_our_own_passes_do_not_count() -> None:
    watching: list[Statistics] = []

    def measured(model: nn.Module, number: int) -> Tensor:
        if not watching:
            watching.append(Statistics(model))
            return once(model, number)
        watching[0].step()
        with watching[0].suspended():
            kept = {name: value.clone() for name, value in model.state_dict().items()}
            model(images(number + 70))
            model.load_state_dict(kept)
        return once(model, number)

    trained(convolutional, 0.1, measured)
    watching[0].step()
    assert watching[0].calls == (1, 1)
    replayed(watching[0], convolutional)


@pytest.mark.parametrize("name", ["_look", "_flush", "_step", "_put", "_note_all"])
def test_an_error_of_ours_ends_watching_and_not_the_training(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = convolutional()
    statistics = Statistics(model)

    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(statistics, name, fail)
    for number in range(3):
        once(model, number)
        statistics.step()
        with statistics.suspended():
            pass
        statistics.moved_by_user()
    assert statistics.notes[0].endswith("RuntimeError: no memory")
    assert not any(layer._forward_pre_hooks for layer in norms(model))
    assert [int(layer.num_batches_tracked or 0) for layer in norms(model)] == [3, 3]
    assert torch.equal(statistics.own(), held(model))
