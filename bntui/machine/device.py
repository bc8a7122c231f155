"""Where a run computes, and what torch is told before it is imported. Imports no torch by itself."""

import os
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from bntui.core.config import RunConfig
from bntui.core.parsers import PUBLISHED
from bntui.core.text import ConfigError, first_sentence
from bntui.machine import allocator, environment

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
    return environment.remarks() + environment.costly(os.environ, chosen, environment.cores())


def resolve(name: str) -> "tuple[torch.device, str]":
    """Return the torch device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`, and what to say of it.

    `auto` takes the first that can compute: CUDA, then MPS, then the CPU. Raises ConfigError for
    what this machine lacks, or can't compute on.
    """
    import torch

    if name == "cpu":
        return torch.device(name), ""
    cuda, complaint = _cuda_devices()
    mps = torch.backends.mps.is_available()
    if name == "auto":
        unusable = {complaint: ["cuda"]} if complaint else {}
        for found in [*(f"cuda:{number}" for number in range(cuda)), *(["mps"] if mps else [])]:
            on = torch.device(found.removesuffix(":0"))
            if not (why := _why_not(on)):
                return on, _passed_over(unusable, str(on))
            unusable.setdefault(why, []).append(str(on))
        return torch.device("cpu"), _passed_over(unusable, "the CPU")
    kind, _, index = name.partition(":")
    if kind == "cuda" and int(index or 0) >= cuda:
        count = f"{cuda} CUDA device{'s' if cuda > 1 else ''}" if cuda else "no CUDA device"
        why = f" ({complaint})" if complaint else ""
        raise ConfigError(
            f"device {name!r} is not there: torch finds {count}{why}; use --device auto."
        )
    if kind == "mps" and not mps:
        raise ConfigError("device 'mps' is not there: torch finds no Metal; use --device auto.")
    if why := _why_not(torch.device(name)):
        raise ConfigError(f"device {name!r} can't compute ({why}): use --device auto.")
    return torch.device(name), ""


def _cuda_devices() -> tuple[int, str]:
    """Return how many there are, and what torch complains of: too old a driver, say."""
    import torch

    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        try:
            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        except Exception as error:  # whatever a broken driver does, there is the CPU
            return 0, first_sentence(error)
    return count, "" if count or not complaints else first_sentence(complaints[0].message)


def _why_not(on: "torch.device") -> str:
    """Return why a device that is there can't make what training is made of; nothing if it can."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is tried here
        try:
            weights = torch.zeros(1, 1, 3, 3, device=on, requires_grad=True)
            image = torch.zeros(1, 1, 4, 4, device=on)
            torch.nn.functional.conv2d(image, weights).sum().backward()
            weights.detach().cpu()  # waits until it is done
        except Exception as error:
            return first_sentence(error) or type(error).__name__
    return ""


def _passed_over(unusable: dict[str, list[str]], instead: str) -> str:
    if not unusable:
        return ""
    reasons = "; ".join(f"{', '.join(names)}: {why}" for why, names in unusable.items())
    return f"this run trains on {instead}, since the GPU can't compute ({reasons})."


def fit_to_machine(
    config: RunConfig, left_open: frozenset[str], *, gpu: bool, mnist_on_disk: bool
) -> RunConfig:
    """Fill in what the explorer's user `left_open`, so that running statistics go stale within about a minute.

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
