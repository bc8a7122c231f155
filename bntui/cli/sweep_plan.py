"""What `bntui sweep` is to run: the sweep's name and design, how its runs stand, with how many workers."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bntui.core.settings import SETTINGS, value_of, with_values
from bntui.core.sweep import (
    NOT_OF_THE_NUMBERS,
    CellState,
    Design,
    SweepView,
    cell_id,
    free_name,
    same_runs,
    threads_fitted,
    tried_again,
    why_no_name,
)
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took, taken
from bntui.machine.environment import granted_cores
from bntui.machine.memory import free_on_host
from bntui.store.database import Store
from bntui.store.follow_sweep import read_cells
from bntui.store.schema import NameTakenError
from bntui.store.sweeps import StoredSweep
from bntui.sweeps import forecast
from bntui.sweeps.executor import Executor
from bntui.sweeps.forecast import Forecast
from bntui.sweeps.grid import DesignFile, Options, design_of
from bntui.sweeps.needless import refuse_needless
from bntui.sweeps.trial import trial


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that is to be run, or to go on."""

    name: str
    design: Design
    kept: bool
    """Whether the store has it."""
    named: bool = True
    """Whether its user has named it; else it may get another name as it is kept."""


def asked_for(
    path: Path, file: DesignFile | None, options: Options, seeds: int | None, name: str | None
) -> Sweep:
    """Return the sweep that is typed, with options over its file's. Raises ConfigError.

    What the store has with the same runs goes on, under its name, unless another is given.
    """
    if file:
        options = {**file.options, **{key: values for key, values in options.items() if values}}
        seeds, name = seeds or file.seeds, name or file.name or None
    design = design_of(options, seeds)
    if name is not None and (why := why_no_name(name)):
        raise ConfigError(f"a sweep can't be called {name!r}, {why}: give another --name.")
    kept = _kept(path)
    same = [one for one in kept if same_runs(one.design, design)]
    found = next((one for one in same if name in {None, one.name}), None)
    if found:
        return Sweep(found.name, _with_machine_of(found.design, design), kept=True)
    if name in {one.name for one in kept}:
        raise ConfigError(
            f"sweep {name!r} is there already and runs something else: give another --name, or go on "
            f"with that one by --resume {name} alone."
        )
    return Sweep(name or _free_name(path), design, kept=False, named=name is not None)


def to_resume(path: Path, name: str) -> Sweep:
    """Return a sweep of the store. Raises ConfigError if there is none of this name."""
    with Store(path) as store:
        return Sweep(name, store.sweep(name).design, kept=True)


def keep(path: Path, sweep: Sweep, design: Design) -> str:
    """Keep a sweep, as far as it is not kept; return the name that it got.

    Another than it had where its user gave none and other runs have taken that since. Raises StoreError.
    """
    name = sweep.name
    with Store(path) as store:
        while True:
            try:
                store.put_sweep(name, design)
            except NameTakenError:
                if sweep.named:
                    raise
                name = free_name(store.has_sweep)
            else:
                return name


def standing(path: Path, sweep: Sweep) -> SweepView:
    """Return how the runs of a sweep stand, which the store need not have. Raises StoreError."""
    if not _is_there(path):
        return SweepView(sweep.name, sweep.design, tuple(map(CellState, sweep.design.cells())))
    return read_cells(path, sweep.name, sweep.design)


def left(view: SweepView, *, retry_failed: bool) -> tuple[CellState, ...]:
    """Return the runs that are to be made, or to be finished."""
    if retry_failed:
        view = tried_again(view, {one.cell.id for one in view.cells})
    return tuple(one for one in view.cells if one.standing in forecast.LEFT)


THREADS_ON_A_CLUSTER = 1
"""Of a run, unless they are given."""


@dataclass(frozen=True, slots=True)
class Plan:
    """With what a sweep is run."""

    design: Design
    """That says how many threads a run has."""
    executor: Executor
    forecast: Forecast


