"""A run that does what a test tells it, and small snapshots such as a real one would show.

No threads and no torch: what the screen asks for is recorded, what it shows is set by hand.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import Channels, Difference, LayerDrift, Score, Validation
from bntui.core.run import LEAVE_SECONDS, Command, Run
from bntui.core.run_request import Follow, RunRequest
from bntui.core.series import Series, SeriesView
from bntui.core.snapshot import Divergence, Mark, Phase, RunFacts, Snapshot

LAYERS = {"conv1_bn": 8, "conv2_bn": 8, "conv3_bn": 16, "flatten_bn": 784, "dense1_bn": 128}
"""The thread's BN layers and their channels at a quarter of its width."""
CLASSES = 10
NAN = math.nan


class ScriptedRun:
    """A `Run` that shows the snapshots it is given, and records what it is asked for."""

    def __init__(
        self,
        request: RunRequest,
        snapshots: Iterable[Snapshot] = (),
    ) -> None:
        config = request.config
        self.snapshot = Snapshot(
            config=config,
            knobs=config.knobs,
            epochs=config.epochs,
            followed=isinstance(request.origin, Follow),
        )
        self.request = request
        self.calls: list[str] = []
        """The names of the methods called, in order; a command by its own name."""
        self.applied: list[Knobs] = []
        self.ends = True
        """What `join` returns: whether the thread it has not got has ended."""
        self._snapshots = iter(snapshots)

    def advance(self) -> None:
        """Show the next of the snapshots given, as long as there is one."""
        self.snapshot = next(self._snapshots, self.snapshot)

    def show(self, **changes: Any) -> None:
        """Show a snapshot that differs from the one before in `changes`."""
        self.snapshot = replace(self.snapshot, **changes)

    def start(self, *, after: Run | None = None) -> None:
        self.calls.append("start paused" if self.request.paused else "start")
        self.advance()

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def stop(self) -> None:
        self.calls.append("stop")

    def join(self, timeout: float | None = None) -> bool:
        self.calls.append("join")
        return self.ends

    def leave(self, timeout: float = LEAVE_SECONDS, *, interrupted: bool = False) -> bool:
        self.calls.append("leave")
        return self.ends

    def apply(self, knobs: Knobs) -> None:
        self.calls.append("apply")
        self.applied.append(knobs)
        self.show(wanted=knobs)

    def command(self, command: Command) -> None:
        self.calls.append(command.name)


class ScriptedRuns:
    """Makes `ScriptedRun`s, which all show a run in the middle of its story once started."""

    def __init__(self, *, loaded: bool = True) -> None:
        self.made: list[ScriptedRun] = []
        self._loaded = loaded

    def __call__(self, request: RunRequest) -> ScriptedRun:
        run = ScriptedRun(request, [mid_run(request.config)] if self._loaded else [])
        self.made.append(run)
        return run


def mid_run(config: RunConfig, **changes: Any) -> Snapshot:
    """Return the state after 97 updates at momentum 0.99: fresh statistics well, running ones not."""
    values: dict[str, Any] = {
        "phase": Phase.RUNNING,
        "run": "5c1e0ac1d2b3",
        "config": config,
        "knobs": config.knobs,
        "facts": facts(),
        "update": 97,
        "epoch": 7,
        "epochs": config.epochs,
        "updates_per_epoch": 16,
        "images": 97 * 256,
        "seconds": 21.5,
        "images_per_s": 3405.0,
        "observed_share": 0.4,
        "validation": validation(with_bn=config.has_statistics),
        "series": histories(),
    }
    return Snapshot(**values | changes)


def diverged(config: RunConfig) -> Snapshot:
    """Return the state of a run whose numbers are all NaN, as they are once one weight is."""
    numbers = ("mean_gap", "mean_gap_max", "log_var_ratio", "log_var_off", "output_error")
    layer = layers(**dict.fromkeys(numbers, NAN), non_finite=8)
    nothing = Score(NAN, NAN, (1000,) + (0,) * (CLASSES - 1))
    return mid_run(
        config,
        images_per_s=NAN,
        observed_share=NAN,
        validation=Validation(97, 1000, nothing, nothing, layer),
        series={name: history([NAN] * 20) for name in histories()},
        marks=(Mark(3, "diverged"),),
        divergence=Divergence(3, "conv1_bn"),
    )


def failed(config: RunConfig, message: str) -> Snapshot:
    """Return the state of a run that could not load its data."""
    return Snapshot(phase=Phase.FAILED, message=message, config=config, knobs=config.knobs)


def facts() -> RunFacts:
    return RunFacts(
        device="cpu",
        dataset="digits",
        train=4000,
        validation=1000,
        parameters=107_722,
        class_names=tuple(map(str, range(CLASSES))),
        activation_bytes=350_000,
    )


def validation(
    running: float = 0.114, fresh: float = 0.974, *, update: int = 97, with_bn: bool = True
) -> Validation:
    """Return a validation in which the running statistics see a 1 almost everywhere."""
    stale = Score(2.85, running, (0, 980, 0, 0, 0, 20, 0, 0, 0, 0))
    sound = Score(0.09, fresh, (100,) * CLASSES)
    if not with_bn:
        return Validation(update, 1000, sound, sound, (), difference=difference(0.0))
    found = difference(running - fresh, 3.2 * (fresh - running))
    corrected = Score(0.1, fresh, (100,) * CLASSES)  # start values alone are to blame
    return Validation(update, 1000, stale, sound, layers(), difference=found, corrected=corrected)


def difference(accuracy: float, loss: float = 0.0) -> Difference:
    """Return a difference of two evaluations of 1,000 images that is no chance."""
    return Difference(accuracy, 0.01, loss, 0.01, 1000, 0.09)


def layers(**changes: Any) -> tuple[LayerDrift, ...]:
    """Return the five layers' drift, all with the same numbers."""
    return tuple(
        LayerDrift(**drift_values(name, channels) | changes) for name, channels in LAYERS.items()
    )


def drift_values(name: str, channels: int) -> dict[str, Any]:
    rows = np.zeros((6, channels), dtype=np.float32)
    rows.flags.writeable = False
    return {
        "name": name,
        "channels": channels,
        "mean_gap": 0.42,
        "mean_gap_max": 1.9,
        "log_var_ratio": math.log(4.9),
        "output_error": 0.6,
        "network_error": 0.8,
        "start_left": 0.38,
        "log_var_off": math.log(4.9),
        "quiet": 0,
        "non_finite": 0,
        "positions": 28 * 28,
        "untouched": False,
        "detail": Channels(*rows),
    }


def histories() -> dict[str, SeriesView]:
    """Return 97 updates of training, and a validation every fifth."""
    risen = [1 - 0.9 * 0.95**update for update in range(97)]
    values = {
        "train_acc": history(risen),
        "train_loss": history([2.3 * 0.95**update for update in range(97)]),
        "val_acc": history([0.114] * 19, every=5),
        "val_loss": history([2.85] * 19, every=5),
        "fresh_acc": history(risen[::5], every=5),
        "fresh_loss": history([2.0 * 0.8**n for n in range(19)], every=5),
    }
    falling = history([4.0 * 0.9**n for n in range(19)], every=5)
    return values | {f"drift:{name}": falling for name in LAYERS}


def history(values: Iterable[float], *, every: int = 1) -> SeriesView:
    """Return a history with a value every so many updates."""
    series = Series()
    for number, value in enumerate(values, start=1):
        series.append(number * every, value)
    return series.view()
