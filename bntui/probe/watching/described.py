"""What is known of somebody else's training before anything is measured."""

import math
import shlex
import sys
from collections.abc import Iterable, Sequence, Sized
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from bntui.core.config import Knobs, RunConfig, torch_momentum
from bntui.core.parsers import MAX_BATCH_SIZE, MAX_LEARNING_RATE
from bntui.core.rules import NEARLY_ONE
from bntui.core.snapshot import RunFacts
from bntui.probe.passes import device_of
from bntui.probe.watching.keras_updates import KerasOptimizer

MAIN = "__main__"
WRAPPED = ("module", "_orig_mod")
"""Where wrappers keep their module: of data parallel training, and of `torch.compile`."""


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the module within wrappers of torch's for parallel training and compiling."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while isinstance(model, wrappers) or type(model).__name__ == "OptimizedModule":
        model = next(found for name in WRAPPED if isinstance(found := getattr(model, name, None), nn.Module))  # fmt: skip
    return model


def script() -> str:
    """Return the script that this program runs and its arguments, as they are typed behind `python`."""
    name, *arguments = sys.argv or [""]
    module = getattr(sys.modules.get(MAIN), "__spec__", None)
    if module is not None and module.name != MAIN:  # of a module Python puts its file into `argv`
        return shlex.join(["-m", module.name.removesuffix(f".{MAIN}"), *arguments])
    return shlex.join(["python" if name in {"", "-c"} else name, *arguments])


def knobs_of(batch_size: int | None, momentum: float, rate: float) -> Knobs:
    """Return what is known of a training as knobs; the rest are defaults, and all within their bounds.

    `momentum` is torch's; NaN for what is not known.
    """
    known = Knobs()
    return Knobs(
        batch_size=min(max(1, batch_size or known.batch_size), MAX_BATCH_SIZE),
        momentum=known.momentum
        if math.isnan(momentum)
        else min(max(0.0, torch_momentum(momentum)), NEARLY_ONE),
        learning_rate=rate if 0.0 < rate <= MAX_LEARNING_RATE else known.learning_rate,
    )


def one_momentum(momenta: Iterable[float | None]) -> float:
    """Return the momentum that all layers have; NaN where they differ or are cumulative."""
    found = set(momenta)
    (only,) = found if len(found) == 1 else (None,)
    return math.nan if only is None else only


def name_of(optimizer: Optimizer | KerasOptimizer) -> str:
    """Return the name of an optimiser's class."""
    return optimizer.name if isinstance(optimizer, KerasOptimizer) else type(optimizer).__name__


def rate_of(optimizer: Optimizer | KerasOptimizer | None) -> float:
    """Return the learning rate of an optimiser's first group; NaN where there is none."""
    if isinstance(optimizer, KerasOptimizer):
        return optimizer.learning_rate
    groups = optimizer.param_groups if optimizer else []
    rate = groups[0].get("lr", math.nan) if groups else math.nan
    return float(rate)


def batch_of(loader: Iterable[Any] | None) -> int | None:
    """Return the batch size that a loader says it has."""
    size = getattr(loader, "batch_size", None)
    return size if isinstance(size, int) and not isinstance(size, bool) else None


def config_of(training: Iterable[Any] | None, momenta: Sequence[float | None]) -> RunConfig:
    """Return the configuration that stands for a training that is not ours."""
    return RunConfig(knobs=knobs_of(batch_of(training), one_momentum(momenta), math.nan))


def facts_of(
    model: nn.Module, training: Iterable[Any] | None, validation: Iterable[Any] | None
) -> RunFacts:
    """Return what a model is trained on, as far as its loaders tell."""
    return RunFacts(
        device=str(device_of(model)),
        dataset=_dataset_name(training) or _dataset_name(validation),
        train=max(1, _samples(training)),
        validation=_samples(validation),
        parameters=sum(one.numel() for one in model.parameters() if not _is_lazy(one)),
        class_names=(),
        activation_bytes=0,
        threads=torch.get_num_threads(),
    )


def _dataset_name(loader: Iterable[Any] | None) -> str:
    dataset = getattr(loader, "dataset", None)
    return "" if dataset is None else type(dataset).__name__


def _samples(loader: Iterable[Any] | None) -> int:
    """Return how many samples a loader's data set has; 0 where it doesn't say."""
    dataset = getattr(loader, "dataset", None)
    try:
        return len(dataset) if isinstance(dataset, Sized) else 0
    except (TypeError, NotImplementedError):
        return 0


def _is_lazy(tensor: Any) -> bool:
    return isinstance(tensor, nn.parameter.UninitializedParameter)