def plan(
    path: Path,
    sweep: Sweep,
    states: Sequence[CellState],
    jobs: int | None,
    say: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Return with how many processes `states` are run, and how long that takes. Raises ConfigError.

    Where no run like them is kept a short trial tells, in processes of its own; `say` is told before.
    """
    from bntui.sweeps.processes import Processes

    workers = forecast.workers_for(sweep.design, granted_cores(), jobs)
    design = threads_fitted(sweep.design, workers.threads)
    workers = forecast.for_runs(workers, len(states))
    device = sweep.design.base.device
    known = forecast.useful(_kept_runs(path), sweep.design, workers.threads)
    pairs = forecast.to_try(states, known)
    if pairs:
        say("A short trial tells how long they take …")
    begun = time.monotonic()
    workers = forecast.on_their_device(workers, device, known)
    tried = trial(pairs, workers, say) if pairs else []
    seconds = time.monotonic() - begun if tried else 0.0
    known = [*tried, *known]
    workers = forecast.on_their_device(workers, device, known)
    _refuse_clipped(sweep, known)
    needs = [need for need in forecast.needs(states, known) if need]
    workers = forecast.fitting(workers, needs, free_on_host(), asked=jobs is not None)
    time_left = forecast.time_left(states, known, workers.jobs)
    executor = Processes(workers.jobs, workers.threads)
    return Plan(design, executor, Forecast(time_left, seconds, workers.words))


def plan_on_cluster(
    sweep: Sweep,
    states: Sequence[CellState],
    address: str,
    gpus_per_run: float,
    say: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Return the cluster on which `states` are run, and how long that takes. Raises ConfigError.

    A short trial on one of its nodes tells: runs that are kept may have been made elsewhere.
    """
    from bntui.sweeps.on_ray import RayCluster

    design = threads_fitted(sweep.design, THREADS_ON_A_CLUSTER)
    assert design.base.threads
    cluster = RayCluster(address, design.base.threads, gpus_per_run)
    try:
        jobs, workers = min(cluster.at_once, len(states)), cluster.workers
        begun, tried = time.monotonic(), []
        if jobs:
            say("A short trial on the cluster tells how long they take …")
            tried = cluster.try_runs(forecast.to_try(states, ()))
        seconds = time.monotonic() - begun
        _refuse_clipped(sweep, tried)
    except BaseException:
        cluster.close()
        raise
    time_left = forecast.time_left(states, tried, jobs) if jobs else None
    at_once = f"{jobs:,} run{'s' if jobs > 1 else ''} at once on {workers}"
    return Plan(design, cluster, Forecast(time_left, seconds, at_once))


def _is_there(path: Path) -> bool:
    """Tell whether there may be a store: what can't be reached is opened, which tells why it can't."""
    try:
        return path.exists()
    except OSError:
        return True


def _refuse_clipped(sweep: Sweep, known: Sequence[Took]) -> None:
    """Refuse a new sweep's batch sizes that are all clipped to the training images. Raises ConfigError."""
    design, images = sweep.design, {one.facts.train for one in known}
    if sweep.kept:
        return
    if len(images) == 1 and not {"dataset", "train_size"} & {one.setting for one in design.axes}:
        refuse_needless(replace(design, base=replace(design.base, train_size=images.pop())))


def _kept(path: Path) -> list[StoredSweep]:
    if not _is_there(path):
        return []
    with Store(path) as store:
        return store.sweeps()


def _free_name(path: Path) -> str:
    if not _is_there(path):
        return free_name(lambda _: False)
    with Store(path) as store:
        return free_name(store.has_sweep)


def _kept_runs(path: Path) -> Iterator[Took]:
    """Yield what runs of sweeps took, the newest first."""
    if not _is_there(path):
        return
    with Store(path) as store:
        runs = store.runs()
    for run in runs:
        if run.watched is None and run.epoch and cell_id(run.config) == run.id:
            took = taken(run.config, run.facts, run.updates, run.images, run.seconds)
            if took:
                yield took


def _with_machine_of(design: Design, typed: Design) -> Design:
    """Return a kept design with what is typed of where and how fast to compute."""
    given: dict[str, Any] = {
        name: value_of(typed.base, name)
        for name in NOT_OF_THE_NUMBERS
        if value_of(typed.base, name) != SETTINGS[name].default
    }
    return replace(design, base=with_values(design.base, given))
