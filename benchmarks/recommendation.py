"""Does the recommended momentum stand still, and does it heal? `python -m benchmarks.recommendation`.

Fifty runs with other seeds, most of them what the explorer opens with. At every look the verdict may
recommend a momentum: how often is it another one? It is followed twice, each time in a branch of the run:
where it is first given, and at a random later moment. After how many updates is validation as good as
with fresh statistics? Looks come every so many updates and not by the clock, so that a run with one
thread gives the same figures again.
"""

import math
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks.common import Effort, Row, Table, in_process, main, say
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import Branch, New, Origin, RunRequest
from bntui.core.snapshot import Checkpoint, Phase
from bntui.diagnose.causes import STALE
from bntui.diagnose.remedies import RemedyName
from bntui.diagnose.verdict import verdict
from bntui.machine.device import prepare_environment

if TYPE_CHECKING:
    from bntui.train.session import Session

RUNS = 50
KINDS = (
    *(Knobs(),) * 6,  # as the explorer opens on a CPU: batch size 256 at momentum 0.99
    Knobs(batch_size=128),
    Knobs(batch_size=512),
    Knobs(momentum=0.999),
    Knobs(batch_size=64, momentum=0.995),
)
"""Of each ten runs. The batch size and the momentum are what makes statistics go stale."""
UPDATES, QUICK_UPDATES = 160, 24
EVERY = 4
"""Updates between two looks."""
CLOSE = 0.03
"""Accuracy within which validation is as good as with fresh statistics."""
SOON = 20
"""Updates within which following a recommendation has to bring it there."""
COLUMNS = {
    "batch": ",d",
    "momentum": "",
    "runs": "d",
    "recommended": "",
    "most changes": "",
    "followed": "d",
    "healed": "d",
    "stayed": "d",
    "median updates": ".0f",
    "most lost at the end": ".3f",
}
OBSERVATION = Observation(epoch_ends=False)


@dataclass(frozen=True, slots=True)
class Followed:
    """What following a recommendation did."""

    update: int
    momentum: float
    closed: float
    """Updates after which validation was as good as with fresh statistics; infinite for never."""
    left: float
    """Accuracy that was still lost after `SOON` updates."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one run recommended, look by look."""

    knobs: Knobs
    seed: int
    recommended: tuple[float | None, ...]
    """None where validation does not suffer, or nothing is recommended."""
    suffered: int
    """Looks at which validation suffered from stale statistics."""
    followed: tuple[Followed, ...]

    @property
    def changes(self) -> int:
        """How often the recommended momentum was another one than before."""
        said = [momentum for momentum in self.recommended if momentum is not None]
        return sum(a != b for a, b in pairwise(said))

    @property
    def flickers(self) -> int:
        """The same, with nothing counted as one more recommendation, from the first one on."""
        said = list(self.recommended)
        while said and said[0] is None:
            said.pop(0)
        return sum(a != b for a, b in pairwise(said))


def watched(seed: int, updates: int, width: float) -> dict[str, Any]:
    """Return as plain values what a run of this seed recommends: it has a process of its own."""
    prepare_environment()
    return asdict(watch(KINDS[seed % len(KINDS)], seed, updates, width))


def watch(knobs: Knobs, seed: int, updates: int, width: float) -> Found:
    """Train a run, look every so many updates, and follow what it recommends twice."""
    config = RunConfig(width=width, seed=seed, threads=1, epochs=1000, knobs=knobs)
    session = _session(config, New())
    later = random.Random(seed).randrange(updates // 4, updates)
    said: list[float | None] = []
    followed: list[Followed] = []
    suffered = 0
    while session.trainer.update < updates:
        session.train_once(None)
        if session.trainer.update % EVERY:
            continue
        momentum, stale = _look(session)
        said.append(momentum)
        suffered += stale
        due = not followed or (len(followed) == 1 and session.trainer.update >= later)
        if momentum is not None and due:
            begin = session.keep("before following")
            followed.append(_follow(config, begin, momentum))
    return Found(knobs, seed, tuple(said), suffered, tuple(followed))


def _session(config: RunConfig, origin: Origin) -> "Session":
    """Return a loaded run that is looked at when this program says so."""
    from bntui.train.session import Session

    session = Session(RunRequest(config, OBSERVATION, origin))
    session.observer.led = True
    return session


def _look(session: "Session") -> tuple[float | None, bool]:
    """Measure, and return the momentum that the verdict recommends, and whether statistics are stale."""
    session.observer.validate(asked=True)
    session.observer.look_back(asked=True)
    judged = verdict(session.snapshot(Phase.RUNNING))
    found = (one for one in judged.remedies if one.name is RemedyName.SET_MOMENTUM)
    return next((one.momentum for one in found), None), judged.cause in STALE


def _follow(config: RunConfig, begin: Checkpoint, momentum: float) -> Followed:
    """Train on from a checkpoint at another momentum."""
    session = _session(config, Branch(begin))
    wanted = replace(session.knobs, momentum=momentum)
    closed, left = math.inf, math.inf
    for number in range(1, SOON + 1):
        session.train_once(wanted)
        session.observer.validate(asked=True)
        seen = session.observer.validation
        assert seen is not None
        left = seen.fresh.accuracy - seen.running.accuracy
        if left <= CLOSE:
            closed = min(closed, float(number))
    return Followed(begin.update, momentum, closed, left)


def tables(effort: Effort) -> Iterator[Table]:
    """Watch every run, and tell how they went by kind, and one by one."""
    runs, updates, width = (1, QUICK_UPDATES, 0.0625) if effort.quick else (RUNS, UPDATES, 0.25)
    found: list[Found] = []
    with ThreadPoolExecutor(os.cpu_count()) as side:
        running = [side.submit(_in_process, seed, updates, width) for seed in range(runs)]
        for number, one in enumerate(running, start=1):
            say(f"run {number} of {runs}")
            found.append(one.result())
    kinds = list(dict.fromkeys(one.knobs for one in found))
    rows = [_kind(knobs, [one for one in found if one.knobs == knobs]) for knobs in kinds]
    yield Table(
        f"The recommended momentum: {runs} runs of {updates} updates at width {width:g}",
        COLUMNS,
        rows,
        f"Changes: how often a run recommends another momentum than before, and, in brackets, how "
        f"often where recommending none counts as well. Followed: where it is first given, and at a "
        f"random later moment. Healed: within {CLOSE:g} of fresh statistics by update {SOON}. Stayed: "
        f"within {CLOSE:g} at update {SOON}, too.",
    )


def _in_process(seed: int, updates: int, width: float) -> Found:
    value = in_process(watched, seed, updates, width, OMP_NUM_THREADS="1").value
    return Found(
        knobs=Knobs(**value["knobs"]),
        seed=seed,
        recommended=tuple(value["recommended"]),
        suffered=value["suffered"],
        followed=tuple(Followed(**one) for one in value["followed"]),
    )


def _kind(knobs: Knobs, found: list[Found]) -> Row:
    followed = sorted((one for run in found for one in run.followed), key=lambda one: one.closed)
    momenta = sorted({m for run in found for m in run.recommended if m is not None})
    return (
        knobs.batch_size,
        f"{knobs.momentum:g}",
        len(found),
        ", ".join(f"{momentum:g}" for momentum in momenta),
        f"{max(run.changes for run in found)} ({max(run.flickers for run in found)})",
        len(followed),
        sum(one.closed <= SOON for one in followed),
        sum(one.left <= CLOSE for one in followed),
        followed[len(followed) // 2].closed if followed else None,
        max((one.left for one in followed), default=None),
    )


if __name__ == "__main__":
    main(tables)
