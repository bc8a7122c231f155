"""Every faulty case: the cause that check names first is the one that was seeded."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
import torch

import bntui
from tests.cases import faulty

NAMES = [module.name for module in pkgutil.iter_modules(faulty.__path__)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
def test_first_verdict_is_the_seeded_cause(name: str) -> None:
    module = importlib.import_module(f"{faulty.__name__}.{name}")
    case = module.case()
    report = bntui.check(case.model, case.validation, case.training, **case.options)
    assert report.verdicts[0].cause == module.CAUSE, str(report)
