"""Which steps of which optimisers are updates of a model."""

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import SGD

from bntui.probe.watching import steps
from bntui.probe.watching.steps import Updates


def optimiser(model: nn.Module) -> SGD:
    return SGD(model.parameters(), lr=0.1)


class Heard:
    def __init__(self) -> None:
        self.steps: list[tuple[steps.AnyOptimizer, list[float], bool]] = []

    def stepped(
        self, optimizer: steps.AnyOptimizer, losses: tuple[Tensor, ...], *, new: bool
    ) -> None:
        self.steps.append((optimizer, [float(one) for one in losses], new))


def test_every_step_is_told_with_its_losses_until_one_leaves() -> None:
    model, heard = nn.Linear(2, 1), Heard()
    sgd = optimiser(model)
    before = torch.Tensor.backward
    steps.listen(heard)
    loss = model(torch.ones(1, 2)).sum()
    loss.backward()
    sgd.step()
    steps.leave(heard)
    sgd.step()
    assert heard.steps == [(sgd, [loss.item()], True)]
    assert torch.Tensor.backward is before


def test_whoever_holds_a_parameter_of_the_model_makes_its_updates() -> None:
    mine, other = nn.Linear(2, 1), nn.Linear(2, 1)
    updates = Updates(mine)
    assert updates.begins(optimiser(mine), new=False)
    assert not updates.begins(optimiser(other), new=False)


def test_of_an_optimiser_around_another_either_makes_updates() -> None:
    model = nn.Linear(2, 1)
    inner = optimiser(model)
    outer = Accelerator(cpu=True).prepare(inner)
    assert outer is not inner
    updates = Updates(model, (outer,))
    assert updates.begins(inner, new=True)
    assert not updates.begins(outer, new=False)
    assert not updates.begins(optimiser(model), new=True)


def test_two_optimisers_of_one_model_make_one_update_together() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    first, second = map(optimiser, model)
    updates = Updates(model)
    assert [updates.begins(one, new=False) for one in (first, second, first, second)] == [
        True,
        False,
        True,
        False,
    ]


def test_one_that_steps_several_times_for_each_of_the_other_counts() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    often, rarely = map(optimiser, model)
    updates = Updates(model)
    assert sum(updates.begins(one, new=False) for one in (often, often, often, rarely) * 2) == 6


def test_only_named_optimisers_count() -> None:
    model = nn.Linear(2, 1)
    named, other = optimiser(model), optimiser(model)
    updates = Updates(model, (named,))
    assert updates.begins(named, new=False)
    assert not updates.begins(other, new=False)
    assert updates.begins(named, new=False)


def test_parameters_that_are_added_later_are_found() -> None:
    model, other = nn.Linear(2, 1), nn.Linear(2, 1)
    sgd, updates = optimiser(other), Updates(model)
    assert not updates.begins(sgd, new=False)
    sgd.add_param_group({"params": list(model.parameters())})
    assert updates.begins(sgd, new=False)


def test_after_another_backward_pass_a_new_optimiser_makes_another_update() -> None:
    model = nn.Linear(2, 1)
    updates, made = Updates(model), [optimiser(model) for _ in range(3)]
    assert [updates.begins(one, new=True) for one in made] == [True] * 3
