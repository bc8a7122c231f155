"""Models that a script trains: which are found, when they are watched, and what they are called."""

import copy
import functools
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock
from weakref import ref

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

import bntui
from bntui.probe.watching import found_models, found_trainings
from bntui.probe.watching.found_models import FoundModels
from bntui.probe.watching.found_trainings import MOST
from bntui.probe.watching.heap import models_of
from bntui.probe.watching.how import How
from bntui.probe.watching.names import Names
from bntui.probe.watching.own_frames import own
from bntui.probe.watching.watch import watch
from bntui.probe.watching.watched_training import Watching


class Net(nn.Module):
    """Two layers with running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.head = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(self.body(batch))  # type: ignore[no-any-return]


@dataclass
class Seen:
    """What was watched while a script ran."""

    models: FoundModels
    watchings: list[Watching] = field(default_factory=list)
    begun: list[nn.Module] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [one.snapshot.watched.model for one in self.watchings if one.snapshot.watched]

    @property
    def updates(self) -> list[int]:
        return [one.statistics.update for one in self.watchings]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Find models, as within `bntui watch --no-store`; the real `watch` is called, and noted."""
    gc.collect()  # models of other tests
    noted = Seen(FoundModels(How(store=False), Names()))

    def noting(model: nn.Module, **options: Any) -> Watching:
        noted.begun.append(model)
        noted.watchings.append(watch(model, **options))
        return noted.watchings[-1]

    monkeypatch.setattr(found_trainings, "watch", noting)
    noted.models.attach()
    yield noted
    noted.models.end(None)
    assert not nn.modules.module._global_forward_pre_hooks
    noted.begun.clear()


