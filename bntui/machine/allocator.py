"""Whether memory that torch frees on the CPU stays at hand for the next update. Imports no torch.

A step allocates the same tensors as the one before. Returned to the system in between, each page is
asked for, cleared and faulted in again at every update: at the thread's full width and a batch of
512 that is a tenth of the time, at 1,024 a third. Kept, the blocks lie side by side and some stay
between others, so that a batch of 4,096 would need half as much memory again.
"""

import ctypes
import sys

from bntui.machine.environment import variable

MOST_KEPT = 1 << 30
"""Bytes of activations of a batch up to which memory is kept: where it costs little."""
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
"""glibc's malloc.h."""
_SETTINGS = {
    _ARENA_MAX: "MALLOC_ARENA_MAX",
    _MMAP_MAX: "MALLOC_MMAP_MAX_",
    _TRIM_THRESHOLD: "MALLOC_TRIM_THRESHOLD_",
}
"""The environment variable of each parameter; where the user set it, that stays."""
_NEVER, _USUAL_MMAPS, _USUAL_TRIM = 2**31 - 1, 65536, 1 << 27


def share_one_heap() -> None:
    """Let all threads started from now on allocate from one heap: only that one can be kept."""
    _mallopt(_ARENA_MAX, 1)


def keep_freed(*, keep: bool) -> None:
    """Keep freed memory for the next allocation, or return it to the system. glibc only."""
    _mallopt(_MMAP_MAX, 0 if keep else _USUAL_MMAPS)
    _mallopt(_TRIM_THRESHOLD, _NEVER if keep else _USUAL_TRIM)


def _mallopt(parameter: int, value: int) -> None:
    if variable("GLIBC_TUNABLES") or variable(_SETTINGS[parameter]):
        return
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(parameter, value)
