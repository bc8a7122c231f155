"""Buffers that the user's own code writes, between calls of layers and after them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bntui.measure.layers import running_statistics
from bntui.probe.watching.batch_statistics import Statistics
from tests.probe.watching.trainings import (
    close,
    convolutional,
    held,
    images,
    norms,
    once,
    replayed,
    trained,
)

Write = Callable[[nn.BatchNorm2d], object]


def copied(layer: nn.BatchNorm2d) -> None:
    for buffer in running_statistics(layer):
        buffer.copy_(torch.full_like(buffer, 4.0))


def replaced(layer: nn.BatchNorm2d) -> None:
    layer.running_mean = torch.full_like(running_statistics(layer)[0], 4.0)
    layer.running_var = torch.full_like(layer.running_mean, 9.0)


def loaded(layer: nn.BatchNorm2d) -> None:
    layer.load_state_dict(nn.BatchNorm2d(layer.num_features).state_dict())


def swapped(layer: nn.BatchNorm2d) -> None:
    """Validate with other values, as averages of weights are."""
    kept = [buffer.clone() for buffer in running_statistics(layer)]
    copied(layer)
    for buffer, value in zip(running_statistics(layer), kept, strict=True):
        buffer.copy_(value)


WRITES: dict[str, Write] = {
    "copied": copied,
    "replaced": replaced,
    "loaded": loaded,
    "reset": nn.BatchNorm2d.reset_running_stats,
    "swapped": swapped,
    "moved to itself": lambda layer: layer.to(torch.float64).to(torch.float32),
}


def watched(write: Write, when: Callable[[int], bool], late: bool = False) -> Statistics:
    """Train, and write between two updates; `late` after the call, before the optimiser has stepped."""

    def step(model: nn.Module, number: int) -> Tensor:
        if when(number) and not late:
            for layer in norms(model):
                write(layer)  # type: ignore[arg-type]
        loss = once(model, number)
        if when(number) and late:
            loss = (
                loss.detach().requires_grad_()
            )  # buffers that a backward pass needs can't be written
            for layer in norms(model):
                write(layer)  # type: ignore[arg-type]
        return loss

    return trained(convolutional, 0.1, step, watch=True)[1]


@pytest.mark.parametrize("name", [name for name in WRITES if name not in {"reset", "loaded"}])
def test_what_is_written_between_updates_is_no_batch(name: str) -> None:
    statistics = watched(WRITES[name], lambda number: number == 5)
    untouched = trained(convolutional, 0.1, watch=True)[1]
    for row in ("0", "0.9", "cumulative", "bias-corrected"):
        close(statistics.row(row), untouched.row(row))
    assert statistics.calls == (1, 1)
    assert statistics.notes == ()


@pytest.mark.parametrize("name", ["copied", "loaded", "replaced"])
def test_rows_begin_with_what_is_written_before_the_first_update(name: str) -> None:
    statistics = watched(WRITES[name], lambda number: number == 0)

    def written(model: nn.Module) -> None:
        for layer in norms(model):
            WRITES[name](layer)  # type: ignore[arg-type]

    expected = trained(convolutional, 0.1, watch=True, before=written)[1]
    for row in ("0.9", "0.99", "cumulative"):
        close(statistics.row(row), expected.row(row))


@pytest.mark.parametrize("name", ["reset", "loaded"])
def test_statistics_that_are_reset_begin_anew_in_every_row(name: str) -> None:
    def step(model: nn.Module, number: int) -> Tensor:
        if number == 5:
            for layer in norms(model):
                WRITES[name](layer)  # type: ignore[arg-type]
        return once(model, number)

    _, statistics = trained(convolutional, 0.1, step, watch=True)
    replayed(statistics, convolutional, step=step)
    close(statistics.row("cumulative"), held(trained(convolutional, None, step)[0]))


def test_after_a_reset_all_of_the_start_is_left() -> None:
    reset = nn.BatchNorm2d.reset_running_stats
    assert watched(reset, lambda number: number == 8).start_left == pytest.approx(0.9**2)
    assert watched(swapped, lambda number: number == 8).start_left == pytest.approx(0.9**10)


def test_a_move_that_is_overwritten_before_the_step_is_lost_and_told() -> None:
    statistics = watched(copied, lambda number: number == 5, late=True)
    assert statistics.notes == (
        "1, 4: 1 moves were overwritten by other code before they could be taken.",
    )
    assert torch.isfinite(statistics.row("0.9")).all()


def test_a_call_that_raises_is_no_move() -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)
    statistics.step()
    before = statistics.row("0.5")
    with pytest.raises(ValueError, match="4D"):
        model[1](torch.zeros(2, 3, 4, 4, 4))  # type: ignore[index]
    statistics.step()
    assert statistics.calls == (0, 0)
    assert torch.equal(statistics.row("0.5"), before)
    assert statistics.notes == ()


def test_the_user_says_that_buffers_were_replaced() -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)
    for layer in norms(model):
        running_statistics(layer)[0].data.fill_(5.0)  # raises no version
    statistics.moved_by_user()
    assert statistics.start_left == 0.0
    once(model, 1)
    statistics.step()
    other = convolutional()
    other.load_state_dict(model.state_dict())
    found = statistics.recent()
    assert found is not None
    assert statistics.calls == (1, 1)
    assert found[0].abs().max() < 5.0
    assert torch.equal(statistics.own(), held(model))


def test_buffers_of_another_size_or_precision_begin_anew() -> None:
    layer = nn.BatchNorm2d(3)
    model = nn.Sequential(layer)
    statistics = Statistics(model)
    model(images(0))
    statistics.step()
    model.double()
    for number in (1, 2):
        model(images(number).double())
        statistics.step()
    close(statistics.row("0")[0], images(2).mean((0, 2, 3)))
    fresh: Any = nn.BatchNorm2d(2)
    layer.running_mean, layer.running_var = fresh.running_mean, fresh.running_var
    layer.weight, layer.bias = fresh.weight, fresh.bias
    for number in (3, 4):
        model(images(number)[:, :2])
        statistics.step()
    assert statistics.layers.channels == (2,)
    close(statistics.row("0")[0], images(4)[:, :2].mean((0, 2, 3)))
    assert statistics.notes == ()
