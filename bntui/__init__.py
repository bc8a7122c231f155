"""bntui: see, live in a terminal, why batch normalization breaks validation."""

from typing import Any

__version__ = "0.1.0"
__all__ = [
    "Cause",
    "Knobs",
    "ProbeError",
    "Report",
    "Restore",
    "RunConfig",
    "RunRequest",
    "Runner",
    "Snapshot",
    "Watching",
    "__version__",
    "check",
    "recalibrate",
    "watch",
]

# Callbacks are not in `__all__`: `import *` would load every library that they are for.
_HOMES = {
    "Cause": "bntui.probe.causes",
    "FastaiCallback": "bntui.probe.callbacks.fastai",
    "KerasCallback": "bntui.probe.callbacks.keras",
    "Knobs": "bntui.core.config",
    "LightningCallback": "bntui.probe.callbacks.lightning",
    "ProbeError": "bntui.probe.errors",
    "Report": "bntui.probe.report",
    "Restore": "bntui.probe.recalibration",
    "RunConfig": "bntui.core.config",
    "RunRequest": "bntui.core.run_request",
    "Runner": "bntui.train.runner",
    "Snapshot": "bntui.core.snapshot",
    "TransformersCallback": "bntui.probe.callbacks.hugging_face",
    "Watching": "bntui.probe.watching.watched_training",
    "check": "bntui.probe.check",
    "recalibrate": "bntui.probe.recalibration",
    "watch": "bntui.probe.watching.watch",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use: `import bntui` itself loads neither torch nor textual."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
