"""Train the runs that the gallery shows, and keep what they showed: `python -m tools.gallery.training`.

Names of parts (see `PARTS`) train those alone. Time is that of this process, so that what else the
machine does changes little of what is measured when.

The story is the default run: at momentum 0.99 validation fails, a recalibration (c) heals it, and it
ends after its ten epochs. Beside it there are a run with a twin, the first experiment, and some short
runs for the list. Measuring has a share of the time, so what is measured when depends a little on the
machine; the weights do not.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run import Command
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.experiments.library import configs_of, find
from bntui.measure import observer
from bntui.measure.budget import Budget
from bntui.store.archive import KeptRuns, recorder
from bntui.train.runner import Runner
from tools.gallery.states import FILE, packed, unpacked
from tools.gallery.watching import watching

DEFAULT = RunConfig(seed=5, width=0.25)
LOOK_AT, LATEST = 88, 120
"""Between these updates validation has failed for long enough to be looked at closely."""
HEALED_AFTER = 24
"""Updates from the recalibration to the picture in which all is well, at least."""
EVERY = 5
"""Updates between two states of the story."""
RECENT = 12
"""Updates within which the last looks were made at a run that is shown."""
TWIN_AT = 100
SHORT = RunConfig(width=0.25, epochs=2)
TRIED = (
    (SHORT, ""),
    (replace(SHORT, knobs=Knobs(momentum=0.9)), "forgets the start value sooner"),
    (replace(SHORT, knobs=Knobs(batch_size=64)), ""),
    (replace(SHORT, norm="ghost"), ""),
    (replace(SHORT, norm="none"), "the control"),
)
"""Runs for the list, and what is noted of them."""
LIVE = Observation(epoch_fresh=False, noise_scale=True)
"""What the explorer asks for."""


class Watched:
    """A run, and every snapshot of it that was one update further than the one before."""

    def __init__(self, config: RunConfig, *, keep: bool = False) -> None:
        request = RunRequest(config, LIVE)
        self.run = Runner(request, recorder=lambda: recorder(request) if keep else None)
        self.seen: list[Snapshot] = []

    @property
    def latest(self) -> Snapshot:
        """What the run shows now."""
        return self.run.snapshot

    def until(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        """Watch until `condition` holds, and return that snapshot."""
        while True:
            snapshot = self.run.snapshot
            if not self.seen or snapshot.update > self.seen[-1].update:
                self.seen.append(snapshot)
            if condition(snapshot):
                return snapshot
            if snapshot.phase is Phase.FAILED:
                raise RuntimeError(snapshot.traceback or snapshot.message)
            time.sleep(0.01)

    def ask(self, command: Command, field: str) -> Snapshot:
        """Have something measured, and return the snapshot that has it."""
        before = getattr(self.latest, field)
        self.run.command(command)
        return self.until(lambda snapshot: getattr(snapshot, field) is not before)


def brief(state: Snapshot) -> Snapshot:
    """Return a state without what no screen of it shows: checkpoints and validations of the past."""
    return replace(state, checkpoints=(), past=())


def just_looked(state: Snapshot) -> bool:
    """Tell whether validation and hindsight are new: then all panels tell of the same weights."""
    if state.validation is None or state.hindsight is None:
        return False
    oldest = min(state.validation.update, int(state.hindsight.updates[-1]))
    return state.update - oldest <= RECENT


def story() -> Iterator[tuple[str, Any]]:
    """Yield the states of the default run."""
    watched = Watched(DEFAULT)
    run = watched.run
    run.start()
    watched.until(
        lambda s: (
            s.update >= LATEST
            or (s.update >= LOOK_AT and s.exchanges is not None and just_looked(s))
        )
    )
    run.pause()
    watched.until(lambda s: s.phase is Phase.PAUSED)
    watched.ask(Command.WHAT_IF, "what_if")
    looked = watched.ask(Command.CHANNELS, "channel_exchanges")
    healed = watched.ask(Command.RECALIBRATE, "recalibrated")
    before, watched.seen = watched.seen, []
    run.resume()
    sound = watched.until(
        lambda s: (
            s.phase is Phase.FINISHED
            or (s.update >= healed.update + HEALED_AFTER and just_looked(s))
        )
    )
    last = watched.until(lambda s: s.phase is Phase.FINISHED)
    yield "failing", replace(before[-1], phase=Phase.RUNNING, checkpoints=looked.checkpoints)
    yield "looked", looked
    yield "healed", brief(sound)
    yield "finished", brief(last)
    told = [*(s for s in before[:-1] if s.update % EVERY == 0 and s.facts), before[-1]]
    told.append(replace(healed, phase=Phase.RUNNING))
    told += [s for s in watched.seen[:-1] if s.update % EVERY == 0] + [last]
    yield "story", tuple(map(brief, told))
    run.leave()


def twin() -> Iterator[tuple[str, Any]]:
    """Yield a run beside its twin."""
    watched = Watched(replace(DEFAULT, twin="momentum=0.9"))
    watched.run.start()
    twins = watched.until(lambda s: s.update >= TWIN_AT and s.validation is not None)
    yield "twin", replace(brief(twins), twin=brief(twins.twin) if twins.twin else None)
    watched.run.leave()


def control() -> Iterator[tuple[str, Any]]:
    """Yield a run without batch norm."""
    watched = Watched(replace(DEFAULT, norm="none"))
    watched.run.start()
    yield (
        "control",
        brief(watched.until(lambda s: s.update >= LOOK_AT and s.validation is not None)),
    )
    watched.run.leave()


def experiment(name: str) -> Iterator[tuple[str, Any]]:
    """Yield the middle of an experiment's last run, and the ends of all."""
    found = find(name)
    ends: list[Snapshot] = []
    for arm, config in zip(found.arms, configs_of(found, {}), strict=True):
        run = Watched(config)
        asked = replace(arm.observation(Observation()), noise_scale=True)
        run.run = Runner(RunRequest(config, asked))
        run.run.start()
        half = config.epochs / 2
        middle = run.until(lambda s, half=half: s.epoch > half and s.validation is not None)  # type: ignore[misc]
        ends.append(run.until(lambda s: s.phase is Phase.FINISHED))
        run.run.leave()
    yield f"experiment {name}, under way", brief(middle)
    for number, end in enumerate(ends):
        yield f"experiment {name}, end{f' {number}' if number else ''}", brief(end)


