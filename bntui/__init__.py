"""bntui: see, live in a terminal, why batch normalization breaks validation."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Knobs", "RunConfig", "RunRequest", "Runner", "Snapshot", "__version__"]

_HOMES = {
    "Knobs": "bntui.core.config",
    "RunConfig": "bntui.core.config",
    "RunRequest": "bntui.core.run_request",
    "Runner": "bntui.train.runner",
    "Snapshot": "bntui.core.snapshot",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: `import bntui` itself loads neither torch nor textual."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
