"""The sweep of the gallery: `python -m tools.gallery.sweep` trains it, and keeps how it stood under way."""

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bntui.core.config import RunConfig
from bntui.core.sweep import Axis, Design, Standing, SweepView
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from bntui.sweeps.driver import Driver
from bntui.sweeps.processes import Processes
from tools.gallery.states import packed, unpacked

FILE = Path(__file__).with_name("sweep.json.xz")
NAME = "digits-batch-size"
DESIGN = Design(
    RunConfig(width=0.125, train_size=2000, epochs=6),
    (Axis("batch_size", (16, 32, 64, 128, 256, 512)),),
    (0, 1, 2),
)
FINISHED = 9
"""Runs that have finished in the picture, at least: those of one seed, and half of another's."""
JOBS = 2


@dataclass(slots=True)
class StillSource:
    """A sweep that stands still."""

    view: SweepView

    def start(self) -> None:
        """Do nothing: there is nothing to read."""

    def leave(self, timeout: float) -> bool:
        """Return that nothing is to be waited for."""
        return True


@cache
def kept_sweep() -> SweepView:
    """Return the sweep that the repository keeps."""
    view = unpacked(FILE.read_bytes())["sweep"]
    assert isinstance(view, SweepView)
    return view


def trained() -> SweepView:
    """Train the sweep, and return how it stands once so many runs have finished and others have begun."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runs.sqlite"
        os.environ["BNTUI_STORE"] = str(path)
        with Store(path) as store:
            store.put_sweep(NAME, DESIGN)
        driver = Driver(path, NAME, DESIGN, Processes(JOBS, 1))
        driver.start()
        try:
            while True:
                time.sleep(0.2)
                view = read_sweep(path, NAME)
                running = [one for one in view.cells if one.standing is Standing.RUNNING]
                if view.count(Standing.FINISHED) >= FINISHED and all(one.epochs for one in running):
                    return view
                if driver.over:
                    raise RuntimeError(driver.failure or "it was over too soon")
        finally:
            driver.leave(30.0)


if __name__ == "__main__":
    FILE.write_bytes(packed({"sweep": trained()}))
    print(f"{FILE.name} has {FILE.stat().st_size:,} bytes now")
