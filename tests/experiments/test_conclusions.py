"""Every conclusion of every guided experiment, checked by running it: `make test-experiments`.

One thread a run, so that the numbers are the same whether tests run side by side or one by one.
"""

import json

import pytest
from click.testing import CliRunner

from bntui.cli import cli
from bntui.scenario import Scenario
from bntui.scenariofiles import built_in

SEEDS = (0, 1, 2)


@pytest.mark.experiment
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", built_in(), ids=lambda scenario: scenario.name)
def test_every_claim_holds(scenario: Scenario, seed: int) -> None:
    words = ["run", "--scenario", scenario.name, "--json", "--device", "cpu", "--no-store"]
    result = CliRunner().invoke(cli, [*words, "--seed", str(seed), "--threads", "1"])
    assert result.exit_code == 0, result.output
    conclusion = json.loads(result.stdout.splitlines()[-1])
    assert conclusion["event"] == "conclusion"
    assert conclusion["prediction"]["right"] is not None
    claims = {claim["text"]: claim["holds"] for claim in conclusion["claims"]}
    print(*claims, sep="\n")
    assert claims == dict.fromkeys(claims, True)
