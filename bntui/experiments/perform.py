"""Every run of a guided experiment, one after another, and what they show."""

from collections.abc import Callable

from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.experiments.experiment import Arm, Conclusion, Experiment, conclude
from bntui.experiments.outcome import RunOutcome, outcome


def perform(
    experiment: Experiment, run: Callable[[Arm], Snapshot], chosen: int | None
) -> Conclusion | Snapshot:
    """Have `run` train every arm and return its last snapshot, and conclude from all of them.

    `chosen` is the number of the answer that the reader predicts. Where an arm doesn't finish, no
    other is trained, and its last snapshot is returned.
    """
    outcomes: dict[str, RunOutcome] = {}
    for arm in experiment.arms:
        snapshot = run(arm)
        if snapshot.phase is not Phase.FINISHED:
            return snapshot
        outcomes[arm.name] = outcome(snapshot)
    return conclude(experiment, outcomes, chosen)


def prediction(experiment: Experiment, predict: str | None) -> int | None:
    """Return the number of the answer that a reader typed. Raises ConfigError if there is no such answer."""
    if predict is None:
        return None
    count = len(experiment.question.choices)
    if not (predict.isascii() and predict.isdigit() and 1 <= int(predict) <= count):
        raise ConfigError(f"prediction {predict!r} is none of the answers: give 1 to {count}.")
    return int(predict)
