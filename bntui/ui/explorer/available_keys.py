"""Which keys of the explorer act on a run as it stands, why the others don't, and what some do then.

One table, for the keys themselves and for the line at the bottom, and one of what can't be done with a
run that is followed. Pure functions of a snapshot.
"""

from collections.abc import Callable

from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.widgets.knob_spec import KNOBS

ENDED = {Phase.FAILED, Phase.STOPPED, Phase.INTERRUPTED}
"""Phases after which a run does nothing more."""


def why_not(action: str, snapshot: Snapshot) -> str:
    """Return why the key of `action` can't act now, in one sentence; nothing where it can."""
    if snapshot.followed and action in NOT_LED:
        return NOT_LED[action]
    if snapshot.followed and action == "recalibrate":
        return _may_ask(snapshot)
    return next(filter(None, (need(snapshot) for need in _NEEDS.get(action, ()))), "")


def label(action: str, snapshot: Snapshot, *, pinned: bool = False) -> tuple[str, ...]:
    """Return what the key of `action` does now, in a few words and in fewer; none if the table's do.

    `pinned` tells whether a run is pinned.
    """
    if action == "pause":
        now = {Phase.PAUSED: ("go on",), Phase.FINISHED: (more(snapshot.config), "go on")}
        return now.get(snapshot.phase, ("pause",))
    if action == "recalibrate":
        return ("ask to recalibrate", "ask") if snapshot.followed else ("recalibrate", "repair")
    if action == "twin" and snapshot.config.twin:
        return ("without twin",)
    return ("unpin",) if action == "pin" and pinned else ()


def leading(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the commands whose keys are named first: those that lead on from where the run is."""
    if snapshot.followed:
        return ("recalibrate", "verdict", "what_if", "runs")
    if snapshot.phase is Phase.FAILED:
        return ("digits", "restart", "structure", "runs")
    ended = ("restart", "experiments", "runs", "branch")
    if snapshot.phase is Phase.FINISHED:
        # With another knob the next thing is to see what it does.
        turned = snapshot.wanted not in (None, snapshot.knobs)
        return ("pause", *ended) if turned else (*ended, "pause")
    return ended if snapshot.phase in ENDED else ("pause", "recalibrate")


def sentence(action: str, snapshot: Snapshot, *, pinned: bool = False) -> str:
    """Return what the key of `action` does now, in a sentence; nothing if that never changes."""
    if action == "pause":
        now = {
            Phase.PAUSED: "Go on with the run",
            Phase.FINISHED: f"Train {more(snapshot.config)}",
        }
        return now.get(snapshot.phase, "Pause the run")
    if action == "recalibrate" and snapshot.followed:
        return "Ask the watched training to recalibrate"
    if action == "twin" and snapshot.config.twin:
        return "Train without the twin"
    return "Take the pinned curves away" if action == "pin" and pinned else ""


def more(config: RunConfig) -> str:
    """Return how much longer a finished run trains when it goes on."""
    count, unit = (config.steps, "update") if config.steps else (config.epochs, "epoch")
    return f"{count:,} more {unit}{'s' * (count != 1)}"


def waits(snapshot: Snapshot) -> str:
    """Say what makes the knobs that were turned take effect; nothing where the next update does."""
    turned = _turned(snapshot)
    if not turned or snapshot.followed:
        return ""
    if snapshot.phase in ENDED:
        return f"this run is over; r: a new one with {turned}"
    return {
        Phase.LOADING: f"from the first update on: {turned}",
        Phase.PAUSED: f"space: go on with {turned} · n: one update",
        Phase.FINISHED: f"space: {more(snapshot.config)} with {turned} · n: one update",
    }.get(snapshot.phase, "")


def _turned(snapshot: Snapshot) -> str:
    """Return the knobs that are not yet applied, with the values that are wanted."""
    wanted = snapshot.wanted
    if wanted is None:
        return ""
    parts = [
        f"{spec.label} {spec.show(value)}"
        for spec in KNOBS
        if not spec.structural
        and (value := getattr(wanted, spec.name)) != getattr(snapshot.knobs, spec.name)
    ]
    *others, last = parts or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _alive(snapshot: Snapshot) -> str:
    if snapshot.phase is Phase.FAILED:
        return "this run has failed: r tries again, d trains on the built-in digits"
    return "this run has ended: r starts it again" if snapshot.phase in ENDED else ""


def _loaded(snapshot: Snapshot) -> str:
    return "" if snapshot.facts else "this run is still loading"


def _statistics(snapshot: Snapshot) -> str:
    if snapshot.config.has_statistics:
        return ""
    return "this network has no batch norm, so there is nothing to recalibrate"


def _kept(snapshot: Snapshot) -> str:
    return (
        ""
        if snapshot.run
        else "this run is not kept (--no-store), so its weights can't be kept either"
    )


def _measured(snapshot: Snapshot) -> str:
    return "" if snapshot.series else "nothing has been measured yet, so there is nothing to save"


def _moments(snapshot: Snapshot) -> str:
    return "" if snapshot.checkpoints else "there is no moment yet to return to"


def _failed(snapshot: Snapshot) -> str:
    if snapshot.phase is Phase.FAILED:
        return ""
    return "d is for a run that failed; k chooses other data"


def _may_ask(snapshot: Snapshot) -> str:
    """Return why a followed training can't be asked to recalibrate."""
    if snapshot.watched is None:
        return "this run is followed: it can be recalibrated where it was started, not from here"
    if not snapshot.watched.control:
        return "this training takes no requests: --control, or control=True, would let c ask it to recalibrate"
    if snapshot.phase in OVER:
        return "this training is over: there is nobody to ask to recalibrate"
    return ""


OVER = {*ENDED, Phase.FINISHED}
"""Phases in which a run of another process does nothing more."""
NOT_LED = {
    "pause": "this run is followed: it can't be paused or gone on with from here",
    "step": "this run is followed: it can't be made to take an update from here",
    "try_recalibration": "this run is followed: what a recalibration gives can't be tried from here",
    "keep_weights": "this run is followed: its weights are in its own process",
    "restart": "this run is followed: bntui, without attach, starts runs",
    "restart_with_new_seed": "this run is followed: bntui, without attach, starts runs",
    "digits": "this run is followed: bntui, without attach, trains on the built-in digits",
    "structure": "this run is followed: bntui, without attach, sets up new runs",
    "twin": "this run is followed: bntui, without attach, trains twins",
    "branch": "this run is followed: the moments to return to are in its own process",
    "resume": "this run is followed: bntui, without attach, resumes an interrupted one",
    "experiments": "experiments train runs of their own: bntui, without attach, opens them",
    "choose_a_knob": "a run that is followed has no knobs to turn: tab goes to its panels",
    "use_row": "this run is followed: its momentum can't be turned from here; m opens the moment",
    "measure": "this run is followed: it measures by itself, and what it measured last is shown",
}
"""What can't be done with a run that is followed, by command or action, and why: a sentence each."""
_NEEDS: dict[str, tuple[Callable[[Snapshot], str], ...]] = {
    "pause": (_alive,),
    "step": (_alive,),
    "recalibrate": (_alive, _loaded, _statistics),
    "try_recalibration": (_alive, _loaded, _statistics),
    "keep_weights": (_alive, _loaded, _kept),
    "save_data": (_measured,),
    "branch": (_moments,),
    "digits": (_failed,),
}
"""By action, what must be so: each returns why it is not."""
