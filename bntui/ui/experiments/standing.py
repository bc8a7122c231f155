"""What the list of experiments tells of each: how long it takes here, and whether it was done."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bntui.core.snapshot import Snapshot
from bntui.core.text import ConfigError
from bntui.experiments.duration import Duration, Took, duration, taken, took
from bntui.experiments.experiment import Experiment
from bntui.store.writing import State

if TYPE_CHECKING:  # for its types only
    from bntui.store.rows import StoredRun
    from bntui.ui.experiments.progress import Experiments


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one experiment stands."""

    runs: int
    time: Duration | None
    """How long its runs take on this machine; None where nothing like them was measured."""
    done: bool = False
    """Whether each of its runs has come to its end, in this session or in the store."""
    right: bool | None = None
    """Whether the reader's prediction was right; None where none is known."""


def standings(
    experiments: "Experiments",
    latest: Snapshot,
    kept: "Sequence[StoredRun]",
    concluded: dict[str, bool | None],
) -> Callable[[Experiment], Standing]:
    """Return what tells where an experiment stands.

    `latest` is the run at hand, `kept` are the runs of the store, the newest first. `concluded` has
    the experiments of this session, each with whether the prediction was right.
    """
    known = _known(latest, kept)
    ended = {run.note for run in kept if run.state is State.FINISHED}

    def standing(experiment: Experiment) -> Standing:
        time = None
        with suppress(ConfigError):  # it is told once the experiment is begun
            time = duration(experiments.configs(experiment), known, latest.knobs.pace)
        done = experiment.name in concluded or _all_in(experiment, ended)
        return Standing(len(experiment.arms), time, done, concluded.get(experiment.name))

    return standing


def _known(latest: Snapshot, kept: "Iterable[StoredRun]") -> list[Took]:
    stored = (taken(run.config, run.facts, run.updates, run.images, run.seconds) for run in kept)
    return [one for one in (took(latest), *stored) if one]


def _all_in(experiment: Experiment, notes: Collection[str]) -> bool:
    """Tell whether the store has a run for each of the arms."""
    return all(experiment.note(arm) in notes for arm in experiment.arms)
