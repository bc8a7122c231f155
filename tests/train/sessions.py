"""What tests do with a session that a runner would do."""

from bntui.core.snapshot import Phase, Snapshot
from bntui.train.trainable import Trainable


def snapshot_of(run: Trainable, phase: Phase) -> Snapshot:
    """Return the state of a run as it is now."""
    run.catch_up()
    return run.snapshot(phase)
