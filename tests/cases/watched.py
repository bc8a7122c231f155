"""Watching the training of a case, without a change to it."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from types import ModuleType
from typing import Any
from unittest.mock import patch

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from bntui.core.watched import Found
from bntui.probe.report import Report
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.looks import Looks
from tests.cases.case import Case
from tests.cases.data import endless

FEW = 3
"""Updates of the training that is made to get hold of a case's loaders."""
NAMES = ("model", "judge")
"""What loops call the model that they train."""
LOOKS = (10, 100)
"""Updates after which a watched training is looked at before it ends."""


class Training:
    """One watched loop: what was found while it ran, and at its end."""

    def __init__(self, model: nn.Module, case: Case) -> None:
        self.found: list[Found] = []
        self.report: Report | None = None
        self._weights = set(model.parameters())
        self._statistics = Statistics(model)
        self._looks = Looks(
            model,
            self._statistics,
            validation=case.validation,
            training=case.training,
            forward=case.options.get("forward"),
            metric=case.options.get("metric"),
        )
        self._hook = register_optimizer_step_post_hook(self._stepped)

    def _stepped(self, optimizer: Optimizer, *_: object) -> None:
        mine = (one in self._weights for group in optimizer.param_groups for one in group["params"])
        if not any(mine):
            return
        self._statistics.step()
        update = self._statistics.update
        if update in LOOKS:
            self._looks.validate(update)
            self._looks.look_back(update)
            self.found += self._looks.findings(update)

    def end(self) -> None:
        """Look for the last time."""
        self._hook.remove()
        self.report = self._looks.report()
        self._statistics.detach()
        self._looks.close()


def watched(module: ModuleType) -> Training:
    """Make a case, watch every loop in which it trains, and return the last one.

    The model is the one in the loop's own variables. The case's loaders are known from a first, short
    training.
    """
    with _loops(module, lambda training: islice(endless(training), FEW)):
        case: Case = module.case()
    trainings: list[Training] = []

    def watch(training: Any) -> Iterator[Any]:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        here = frame.f_back.f_locals
        model = next(here[name] for name in NAMES if name in here)
        del frame, here  # they hold this generator, which is to end with its loop
        trainings.append(Training(model, case))
        try:
            yield from endless(training)
        finally:  # the loop has let go of it
            trainings[-1].end()

    with _loops(module, watch):
        module.case()
    return trainings[-1]


@contextmanager
def _loops(module: ModuleType, batches: Any) -> Iterator[None]:
    """Let every loop of a case get its batches from `batches`, a function of its training loader."""
    with ExitStack() as stack:
        for name in ("tests.cases.data", "tests.cases.fit"):
            stack.enter_context(patch.object(importlib.import_module(name), "endless", batches))
        if hasattr(module, "endless"):
            stack.enter_context(patch.object(module, "endless", batches))
        yield
