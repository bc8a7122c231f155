"""Where a run computes, and what torch is told before it is imported. Imports no torch by itself."""

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from bntui.engine import allocator, environment
from bntui.engine.config import PUBLISHED, ConfigError, RunConfig
from bntui.places import has_name, temporary_folder

if TYPE_CHECKING:
    import torch

FULL_BATCH = 4096
"""The thread's, of 50,000 images and more."""
QUICK_WIDTH = 0.25


def prepare_environment() -> None:
    """Set what makes torch faster if it is set before torch is imported; never over the user's own.

    At a batch of 4096 every step allocates and returns gigabytes: transparent huge pages keep page
    faults from eating the gain (280 → 432 images/s, measured on two cores). Threads that are to
    profit from it must start afterwards.
    """
    if "torch" not in sys.modules:
        environment.suggest("THP_MEM_ALLOC_ENABLE", "1")
        # Importing torch's optimisers asks for a folder for what it compiles, named after the user,
        # where temporary files go, and fails without either. Without --compile nothing is put there.
        folder = temporary_folder()
        if folder is None or not has_name():
            cache = folder / f"torchinductor_{os.getuid()}" if folder else "/"
            environment.suggest("TORCHINDUCTOR_CACHE_DIR", str(cache))
    allocator.share_one_heap()


def tune(on: "torch.device", threads: int | None) -> list[str]:
    """Set what is global to torch; return what of the user's environment costs speed.

    `threads` are the user's, None for as many as are worth it. On CUDA products of float32 matrices
    are TF32.
    """
    import torch

    chosen = threads or environment.worthwhile_threads(os.environ, torch.get_num_threads())
    if chosen != torch.get_num_threads():
        torch.set_num_threads(chosen)
    if on.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    return environment.costly(os.environ, chosen, environment.cores())


def resolve(name: str) -> "torch.device":
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` takes CUDA, then MPS, then the CPU. Raises ConfigError for what this machine lacks.
    """
    import torch

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    kind, _, index = name.partition(":")
    if kind == "cuda" and int(index or 0) >= cuda:
        found = f"{cuda} CUDA device{'s' if cuda > 1 else ''}" if cuda else "no CUDA device"
        raise ConfigError(f"device {name!r} is not there: torch finds {found}; use --device auto.")
    if kind == "mps" and not mps:
        raise ConfigError("device 'mps' is not there: torch finds no Metal; use --device auto.")
    return torch.device(name)


def fit_to_machine(
    config: RunConfig, left_open: frozenset[str], *, gpu: bool, mnist_on_disk: bool
) -> RunConfig:
    """Fill in what the explorer's user `left_open`, so that the story is told in about a minute.

    On a CPU the quarter net on the built-in digits; on a GPU the thread's full net, on MNIST where
    it is on disk, and on full data sets like it the thread's batch of 4096.
    """
    if "dataset" in left_open:
        config = replace(config, dataset="mnist" if gpu and mnist_on_disk else "digits")
    if "width" in left_open:
        config = replace(config, width=1.0 if gpu else QUICK_WIDTH)
    if "batch_size" in left_open and gpu and config.dataset in PUBLISHED:
        config = replace(config, knobs=replace(config.knobs, batch_size=FULL_BATCH))
    return config
