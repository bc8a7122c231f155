"""Every healthy case: check blames batch norm for nothing, and is not undecided."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
import torch

import bntui
from bntui.probe.causes import Severity
from tests.cases import healthy

NAMES = [module.name for module in pkgutil.iter_modules(healthy.__path__)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.timeout(480)  # the published architectures take up to 40 s each on a free core
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_blamed(name: str) -> None:
    case = importlib.import_module(f"{healthy.__name__}.{name}").case()
    report = bntui.check(case.model, case.validation, case.training, **case.options)
    harm = {Severity.UNSOUND, Severity.UNDECIDED}
    assert not [one.cause for one in report.verdicts if one.severity in harm], str(report)
    assert report.sound, str(report)
