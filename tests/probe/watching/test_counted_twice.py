"""Statistics that one update moves several times: in real trainings that do so."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from bntui.core.watched import Found
from bntui.probe.watching import looks as module
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.counted_twice import counted_twice
from bntui.probe.watching.looks import Looks
from tests.cases.data import digits, endless, mlp, train

Step = Callable[[nn.Module, list[Any]], None]


class Checkpointed(nn.Module):
    """A network whose body is computed again in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        layers = list(mlp())
        self.body, self.head = nn.Sequential(*layers[:-1]), layers[-1]

    def forward(self, images: Tensor) -> Tensor:
        hidden = (
            checkpoint(self.body, images, use_reentrant=False)
            if self.training
            else self.body(images)
        )
        outputs: Tensor = self.head(hidden)
        return outputs


@pytest.fixture(autouse=True)
def _nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have calls counted: other tests of this process may have compiled something, which forbids it."""
    monkeypatch.setattr(module, "can_count", lambda: True)


def found_in(
    model: nn.Module,
    batch: int,
    accumulated: int,
    updates: int,
    looks_at: tuple[int, ...],
    skipped: tuple[int, ...] = (),
    rate: float = 0.02,
    **given: Any,
) -> list[tuple[Found, ...]]:
    """Train with accumulated gradients, and return the findings of some looks.

    Before the `skipped` updates a step is left out: a scaler does that where gradients overflow.
    """
    statistics = Statistics(model)
    looks = Looks(model, statistics, **given)
    steps = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    batches = endless(digits(batch=batch))
    model.train()
    found = []
    for update in range(1, updates + 1):
        steps.zero_grad()
        for _ in range(accumulated * (2 if update in skipped else 1)):
            inputs, labels = next(batches)
            (cross_entropy(model(inputs), labels) / accumulated).backward()
        steps.step()
        statistics.step()
        if update in looks_at:
            looks.validate(update)
            found.append(looks.findings(update))
    looks.close()
    statistics.detach()
    assert not any(one._forward_pre_hooks for one in model.modules())
    return found


def twice(found: tuple[Found, ...]) -> Found:
    return next(one for one in found if one.cause == "counted-twice")


def test_checkpointing_is_told_by_the_backward_pass_that_calls_again() -> None:
    first, second = found_in(Checkpointed(), 64, 1, 6, (3, 6))
    assert "keeps 0.81 of the old" in " ".join(twice(first).evidence)
    assert "2 times" in " ".join(twice(first).evidence)
    assert "within a backward pass" not in " ".join(twice(first).evidence)  # not seen yet
    assert "activation checkpointing computes the layer again" in " ".join(twice(second).evidence)
    assert "torch.utils.checkpoint" in twice(second).remedies[0]
    assert twice(second).severity == "warning"


def test_accumulated_gradients_are_passes_of_their_own() -> None:
    _, second = found_in(mlp(), 16, 4, 6, (3, 6))
    found = twice(second)
    assert "4 times" in " ".join(found.evidence)
    assert "keeps 0.656 of the old" in " ".join(found.evidence)
    assert "not activation checkpointing" in " ".join(found.evidence)
    assert found.remedies == (
        "layer.momentum = 0.026 (torch's): 4 moves then keep as much as one does now",
    )


def test_one_call_an_update_is_none_of_it() -> None:
    (found,) = found_in(mlp(), 64, 1, 4, (4,))
    assert "counted-twice" not in [one.cause for one in found]


def test_a_step_that_is_skipped_is_none_of_it() -> None:
    looks = found_in(mlp(), 64, 1, 7, (1, 2, 4, 5, 7), skipped=(1, 2, 4, 7))
    for found in looks:
        assert "counted-twice" not in [one.cause for one in found]


def test_it_is_unsound_where_fewer_moves_would_do_no_harm() -> None:
    model = train(mlp(momentum=0.7), digits(batch=64), 100, 0.02)
    (found,) = found_in(
        model,
        2,
        8,
        20,
        (20,),
        rate=1e-6,  # the weights stand: which batches came last decides, on any machine
        validation=digits("validation"),
        training=digits(batch=64),
    )
    one = twice(found)
    assert one.severity == "unsound"
    assert "With torch's momentum 0.1, with which 8 moves keep" in " ".join(one.evidence)


@pytest.mark.parametrize(("calls", "named"), [((1, 1), False), ((2, 1), True), ((0, 3), True)])
def test_layers_are_counted(calls: tuple[int, ...], named: bool) -> None:
    found = counted_twice(["a", "b"], calls, [0.1, None], None)
    assert bool(found) is named
    if found and calls == (2, 1):
        assert found.evidence[0].startswith(
            "An update moves the statistics of 1 of 2 layers several times: of layer a 2 times"
        )
