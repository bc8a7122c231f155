"""The user's environment: its variables, which of them cost speed, how many threads are worth having.

Imports no torch.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from bntui.core.config import MOST_THREADS
from bntui.core.parsers import MAX_THREADS
from bntui.core.text import literal
from bntui.machine import cgroups
from bntui.machine.times import is_zone

COSTLY = {
    "ATEN_CPU_CAPABILITY": "torch may not use all of the processor's vector units",
    "CUDA_LAUNCH_BLOCKING": "the program waits for the GPU at every operation",
    "DNNL_VERBOSE": "every convolution is logged",
    "MALLOC_CHECK_": "all memory is checked",
    "MALLOC_PERTURB_": "all memory is written once more",
    "ONEDNN_MAX_CPU_ISA": "convolutions may not use all of the processor's vector units",
    "ONEDNN_VERBOSE": "every convolution is logged",
    "PYTHONASYNCIODEBUG": "Python watches every event of the screen",
    "PYTHONDEVMODE": "Python checks itself all the time",
    "PYTHONMALLOC": "Python handles memory slowly",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "memory is fetched from the driver at every update",
    "TORCH_SHOW_DISPATCH_TRACE": "every operation is logged",
}
"""Variables that cost speed when they are set, and why."""
HARMLESS = {"", "0", "default", "all", "pymalloc"}
"""Values of those variables that change nothing."""
THREADS_GIVEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_OF_ANOTHER_TERMINAL = ("COLUMNS", "LINES")
_NONE_AT_ALL = ("_VISIBLE_DEVICES", "_proxy")
"""How variables end that mean `none` where they are empty."""


def variable(name: str) -> str:
    """Return the value of a variable, empty if it is unset: an empty one is as good as unset."""
    return os.environ.get(name, "")


def suggest(name: str, value: str) -> None:
    """Set a variable, unless the user did."""
    if not variable(name):
        os.environ[name] = value


_unset: dict[str, str] = {}
"""Variables that `settle` unset and that the user may have meant, with their values."""


def settle() -> None:
    """Unset variables that mislead libraries. Call it before any library is loaded.

    These are empty variables, the size of the terminal, which the terminal itself knows better, impossible
    numbers of threads, and an unknown time zone.
    """
    for name, value in list(os.environ.items()):
        if name in _OF_ANOTHER_TERMINAL or not (value or name.endswith(_NONE_AT_ALL)):
            del os.environ[name]
    for name in THREADS_GIVEN:
        if variable(name) and not given_threads(os.environ, name):
            _unset[name] = os.environ.pop(name)
    if variable("TZ") and not is_zone(variable("TZ")):
        _unset["TZ"] = os.environ.pop("TZ")
        os.environ["TZ"] = "UTC0"
        time.tzset()


def remarks() -> list[str]:
    """Return a sentence for each variable that was unset and that the user may have meant."""
    way_out = {
        "TZ": "no such time zone is known here, so that times are told in UTC; name another one.",
        **dict.fromkeys(
            THREADS_GIVEN, f"give a whole number from 1 to {MAX_THREADS:,}, or unset it."
        ),
    }
    return [f"{name}={literal(_unset[name])} is not followed: {way_out[name]}" for name in _unset]


def costly(environ: Mapping[str, str], threads: int, cores: int) -> list[str]:
    """Return a sentence for each setting of `environ` that costs speed, with the reason."""
    said = [
        f"{name}={environ[name]} costs speed, since {why}: unset it."
        for name, why in COSTLY.items()
        if environ.get(name, "").lower() not in HARMLESS
    ]
    given = next((name for name in THREADS_GIVEN if given_threads(environ, name)), None)
    if given and 2 * threads < min(cores, MOST_THREADS):
        said.append(
            f"{given}={environ[given]} costs speed, since {threads} of {cores} cores train: unset "
            f"it, or give --threads {min(cores, MOST_THREADS)}."
        )
    return said


def given_threads(environ: Mapping[str, str], name: str) -> int:
    """Return the number of threads that a variable sets, 0 if it sets none that can be had."""
    value = environ.get(name, "").partition(",")[0].strip()  # one for each level of nested loops
    number = int(value) if value.isdecimal() and len(value) < 5 else 0
    return number if number <= MAX_THREADS else 0


def worthwhile_threads(environ: Mapping[str, str], default: int, root: Path = Path("/")) -> int:
    """Return how many threads to train with, where torch would take `default`, one a core.

    Not more than a container may use, whose cores torch does not count: threads that wait for
    their turn hold up all others at the end of every operation. What the user has set stays.
    `root` is where proc and sys are found.
    """
    if any(given_threads(environ, name) for name in THREADS_GIVEN):
        return default
    return max(1, min(default, MOST_THREADS, _allowed(root) or default))


def _allowed(root: Path) -> int | None:
    """Return the cores that the tightest control group grants; None if as many as there are."""
    found = cgroups.words(
        "cpu", root, v1=("cpu.cfs_quota_us", "cpu.cfs_period_us"), v2=("cpu.max",)
    )
    return min(filter(None, (_granted(words) for words in found)), default=None)


def _granted(words: list[str]) -> int | None:
    """Return the cores that a group grants, a part of one as a whole one; None if it sets no limit."""
    try:
        quota, period = map(int, words)
    except ValueError:  # v2's quota may be `max`
        return None
    return -(-quota // period) if quota > 0 else None  # v1's may be -1


def granted_cores(root: Path = Path("/")) -> int:
    """Return the cores that this process may use at the same time, of those that it may run on."""
    return max(1, min(cores(), _allowed(root) or cores()))


def cores() -> int:
    """Return the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
