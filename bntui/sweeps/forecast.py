"""How long the rest of a sweep takes, and how many runs fit on this machine at once. Imports no torch.

Both follow from runs like them that were kept, and from a trial (`trial.py`) where there are none.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bntui.core import rules
from bntui.core.config import RunConfig
from bntui.core.settings import value_of, with_values
from bntui.core.snapshot import RunFacts
from bntui.core.sweep import CellState, Design, Standing
from bntui.core.text import ConfigError
from bntui.experiments.duration import SAME, Duration, Took, duration, in_words
from bntui.machine import memory

LIKE = (*SAME, "norm", "device", "twin", "batch_schedule", "epochs", "steps")
"""Settings on which, beside batch size and pace, the time of a run is taken to depend."""
LEFT = {Standing.WAITING, Standing.RUNNING, Standing.INTERRUPTED}
"""How runs stand that are to be made, or to be finished."""
PROCESS_BYTES = 450_000_000
"""Of a process that has loaded torch and a small data set, on Linux with the CPU's torch."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How many runs are under way at once, and with how many CPU threads each."""

    jobs: int
    threads: int
    jobs_on_gpu: int = 1
    """What `jobs` is if it turns out that they compute on a GPU."""
    on_gpu: bool = False
    """Whether they do, as far as is known."""

    @property
    def words(self) -> str:
        """As a sentence has them."""
        said = f"{_counted(self.jobs, 'job')} of {_counted(self.threads, 'thread')}"
        if not self.on_gpu:
            return said
        return f"{said} on a GPU (how many fit in its memory is not measured: --jobs sets it)"


