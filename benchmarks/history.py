"""A run that grows by synthetic updates: a million of them in a minute.

Their results are made up, and take the way of real ones: through the observer's histories, into
snapshots, checkpoints and the store.
"""

from math import exp
from pathlib import Path
from unittest.mock import patch

from benchmarks import runs
from bntui.core.snapshot import Phase, Snapshot
from bntui.measure.hindsight import Moment
from bntui.store.recorder import StoreRecorder
from tests.ui.scripted import validation

BATCH = 256
BLOCK = 50
"""Updates between two snapshots, as at 1,000 a second."""
VALIDATE_EVERY, KEEP_EVERY = 100, 1_000
"""Updates between two validations with a look back, and between two checkpoints."""


class History:
    """A run that grows by synthetic updates, kept in a store."""

    def __init__(self, folder: Path) -> None:
        self.session = runs.session(runs.endless(BATCH, width=1 / 32))
        self.session.watch()
        self.folder = folder
        self.recorder = StoreRecorder(folder / "runs.sqlite")

    def grow(self, updates: int, block: int = BLOCK) -> Snapshot:
        """Add updates, a multiple of `block`, and return the last snapshot."""
        trainer, observer = self.session.trainer, self.session.observer
        snapshot = Snapshot()
        for _ in range(updates // block):
            results = self._results(block)
            with patch.object(trainer, "take_results", lambda: results):  # noqa: B023
                trainer.update += block
                trainer.images += block * BATCH
                observer.catch_up()
            trainer._taken = trainer.update  # nothing waits for the next to catch up
            if trainer.update % VALIDATE_EVERY == 0:
                self._observe()
            if trainer.update % KEEP_EVERY == 0:
                self.session.keep(f"update {trainer.update}")
            snapshot = self.session.snapshot(Phase.RUNNING)
            self.recorder.record(snapshot, self.session.take_journal())
        assert not self.recorder.problem, self.recorder.problem
        return snapshot

    def size(self) -> int:
        """Return the bytes of the store, its log included."""
        return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())

    def _results(self, count: int) -> list[object]:
        from bntui.measure.histories import Result

        first = self.session.trainer.update + 1
        losses = [(update, exp(-update / 1e4)) for update in range(first, first + count)]
        return [Result(update, loss, 1.0 - loss, None) for update, loss in losses]

    def _observe(self) -> None:
        from bntui.measure.validation import HINDSIGHT_NAMES

        update = self.session.trainer.update
        accuracy = 1.0 - exp(-update / 1e4)
        self.session.observer._remember(validation(accuracy, update=update))
        each = (accuracy,) * len(HINDSIGHT_NAMES)
        self.session.observer._moments.append(Moment(update, each, accuracy, accuracy, 0.99))
