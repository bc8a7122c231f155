"""A few digits to train on, and runs that are stopped when a test is over."""

from collections.abc import Iterator

import pytest

from bntui.core.config import Observation, RunConfig
from bntui.core.run_request import Branch, New, RunRequest
from bntui.core.snapshot import Checkpoint
from bntui.data import dataset
from bntui.data.dataset import Dataset
from bntui.train.runner import Runner
from tests.train.normed import CPU
from tests.train.running import ENDLESS, LIMIT, UNOBSERVED, Make


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Return 128 digits for training, and what belongs to them for validation."""
    return dataset.load("digits", train_size=128, device=CPU)


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a maker of runners, all of which are stopped when the test is over."""
    runners: list[Runner] = []

    def new(
        config: RunConfig = ENDLESS,
        observation: Observation = UNOBSERVED,
        begin: Checkpoint | None = None,
    ) -> Runner:
        origin = Branch(begin) if begin else New()
        runners.append(Runner(RunRequest(config, observation, origin)))
        return runners[-1]

    yield new
    for runner in runners:
        runner.stop()
        assert runner.join(LIMIT)