def step(model: Callable[[Tensor], Tensor], optimizer: Optimizer, times: int = 1) -> None:
    """Make updates."""
    for _ in range(times):
        optimizer.zero_grad()
        model(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()


def test_a_model_is_watched_from_its_first_training_pass_on(seen: Seen) -> None:
    model = Net()
    optimizer = SGD(model.parameters(), 0.1)
    assert not seen.begun
    step(model, optimizer, 3)
    assert (seen.begun, seen.names, seen.updates) == ([model], ["Net"], [3])
    (watching,) = seen.watchings
    assert 0.0 < watching.statistics.start_left < 1.0  # nothing of the start was missed
    assert watching.statistics.start_left == pytest.approx(0.9**3, rel=1e-5)
    assert watching.statistics.calls == (1, 1)


def test_what_is_done_before_training_does_not_begin_it(seen: Seen) -> None:
    model = Net()
    optimizer = SGD(model.parameters(), 0.1)
    model.load_state_dict(Net().state_dict())
    model.eval()
    model(torch.randn(2, 3))
    nn.Linear(3, 3)(torch.randn(2, 3))
    assert not seen.begun
    model.train()
    step(model, optimizer)
    assert seen.updates == [1]


def test_nothing_of_it_is_left_once_a_model_is_watched(seen: Seen) -> None:
    model = Net()
    optimizer = SGD(model.parameters(), 0.1)
    assert nn.modules.module._global_forward_pre_hooks
    assert not any(one._forward_pre_hooks for one in model.modules())
    copy.deepcopy(model)
    step(model, optimizer)
    assert not nn.modules.module._global_forward_pre_hooks


def test_torch_is_as_it_was_afterwards() -> None:
    before = Optimizer.__init__, torch.compile
    models = FoundModels(How(store=False), Names())
    models.attach()
    assert Optimizer.__init__ is not before[0]
    said = models.end(None)
    assert (Optimizer.__init__, torch.compile) == before
    assert said == ([], [])
    assert not models.made


def test_who_replaced_a_function_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    models = FoundModels(How(store=False), Names())
    models.attach()
    within, calls = torch.compile, []

    def theirs(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return within(*arguments, **named)

    monkeypatch.setattr(torch, "compile", theirs)
    models.end(None)
    assert torch.compile is theirs
    model = Net()
    torch.compile(model, backend="eager")
    assert calls == [(model,)]


def test_what_holds_no_running_statistics_is_left_alone(seen: Seen) -> None:
    model = nn.Sequential(
        nn.Linear(3, 1), nn.LayerNorm(1), nn.BatchNorm1d(1, track_running_stats=False)
    )
    step(model, SGD(model.parameters(), 0.1))
    assert not seen.begun
    assert not nn.modules.module._global_forward_pre_hooks
    assert seen.models.end(None) == ([], [])
    assert seen.models.made == 1


def test_only_what_an_optimiser_trains_is_watched(seen: Seen) -> None:
    model, teacher = Net(), Net()
    average = copy.deepcopy(model)
    optimizer = SGD(model.parameters(), 0.1)
    teacher(torch.randn(4, 3))
    average(torch.randn(4, 3))
    step(model, optimizer)
    assert seen.begun == [model]


@pytest.mark.parametrize("together", [False, True])
def test_two_models_with_an_optimiser_each_are_told_apart(seen: Seen, together: bool) -> None:
    first, second = Net(), Net()
    both = nn.ModuleDict({"first": first, "second": second}) if together else None
    optimizers = SGD(first.parameters(), 0.1), SGD(second.parameters(), 0.1)
    for _ in range(2):
        step(second, optimizers[1])
        step(second, optimizers[1])
        step(first, optimizers[0])
    assert seen.begun == [second, first]
    assert seen.names == ["Net", "Net (2)"]
    assert seen.updates == [4, 2]
    assert both is None or len(both) == 2


def test_optimisers_of_one_part_and_of_the_rest_train_one_model(seen: Seen) -> None:
    model = Net()
    body, last = model.body, list(model.head.children())[-1]
    optimizers = SGD(body.parameters(), 0.1), SGD(last.parameters(), 0.1)
    for _ in range(3):
        model(torch.randn(8, 3)).mean().backward()
        for one in optimizers:
            one.step()
    assert seen.begun == [model]
    assert seen.updates == [3]


def test_a_second_optimiser_goes_on_with_the_model(seen: Seen) -> None:
    model = Net()
    step(model, SGD(model.head.parameters(), 0.1), 2)
    step(model, SGD(model.parameters(), 0.1), 3)
    assert seen.begun == [model]
    assert seen.updates == [5]


def test_models_one_after_another_are_runs_of_their_own_and_let_go(seen: Seen) -> None:
    gone = []
    for fold in range(3):
        model = Net()
        optimizer = SGD(model.parameters(), 0.1)
        step(model, optimizer, fold + 1)
        gone.append(ref(model))
        del model, optimizer
        seen.begun.clear()
        gc.collect()
    assert seen.updates == [1, 2, 3]
    seen.watchings.clear()
    gc.collect()
    assert [one() is None for one in gone] == [True, True, False]  # the last is told of at the end
    said, _ = seen.models.end(None)
    assert [f"{number} update" in one for number, one in enumerate(said, 1)] == [True] * 3
    del said
    gc.collect()
    assert gone[2]() is None


def test_there_is_a_limit_to_how_many_are_watched_at_once(seen: Seen) -> None:
    models = [Net() for _ in range(MOST + 2)]
    optimizers = [SGD(one.parameters(), 0.1) for one in models]
    for model, optimizer in zip(models, optimizers, strict=True):
        step(model, optimizer)
    assert seen.begun == models[:MOST]
    told, not_watched = seen.models.end(None)
    assert len(told) == MOST
    assert not_watched == [f"2 models were not watched, since {MOST} were in training at once"]


def test_an_optimiser_an_update_does_not_have_the_memory_searched_each_time(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []

    def searching(optimizers: list[Optimizer]) -> Any:
        searches.append(len(optimizers))
        return models_of(optimizers)

    monkeypatch.setattr(found_models, "models_of", searching)
    monkeypatch.setattr(found_models, "SECONDS", 0.0)
    monkeypatch.setattr(found_models, "SHARE", 0.0)
    model, plain = Net(), nn.Linear(3, 1)
    for _ in range(4):
        step(model, SGD(model.parameters(), 0.1))
        step(plain, SGD(plain.parameters(), 0.1))
    assert searches == [1]
    assert seen.updates == [4]
    _, said = seen.models.end(None)
    assert said == [
        "the models of 4 optimisers were not looked for, since the script makes so many"
    ]


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda model: nn.Sequential(model)])
def test_a_model_may_be_wrapped_after_its_optimiser_is_made(seen: Seen, wrap: Any) -> None:
    model = Net()
    optimizer = SGD(model.parameters(), 0.1)
    outer = wrap(model)
    step(outer, optimizer)
    assert seen.begun == [outer]
    assert seen.names == ["Sequential" if isinstance(outer, nn.Sequential) else "Net"]


@pytest.mark.parametrize("when", ["before", "after", "step"])
@pytest.mark.parametrize("whole", [True, False])
def test_compiled_models_are_watched_before_they_are_compiled(
    seen: Seen, when: str, whole: bool
) -> None:
    model: Any = Net()
    compiled = functools.partial(torch.compile, backend="eager", fullgraph=whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Guards may run slower")  # says torch of Python 3.13.0
        if when == "before":
            runs = compiled(model)
        optimizer = SGD(model.parameters(), 0.1)
        if when == "after":
            runs = compiled(model)
        if when == "step":
            runs = compiled(lambda batch: model(batch))
        assert seen.begun
        step(runs, optimizer, 3)
    assert seen.updates == [3]
    assert seen.watchings[0].statistics.start_left == pytest.approx(0.9**3, rel=1e-5)


def test_training_in_eval_mode_is_watched_from_the_first_step_on(seen: Seen) -> None:
    model = Net().eval()
    step(model, SGD(model.parameters(), 0.1), 2)
    assert seen.begun == [model]
    assert seen.updates == [2]
    assert not nn.modules.module._global_forward_pre_hooks


def test_an_optimiser_that_is_a_copy_is_known_at_its_first_step(seen: Seen) -> None:
    made = Net()
    pair = {"model": made, "optimizer": SGD(made.parameters(), 0.1)}
    twin: Any = copy.deepcopy(pair)
    step(twin["model"], twin["optimizer"], 2)
    assert seen.begun == [twin["model"]]


def test_what_the_script_watches_itself_is_watched_once(seen: Seen) -> None:
    model, other = Net(), Net()
    optimizers = SGD(model.parameters(), 0.1), SGD(other.parameters(), 0.1)
    with bntui.watch(model, store=False):
        step(model, optimizers[0])
        step(other, optimizers[1])
    step(model, optimizers[0])
    assert seen.begun == [other]


def test_an_error_of_ours_ends_the_watching_alone(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise MemoryError("all of it")

    monkeypatch.setattr(found_models, "models_of", fail)
    model = Net()
    step(model, SGD(model.parameters(), 0.1), 2)
    assert seen.models.end(None) == (
        [],
        ["not every model was watched: MemoryError: all of it"],
    )


def test_an_optimiser_that_is_refused_says_so_without_our_frames(seen: Seen) -> None:
    with pytest.raises(ValueError, match="empty parameter list") as raised:
        SGD([], 0.1)
    trace, files = own(raised.value.__traceback__), []
    while trace:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert files[-1].endswith("optimizer.py")
    assert not [one for one in files if one.endswith("/found_models.py")]


def test_names_are_those_of_the_scripts_variables(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"generator": Net(), "net": Net(), "_hidden": Net(), "critic": nn.DataParallel(Net())}
    for name, model in models.items():
        monkeypatch.setitem(vars(sys.modules["__main__"]), name, model)
    for model in models.values():
        step(model, SGD(model.parameters(), 0.1))
    assert seen.names == ["Net generator", "Net", "Net (2)", "Net critic"]


def test_stand_ins_in_memory_are_not_asked_for_their_class() -> None:
    class Strange:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise RuntimeError("asked")

    kept = [Strange(), MagicMock(spec=nn.Module), nn.Module.__new__(nn.Module)]
    model = Net()
    optimizer = SGD(model.parameters(), 0.1)
    (found,) = models_of([optimizer])
    assert found.model is model
    assert len(kept) == 3