def workers_for(design: Design, cores: int, jobs: int | None = None) -> Workers:
    """Return workers that together have at most as many threads as there are cores, of runs on the CPU.

    One thread a run where there are runs enough for all cores. Of all runs, not of those that are left:
    the numbers of a run depend on its threads.
    """
    given = design.base.threads
    runs = len(design.cells())
    if jobs is None:
        fitted = max(1, min(runs, cores // (given or 1)))
        return Workers(fitted, given or max(1, cores // fitted))
    return Workers(jobs, given or max(1, cores // jobs), jobs)


def for_runs(workers: Workers, runs: int) -> Workers:
    """Return the workers without those that so many runs leave idle; the others keep their threads."""
    few = max(1, runs)
    return replace(workers, jobs=min(workers.jobs, few), jobs_on_gpu=min(workers.jobs_on_gpu, few))


def on_their_device(workers: Workers, device: str, known: Sequence[Took]) -> Workers:
    """Return the workers where the runs compute: on a GPU one at a time, unless more were asked for.

    `device` is the setting; where it is auto, the first of `known` tells, the newest run like them.
    """
    if device == "auto":
        device = known[0].facts.device if known else "cpu"
    if device == "cpu":
        return workers
    return replace(workers, jobs=workers.jobs_on_gpu, on_gpu=True)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What there is to say before a sweep begins."""

    time: Duration | None
    """Of what is left; None where nothing is known."""
    tried: float
    """Seconds that a trial took; 0 where there was none."""
    workers: str

    @property
    def words(self) -> str:
        """One sentence: "a trial of 2 s says: about 12 min with 2 jobs of 1 thread"."""
        if self.time is None:
            return "how long it takes is not known yet"
        source = f"a trial of {self.tried:.0f} s says" if self.tried else "runs like these say"
        return f"{source}: {in_words(self.time)} with {self.workers}"


def time_left(states: Iterable[CellState], known: Sequence[Took], jobs: int) -> Duration | None:
    """Return how long so many jobs take for what is left; None where no run like any of it is known."""
    shares: dict[RunConfig, float] = {}
    for state in states:
        if state.standing in LEFT:
            timed = _timed(state.cell.config)
            shares[timed] = shares.get(timed, 0.0) + 1.0 - share_done(state)
    low = high = longest = 0.0
    found = False
    for config, share in shares.items():
        one = duration([config], known)
        if one is None:
            high = math.inf
            continue
        found = True
        low, high = low + share * one.low, high + share * one.high
        longest = max(longest, min(1.0, share) * one.low)
    if not found:
        return None
    return Duration(max(low / jobs, longest), max(high / jobs, longest))


def useful(runs: Iterable[Took], design: Design, threads: int) -> list[Took]:
    """Return the runs, of `runs` beginning with the newest, that tell something of a sweep's.

    Of runs that are like one another the newest.
    """
    wanted = {_like(cell.config) for cell in design.cells()}
    found: dict[object, Took] = {}
    for one in runs:
        like = _like(one.config) in wanted and one.config.device == design.base.device
        if like and one.facts.threads == threads:
            key = (_like(one.config), one.config.norm, round(one.images / one.updates))
            found.setdefault(key, one)
    return list(found.values())


def to_try(states: Iterable[CellState], known: Sequence[Took]) -> list[tuple[RunConfig, RunConfig]]:
    """Return pairs of the smallest and the largest batch size, of runs of which nothing is known."""
    groups: dict[object, list[RunConfig]] = {}
    for state in states:
        if state.standing in LEFT:
            config = state.cell.config
            groups.setdefault(_like(config), []).append(config)
    pairs = []
    for configs in groups.values():
        time = duration([*{_timed(config): None for config in configs}], known)
        if time is None or time.high > 2 * time.low:
            ordered = sorted(configs, key=lambda config: config.knobs.batch_size)
            pairs.append((ordered[0], ordered[-1]))
    return pairs


def needs(states: Iterable[CellState], known: Sequence[Took]) -> list[tuple[RunConfig, float]]:
    """Return the bytes of the runs that are left, of those of which a run like them is known."""
    facts = {_like(one.config): one.facts for one in known}
    left = {_timed(state.cell.config): None for state in states if state.standing in LEFT}
    return [
        (config, bytes_needed(config, facts[_like(config)]))
        for config in left
        if _like(config) in facts
    ]


def bytes_needed(config: RunConfig, facts: RunFacts) -> float:
    """Return the bytes of host memory that an update of the largest batch takes, weights included.

    None of a GPU's: whether a run fits there shows as it begins.
    """
    if facts.device.startswith("cuda"):
        return 0.0
    batch = min(_largest_batch(config, facts.train), facts.train)
    weights = memory.WEIGHT_BYTES * facts.parameters
    return weights + memory.needed(batch, facts.activation_bytes)


def fitting(
    workers: Workers, needs: Sequence[tuple[RunConfig, float]], free: float, *, asked: bool
) -> Workers:
    """Return workers whose runs fit into `free` bytes together: fewer than these, if need be.

    `needs` are the bytes of runs. Raises ConfigError if not even the largest run fits, or if not as many
    fit as were `asked` for.
    """
    if not needs:
        return workers
    config, most = max(needs, key=lambda need: need[1])
    each = PROCESS_BYTES + most
    jobs = int(free / each)
    if jobs >= workers.jobs:
        return workers
    what = f"batch size {config.knobs.batch_size} at width {config.width:g}"
    needed = (
        f"a run of {what} needs {each / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free"
    )
    if not jobs:
        raise ConfigError(f"{needed}: give smaller values of --batch-size or --width.")
    if asked:
        raise ConfigError(f"{needed}: give --jobs {jobs}.")
    return replace(workers, jobs=jobs)


def _largest_batch(config: RunConfig, train: int) -> int:
    """Return the largest batch size of the run, as scheduled or changed on the way."""
    size = largest = config.knobs.batch_size
    if config.batch_schedule:
        for epoch in range(1, min(config.epochs, 1000) + 1):
            size = min(rules.scheduled_batch(config.batch_schedule, epoch, size), train)
            largest = max(largest, size)
    planned = [int(one.value) for one in config.at if one.setting == "batch_size"]
    return max(largest, *planned) if planned else largest


def share_done(state: CellState) -> float:
    """Return the share of a run that is done, from 0 to 1."""
    goal = state.train * state.cell.config.epochs
    return min(1.0, state.images / goal) if goal else 0.0


def _like(config: RunConfig) -> tuple[object, ...]:
    return tuple(getattr(config, name) for name in SAME)


def _timed(config: RunConfig) -> RunConfig:
    """Return the configuration with nothing but what its time depends on."""
    kept = (*LIKE, "batch_size", "pace")
    return with_values(RunConfig(), {name: value_of(config, name) for name in kept})


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number > 1 else ''}"
