"""What a look leaves as it was: everything that a check leaves, and what only a training under way has."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from bntui.measure.unchanged import unchanged
from bntui.probe.check import seed_all
from bntui.probe.passes import as_written

AUTOCAST = ("cpu", "cuda", "mps", "xpu")


@contextmanager
def as_it_was(model: nn.Module) -> Iterator[None]:
    """Look at a model in the middle of a training loop, without gradients and with streams seeded.

    Everything is put back in the end, also on an error: see `measure.unchanged`.
    """
    with unchanged(model, weights=True), as_written(), torch.no_grad(), _casts_not_kept():
        seed_all(model, 0)
        yield


@contextmanager
def _casts_not_kept() -> Iterator[None]:
    """Keep autocast, where it is on, from keeping the weights that it casts.

    A look is taken without gradients. The training's next pass would get weights without one.
    """
    with ExitStack() as stack:
        for device in AUTOCAST:
            if torch.is_autocast_enabled(device):
                dtype = torch.get_autocast_dtype(device)
                stack.enter_context(torch.autocast(device, dtype, cache_enabled=False))
        yield


def is_synchronised(model: nn.Module) -> bool:
    """Tell whether training-mode passes of a model wait for other processes."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return False
    several = distributed.get_world_size() > 1
    return several and any(isinstance(one, nn.SyncBatchNorm) for one in model.modules())
