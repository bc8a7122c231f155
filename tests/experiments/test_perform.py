"""An experiment's runs, made by a function that trains nothing: which of them, and what comes of them."""

import pytest

from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.experiments.experiment import Arm, Conclusion
from bntui.experiments.library import built_in
from bntui.experiments.perform import perform, prediction

EXPERIMENT = next(one for one in built_in() if len(one.arms) > 1)


def test_every_arm_is_run_in_order_and_concluded_from() -> None:
    run: list[str] = []

    def train(arm: Arm) -> Snapshot:
        run.append(arm.name)
        return Snapshot(phase=Phase.FINISHED)

    concluded = perform(EXPERIMENT, train, chosen=1)
    assert run == [arm.name for arm in EXPERIMENT.arms]
    assert isinstance(concluded, Conclusion)
    assert concluded.chosen == 1
    assert [label for label, _ in concluded.outcomes] == [arm.label for arm in EXPERIMENT.arms]
    assert {finding.holds for finding in concluded.findings} == {None}  # nothing was measured


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.INTERRUPTED])
def test_after_an_arm_that_does_not_finish_none_is_run(phase: Phase) -> None:
    run: list[str] = []

    def train(arm: Arm) -> Snapshot:
        run.append(arm.name)
        return Snapshot(phase=phase, message="no memory is left.")

    last = perform(EXPERIMENT, train, chosen=None)
    assert len(run) == 1
    assert isinstance(last, Snapshot)
    assert last.message == "no memory is left."


def test_a_prediction_is_one_of_the_answers() -> None:
    count = len(EXPERIMENT.question.choices)
    assert prediction(EXPERIMENT, None) is None
    assert prediction(EXPERIMENT, f"{count}") == count
    for typed in ("0", f"{count + 1}", "-1", "a", "", "¹"):
        with pytest.raises(ConfigError, match=f"give 1 to {count}"):
            prediction(EXPERIMENT, typed)
