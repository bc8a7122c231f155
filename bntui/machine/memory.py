"""How much memory there is for a batch, and whether an error says that it ran out.

Host memory is what the machine, the control groups that the process is in (a container's limit) and
its own limit of address space leave: the least of them. Imports no torch by itself.
"""

import resource
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bntui.core.text import ConfigError
from bntui.machine import cgroups

if TYPE_CHECKING:
    import torch

WEIGHT_BYTES = 16
"""Of each weight in training: float32 for itself, its gradient and the two moments of Adam."""
PEAK = 1.5
"""Memory that an update needs at its peak, as a multiple of the activations kept for the backward pass.

Of resident memory on a CPU it took 1.29 at width 0.25 and batch 1024, and 1.28, 1.17 and 1.13 at width 1
and batch 512, 1024 and 4096, at most 0.05 more of address space. The rest is a margin, for where Linux
kills the process instead of refusing the memory.
"""


def check_weights(weights: int, free: float, device: str) -> None:
    """Raise ConfigError for so many weights that training them can't fit: large images, wide nets."""
    size = WEIGHT_BYTES * weights
    if size > free:
        raise ConfigError(
            f"the network has {weights:,} weights, which take {size / 1e9:,.1f} GB of memory on "
            f"{device} to train, and {free / 1e9:,.1f} GB are free: give a smaller --width, or smaller "
            "images."
        )


def needed(batch_size: int, activation_bytes: int) -> float:
    """Return the bytes that an update takes at its peak."""
    return PEAK * batch_size * activation_bytes


def largest_batch(free: float, activation_bytes: int) -> int:
    """Return how many images an update can have in `free` bytes."""
    return int(free / needed(1, max(1, activation_bytes)))


def free_on(device: "torch.device") -> float:
    """Return the bytes that an update may take on the device. Metal's memory is the host's."""
    if device.type != "cuda":
        return free_on_host()
    import torch

    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return float(torch.cuda.mem_get_info(device)[0] + unused)


def free_on_host(root: Path = Path("/")) -> float:
    """Return the bytes that this process may still take; `root` is where proc and sys are found."""
    available = float(psutil.virtual_memory().available)
    return max(0.0, min(available, _address_space(), _in_groups(root)))


def resident() -> int:
    """Return the bytes of memory that this process has."""
    return int(psutil.Process().memory_info().rss)


def ran_out(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out.

    torch has a class of its own for a GPU, and a plain RuntimeError from the CPU's allocator.
    """
    if isinstance(error, MemoryError):
        return True
    words = ("out of memory", "allocate memory", "enough memory", "std::bad_alloc")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _address_space() -> float:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return float("inf")
    return float(limit - psutil.Process().memory_info().vms)


def _in_groups(root: Path) -> float:
    """Return what the tightest control group leaves."""
    found = cgroups.words(
        "memory",
        root,
        v1=("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"),
        v2=("memory.max", "memory.current", "memory.stat"),
    )
    return min((_in_group(*words) for words in found), default=float("inf"))


def _in_group(most: str, used: str, *statistics: str) -> float:
    """Return what a group leaves: what it keeps of files and does not use can be dropped."""
    if most == "max":
        return float("inf")
    counts = dict(zip(statistics[::2], statistics[1::2], strict=False))
    # Of v1 the total, which counts the groups below too, as v2 always does.
    droppable = counts.get("total_inactive_file", counts.get("inactive_file", 0))
    return float(int(most) - int(used) + int(droppable))
