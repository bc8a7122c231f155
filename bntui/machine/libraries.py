"""Libraries that can't be loaded: why not, in one sentence. Imports none by itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bntui.core.text import ConfigError, first_sentence
from bntui.machine.environment import variable

_MEMORY = ("failed to map segment", "cannot allocate memory", "cannot apply additional memory")
_OF_TORCH = ("TORCH", "PYTORCH")
"""How variables begin that torch reads."""
_FATAL = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")
"""Those whose mistakes end the whole process, from C++."""
_failed: dict[str, str] = {}
"""Why libraries could not be loaded: a second attempt would meet a part of them, and other errors."""


@contextmanager
def loading(library: str) -> Iterator[None]:
    """Import torch, its compiler or torchvision in the block; raise ConfigError if that fails."""
    if "torch" not in sys.modules and library not in _failed and (why := _fatal_setting()):
        _failed[library] = why
    if library in _failed:
        raise ConfigError(_failed[library])
    try:
        yield
    except Exception as error:
        _failed[library] = why_not_loaded(library, error)
        raise ConfigError(_failed[library]) from error


def why_not_loaded(what: str, error: Exception) -> str:
    """Say why a library can't be loaded, and the way out."""
    reason = first_sentence(error)
    said = f"{what} can't be loaded ({type(error).__name__}{': ' if reason else ''}{reason})"
    if isinstance(error, MemoryError) or any(sign in f"{error}".lower() for sign in _MEMORY):
        return f"{said}: it needs more memory than this process may have; raise `ulimit -v`, or end other programs."
    blamed = [name for name in os.environ if name.startswith(_OF_TORCH) and variable(name)]
    named = [name for name in blamed if name in f"{error}" or variable(name) in f"{error}"]
    if named or (blamed and isinstance(error, ValueError)):
        return f"{said}: unset {' and '.join(named or blamed)}, or correct what it says."
    return f"{said}: install it again with `pip install --force-reinstall torch torchvision`."


def _fatal_setting() -> str:
    """Say which variable would end this process while torch is loaded, if one does end another."""
    given = [name for name in _FATAL if variable(name)]
    if not given or not sys.executable:
        return ""
    done = subprocess.run(
        [sys.executable, "-c", "import torch"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode >= 0:  # an exception is told when it happens here
        return ""
    said = next((line for line in done.stderr.splitlines() if "what():" in line), "")
    reason = first_sentence(said.partition("what():")[2]) or f"signal {-done.returncode}"
    return (
        f"torch can't be loaded ({reason}): unset {' and '.join(given)}, or correct what it says."
    )
