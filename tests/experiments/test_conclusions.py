"""Every conclusion of every guided experiment, checked by running it: `make test-experiments`.

One thread a run, so that the numbers are the same whether tests run side by side or one by one.
`ARGS="--seeds 10"` takes ten seeds instead of three. What the claims compare is printed at the end.
"""

from collections.abc import Callable
from functools import cache

import pytest

from bntui.cli.lines import JsonLines
from bntui.cli.report import follow
from bntui.core.config import Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.experiments.experiment import Experiment, conclude
from bntui.experiments.library import built_in, configs_of
from bntui.experiments.outcome import RunOutcome, outcome
from tests.experiments.conftest import FIGURES
from tests.experiments.expressions import comparisons, value


def configs(experiment: Experiment, seed: int) -> tuple[RunConfig, ...]:
    return configs_of(experiment, {"seed": seed, "device": "cpu", "threads": 1})


@cache
def observations(seed: int) -> dict[RunConfig, Observation]:
    """Return all that any experiment reads of a run: some have the same, and it is made once."""
    everything: dict[RunConfig, Observation] = {}
    for experiment in built_in():
        for arm, config in zip(experiment.arms, configs(experiment, seed), strict=True):
            asked = everything.get(config, Observation(live=False))
            everything[config] = arm.observation(asked)
    return everything


@cache
def ran(config: RunConfig) -> RunOutcome:
    request = RunRequest(config, observations(config.seed)[config], keep=False)
    snapshot = follow(request, JsonLines())
    assert snapshot.phase is Phase.FINISHED, snapshot.message
    return outcome(snapshot)


@pytest.mark.experiment
@pytest.mark.timeout(900)
@pytest.mark.parametrize("experiment", built_in(), ids=lambda experiment: experiment.name)
def test_every_claim_holds(
    experiment: Experiment, seed: int, record_property: Callable[[str, object], None]
) -> None:
    runs = [ran(config) for config in configs(experiment, seed)]
    outcomes = {arm.name: run for arm, run in zip(experiment.arms, runs, strict=True)}
    heading = f"{experiment.number:2}. {experiment.title}"
    figures = [
        (
            heading,
            str(place),
            *compared,
            value(compared[0], outcomes),
            value(compared[2], outcomes),
        )
        for place, claim in enumerate(experiment.claims, start=1)
        for compared in comparisons(claim.holds.source)
    ]
    record_property(FIGURES, figures)
    conclusion = conclude(experiment, outcomes, None)
    assert conclusion.right
    claims = {finding.text: finding.holds for finding in conclusion.findings}
    print(*claims, sep="\n")
    assert claims == dict.fromkeys(claims, True)
