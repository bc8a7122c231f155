"""Losses are what `backward` was called on, and torch is as it was afterwards."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from bntui.probe.watching.losses import Losses
from bntui.probe.watching.own_frames import own


@pytest.fixture
def losses() -> Iterator[Losses]:
    made = Losses()
    made.attach()
    yield made
    made.detach()


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.tensor([2.0]))


def test_the_root_of_backward_is_a_loss(losses: Losses) -> None:
    weight = parameter()
    (weight**2).backward()
    assert [float(one) for one in losses.take()[0]] == [4.0]
    assert weight.grad is not None
    assert weight.grad.item() == 4.0


def test_a_loss_that_is_changed_in_place_later_is_kept_as_it_was(losses: Losses) -> None:
    loss = (parameter() ** 2).sum()
    loss.backward()
    loss.detach().mul_(10)
    assert [float(one) for one in losses.take()[0]] == [4.0]


def test_a_loss_of_a_subclass_of_tensors_is_counted_once(losses: Losses) -> None:
    class Own(torch.Tensor):
        pass

    for _ in range(2):
        (parameter() ** 2).sum().as_subclass(Own).backward()  # type: ignore[no-untyped-call]
    assert [float(one) for one in losses.take()[0]] == [4.0, 4.0]


def test_several_losses_belong_to_one_update(losses: Losses) -> None:
    for factor in (1.0, 2.0):
        (parameter() * factor).sum().backward()
    assert [float(one) for one in losses.take()[0]] == [2.0, 4.0]


def test_a_second_optimiser_sees_the_same_loss(losses: Losses) -> None:
    parameter().sum().backward()
    first, new = losses.take()
    assert new
    assert losses.take() == (first, False)


def test_what_is_no_scalar_is_no_loss(losses: Losses) -> None:
    weight = nn.Parameter(torch.ones(3))
    (weight * 2).backward(torch.ones(3))
    assert losses.take() == ((), False)


def test_with_a_scaler_it_is_the_loss_before_scaling(losses: Losses) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    weight = parameter()
    scaler.scale((weight**2).sum()).backward()
    assert [float(one) for one in losses.take()[0]] == [4.0]
    assert weight.grad is not None
    assert weight.grad.item() == 4096.0


def test_torch_is_as_it_was_afterwards() -> None:
    before = torch.Tensor.backward, torch.amp.GradScaler.scale
    made = Losses()
    made.attach()
    assert torch.Tensor.backward is not before[0]
    made.detach()
    assert (torch.Tensor.backward, torch.amp.GradScaler.scale) == before


def test_who_wrapped_it_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Losses()
    made.attach()
    ours = torch.Tensor.backward

    def theirs(self: torch.Tensor, *arguments: object) -> None:
        ours(self, *arguments)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(torch.Tensor, "backward", theirs)
    made.detach()
    assert torch.Tensor.backward is theirs
    parameter().sum().backward()
    assert made.take() == ((), False)


def test_a_loss_that_cannot_be_copied_does_not_end_the_training(losses: Losses) -> None:
    class Stubborn(torch.Tensor):
        def detach(self) -> torch.Tensor:
            raise RuntimeError("no")

    loss: torch.Tensor = parameter().sum().as_subclass(Stubborn)
    loss.backward()
    assert losses.take() == ((), False)


def test_an_error_in_backward_is_told_without_our_frames(losses: Losses) -> None:
    with pytest.raises(RuntimeError, match="does not require grad") as raised:
        torch.ones(1).backward()
    trace, names = own(raised.value.__traceback__), []
    while trace:
        names.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert names[0] == __file__
    assert "/torch/" in names[1]
