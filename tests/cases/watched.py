"""Watching the training of a case, without a change to it."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from types import ModuleType
from typing import Any
from unittest.mock import patch

import bntui
from bntui.core.watched import Watched
from tests.cases.case import Case
from tests.cases.data import endless

FEW = 3
"""Updates of the training that is made to get hold of a case's loaders."""
NAMES = ("model", "judge", "discriminator")
"""What loops call the model that they train."""
EVERY = 100
"""Updates from one look to the next."""


def watched(module: ModuleType) -> Watched:
    """Make a case, watch every loop in which it trains, and return what the last one ended with.

    The model is the one in the loop's own variables. The case's loaders are known from a first, short
    training.
    """
    with _loops(module, lambda training: islice(endless(training), FEW)):
        case: Case = module.case()
    ended: list[Watched] = []

    def watch(training: Any) -> Iterator[Any]:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        here = frame.f_back.f_locals
        model = next(here[name] for name in NAMES if name in here)
        del frame, here  # they hold this generator, which is to end with its loop
        watching = bntui.watch(
            model,
            validation=case.validation,
            training=case.training,
            forward=case.options.get("forward"),
            metric=case.options.get("metric"),
            every=EVERY,
            store=False,
        )
        try:
            yield from endless(training)
        finally:  # the loop has let go of it
            watching.close()
            assert watching.snapshot.watched is not None
            ended.append(watching.snapshot.watched)

    with _loops(module, watch):
        module.case()
    return ended[-1]


@contextmanager
def _loops(module: ModuleType, batches: Any) -> Iterator[None]:
    """Let every loop of a case get its batches from `batches`, a function of its training loader."""
    with ExitStack() as stack:
        for name in ("tests.cases.data", "tests.cases.fit"):
            stack.enter_context(patch.object(importlib.import_module(name), "endless", batches))
        if hasattr(module, "endless"):
            stack.enter_context(patch.object(module, "endless", batches))
        yield
