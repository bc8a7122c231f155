"""What the run has to say between two of its snapshots."""

import math
from collections.abc import Iterator

from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.explorer.available_keys import more


def notices(before: Snapshot | None, now: Snapshot, *, guided: bool = False) -> Iterator[str]:
    """Yield what is new in `now`, a sentence each; `before` is None for the first snapshot shown.

    A `guided` run is an experiment's, which says itself what comes next.
    """
    if now.phase in {Phase.LOADING, Phase.FAILED}:
        return
    if now.message and (before is None or before.message != now.message):
        yield now.message
    done = now.recalibration
    if done and (before is None or before.recalibration is not done):
        gain = f"{done.before:.3f} → {done.after:.3f}"
        if done.applied and math.isnan(done.before + done.after):
            yield f"recalibrated at update {done.update}"
        elif done.applied:
            yield f"recalibrated at update {done.update}: {gain}"
        else:
            yield (f"a recalibration at update {done.update} would give {gain}: c applies one")
    if now.followed:
        yield from _followed(before, now)
    elif (
        not guided and now.phase is Phase.FINISHED and before and before.phase is not Phase.FINISHED
    ):
        yield (
            f"finished after {now.update:,} updates: space trains {more(now.config)}, "
            "r begins again, g opens experiments, o lists the runs"
        )


def _followed(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """Yield how a run that is followed has ended since it was looked at; if by itself, its message says so."""
    if before is None or before.phase is now.phase or before.run != now.run:
        return
    if now.phase is Phase.FINISHED:
        yield f"the run has ended after {now.update:,} updates"
