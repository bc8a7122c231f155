"""Check leaves every case as it was found, bit for bit, also where something is raised in the middle.

Cases are trained for a few updates only: most verdicts come out all the same, and the state is no other.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import bntui
from bntui.measure.layers import layers_of
from tests.as_found import as_found
from tests.cases import faulty, healthy
from tests.cases.case import Case
from tests.cases.data import endless

UPDATES = 15
MODULES = {
    module.name: importlib.import_module(f"{package.__name__}.{module.name}")
    for package in (faulty, healthy)
    for module in pkgutil.iter_modules(package.__path__)
}
NAMES = [name for name, module in MODULES.items() if not getattr(module, "SLOW", False)]


class BoomError(ValueError):
    """What is raised in the middle: of the kind that check itself catches in some places."""


class Cut(BaseException):
    """As KeyboardInterrupt, which would end the tests."""


@cache
def built(name: str) -> Case:
    """Return a case after a few updates, with gradients as an optimiser leaves them."""
    module = MODULES[name]

    def few(training: Any) -> Iterator[Any]:
        return islice(endless(training), UPDATES)

    with (
        patch("tests.cases.data.endless", few),
        patch("tests.cases.fit.endless", few),
        patch.object(module, "endless", few, create=True),
    ):
        case: Case = module.case()
    draws = torch.Generator().manual_seed(3)
    for number, parameter in enumerate(case.model.parameters()):
        if parameter.requires_grad and number % 3:
            random_ones = torch.randn(parameter.shape, generator=draws)
            parameter.grad = random_ones.to(parameter.dtype)
    return case


def everything(case: Case) -> list[Any]:
    """Return all that a check could change: models, random streams, loaders' own ones and their data."""
    others = [case.options.get(name) for name in ("averaged_from", "against")]
    return [
        [as_found(one) for one in (case.model, *others) if isinstance(one, nn.Module)],
        [held_by(loader) for loader in (case.validation, case.training)],
        torch.is_grad_enabled(),
    ]


def held_by(holder: Any) -> Any:
    """Return the state of the random streams that a loader holds, and which tensors, how often written."""
    if isinstance(holder, Tensor):
        return id(holder), holder._version  # rather than the bits of a data set, again and again
    if isinstance(holder, torch.Generator):
        return holder.get_state().tolist()
    if isinstance(holder, list | tuple):
        return [held_by(one) for one in holder]
    if isinstance(holder, DataLoader):
        return [
            held_by(one) for one in (holder.generator, holder.sampler, holder.batch_sampler)
        ] + [held_by(holder.dataset)]
    return [held_by(one) for one in getattr(holder, "__dict__", {}).values()]


def check(case: Case) -> bntui.Report:
    return bntui.check(case.model, case.validation, case.training, **case.options)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_as_it_was_found(name: str) -> None:
    case = built(name)
    before = everything(case)
    check(case)
    assert everything(case) == before


class Fuse:
    """Passes calls on to `inside` until the one that is its last."""

    def __init__(self, last: int, error: BaseException, inside: Any = None) -> None:
        self.calls = 0
        if inspect.isfunction(inside):
            self.__signature__ = inspect.signature(inside)  # a metric's second parameter has a name
        self._last, self._error, self._inside = last, error, inside

    def __call__(self, *given: Any) -> Any:
        self._count()
        return None if self._inside is None else self._inside(*given)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._inside:
            self._count()
            yield batch

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._last:
            raise self._error


def module_in_the_middle(case: Case) -> nn.Module:
    """Return a layer with statistics: check's own hooks are at work when it is called."""
    found = layers_of(case.model)
    return found[len(found) // 2][1]


def calls_until(run: Callable[[Fuse], object], inside: Any = None) -> int:
    """Return how many calls there are where none is the last."""
    fuse = Fuse(0, BoomError(), inside)
    run(fuse)
    return fuse.calls


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` numbers from 1 to `count`, both included."""
    return sorted({round(one) for one in np.linspace(1, count, min(most, count))})


def fails_as_it_was(
    run: Callable[[Fuse], object], case: Case, last: int, inside: Any = None
) -> None:
    """See that the error comes out itself, and leaves everything as it was found."""
    error = (BoomError(), RuntimeError(), Cut())[last % 3]
    before = everything(case)
    with pytest.raises(type(error)) as raised:
        run(Fuse(last, error, inside))
    assert raised.value is error
    assert error.__cause__ is error.__context__ is None
    assert everything(case) == before, f"call {last}"


def hooked(case: Case, module: nn.Module) -> Callable[[Fuse], object]:
    """Return a check during which `module` calls a fuse first, which is as long as the model is."""

    def run(fuse: Fuse) -> None:
        fuses[module] = fuse
        check(case)

    fuses: dict[nn.Module, Fuse] = {}
    module.register_forward_pre_hook(lambda *_: fuses[module]())
    return run


def test_a_pass_may_fail_at_any_call() -> None:
    case = built("momentum_too_small_zero")
    run = hooked(case, case.model)
    calls = calls_until(run)
    assert calls > 40
    for last in range(1, calls + 1):
        fails_as_it_was(run, case, last)


@pytest.mark.parametrize(
    "name",
    [
        "averaged_weights_swa",
        "dropout_shift_mlp",
        "exported_differently_bias",
        "few_values_batch_of_two",
        "mixed_sources_domains",
        "padding_point_sets",
        "sorted_batches_by_class",
        "dict_batches",
        "siamese",
    ],
)
def test_a_layer_may_fail_at_any_call(name: str) -> None:
    case = built(name)
    run = hooked(case, module_in_the_middle(case))
    for last in spread(calls_until(run), 3):
        fails_as_it_was(run, case, last)


@pytest.mark.parametrize("which", ["validation", "training"])
def test_a_loader_may_fail_at_any_batch(which: str) -> None:
    case = built("dropout_shift_mlp")

    def run(fuse: Fuse) -> None:
        given: dict[str, Any] = {which: fuse}
        check(replace(case, **given))

    inside = getattr(case, which)
    for last in (2, *spread(calls_until(run, inside), 5)):
        fails_as_it_was(run, case, last, inside)


@pytest.mark.parametrize(("name", "which"), [("dict_batches", "metric"), ("siamese", "forward")])
def test_what_the_user_gives_may_fail_at_any_call(name: str, which: str) -> None:
    case = built(name)

    def run(fuse: Fuse) -> None:
        check(replace(case, options=case.options | {which: fuse}))

    inside = case.options[which]
    for last in spread(calls_until(run, inside), 4):
        fails_as_it_was(run, case, last, inside)