def kept() -> Iterator[tuple[str, Any]]:
    """Yield a list of runs that are kept, and the last states of two."""
    for config, note in TRIED:
        request = RunRequest(config, Observation(live=False), note=note)
        run = Runner(request, recorder=lambda request=request: recorder(request))  # type: ignore[misc]
        run.start()
        while run.snapshot.phase is not Phase.FINISHED:
            time.sleep(0.05)
        run.leave()
    archive = KeptRuns()
    runs = archive.runs()
    yield "runs", tuple(runs)
    yield "kept", {run.id: brief(archive.load(run.id)) for run in runs}


PARTS: dict[str, Callable[[], Iterator[tuple[str, Any]]]] = {
    "story": story,
    "twin": twin,
    "control": control,
    "experiment": lambda: experiment("1"),
    "comparison": lambda: experiment("2"),
    "kept": kept,
    "watching": watching,
}


def main(*names: str) -> None:
    """Train the parts of these names, or all, and write what they showed into the file."""
    own_time = partial(Budget, time.process_time)
    for name in names or PARTS:
        with TemporaryDirectory() as folder, patch.object(observer, "Budget", own_time):
            os.environ["BNTUI_STORE"] = str(Path(folder) / "runs.sqlite")
            found = dict(PARTS[name]())
        before = unpacked(FILE.read_bytes()) if FILE.exists() else {}
        FILE.write_bytes(packed({**before, **found}))
        print(f"{name}: {FILE.name} has {FILE.stat().st_size:,} bytes now", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
