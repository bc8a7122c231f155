"""Which keys of the explorer act on a run as it stands, why the others don't, and what some do then.

One table, for the keys themselves and for the line at the bottom. Pure functions of a snapshot.
"""

from collections.abc import Callable

from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase, Snapshot

ENDED = {Phase.FAILED, Phase.STOPPED, Phase.INTERRUPTED}
"""Phases after which a run does nothing more."""


def why_not(action: str, snapshot: Snapshot) -> str:
    """Return why the key of `action` can't act now, in one sentence; nothing where it can."""
    return next(filter(None, (need(snapshot) for need in _NEEDS.get(action, ()))), "")


def label(action: str, snapshot: Snapshot) -> str:
    """Return what the key of `action` does now, in a word or two; nothing if that never changes."""
    if action == "pause":
        now = {Phase.PAUSED: "go on", Phase.FINISHED: more(snapshot.config)}
        return now.get(snapshot.phase, "pause")
    return "without twin" if action == "twin" and snapshot.config.twin else ""


def more(config: RunConfig) -> str:
    """Return how much longer a finished run trains when it goes on."""
    count, unit = (config.steps, "update") if config.steps else (config.epochs, "epoch")
    return f"{count:,} more {unit}{'s' * (count != 1)}"


def waits(snapshot: Snapshot) -> str:
    """Say when a knob that was turned takes effect; nothing where that is with the next update."""
    if snapshot.phase in ENDED:
        return "pending: this run is over, r begins one with it"
    return {
        Phase.LOADING: "pending: taken over with the first update",
        Phase.PAUSED: "pending: space goes on with it, n makes one update",
        Phase.FINISHED: f"pending: space trains {more(snapshot.config)} with it, n one update",
    }.get(snapshot.phase, "")


def _alive(snapshot: Snapshot) -> str:
    if snapshot.phase is Phase.FAILED:
        return "this run has failed: r tries again, d takes the built-in digits"
    return "this run is over: r begins it again" if snapshot.phase in ENDED else ""


def _loaded(snapshot: Snapshot) -> str:
    return "" if snapshot.facts else "this run is still being loaded: there is nothing yet"


def _statistics(snapshot: Snapshot) -> str:
    if snapshot.config.has_statistics:
        return ""
    return "this network has no batch norm, so there is nothing to recalibrate"


def _kept(snapshot: Snapshot) -> str:
    return "" if snapshot.run else "this run is not kept (--no-store), and so its weights can't be"


def _measured(snapshot: Snapshot) -> str:
    return "" if snapshot.series else "nothing was measured yet that could be saved"


def _moments(snapshot: Snapshot) -> str:
    return "" if snapshot.checkpoints else "there is no moment to return to yet"


def _failed(snapshot: Snapshot) -> str:
    if snapshot.phase is Phase.FAILED:
        return ""
    return "d takes the built-in digits after a failure; k chooses other data"


_NEEDS: dict[str, tuple[Callable[[Snapshot], str], ...]] = {
    "pause": (_alive,),
    "step": (_alive,),
    "recalibrate": (_alive, _loaded, _statistics),
    "keep_weights": (_alive, _loaded, _kept),
    "save_data": (_measured,),
    "branch": (_moments,),
    "digits": (_failed,),
}
"""By action, what must be so: each returns why it is not."""
