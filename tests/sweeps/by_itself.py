"""A cell that is run in this process."""

from pathlib import Path

from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.sweep import OBSERVED, Cell
from bntui.store.recorder import StoreRecorder
from bntui.train.runner import Runner
from tests.sweeps.tiny import SECONDS


def run_itself(path: Path, cell: Cell) -> None:
    """Train a cell that its own recorder keeps."""
    recorder = StoreRecorder(path, run=cell.id)
    runner = Runner(RunRequest(cell.config, OBSERVED), recorder=lambda: recorder)
    runner.start()
    while runner.snapshot.phase is not Phase.FINISHED:
        assert not runner.join(0.05), runner.snapshot
    assert runner.leave(SECONDS)
