"""The shares given to start values and to lag, against the whole validation set of MNIST."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bntui.core.config import Change
from bntui.diagnose.significance import harms, share
from bntui.diagnose.stale import by_loss, start_share
from bntui.measure.estimators import OWN
from bntui.measure.evaluation import evaluate
from tests.diagnose.causes.runs import session, small, train

MNIST = Path(os.environ.get("BNTUI_DATA", "")) / "MNIST" / "raw"
EVERY = 6
"""Updates between two moments."""


class Share(NamedTuple):
    run: str
    update: int
    said: float
    true: float

    @property
    def near(self) -> bool:
        """Whether it is within a tenth, or both say that removing start values makes things worse."""
        return abs(self.said - self.true) <= 0.1 or max(self.said, self.true) < -0.1


def shares(until: int) -> Iterator[Share]:
    """Return what a validation of 1,000 images says at stale moments, and what all images say."""
    for seed, momentum, change in (
        (0, 0.99, None),
        (1, 0.98, None),
        (2, 0.995, None),
        (3, 0.99, Change(40, "learning_rate", 0.02)),
        (4, 0.99, Change(60, "learning_rate", 0.02)),
        (5, 0.97, None),
    ):
        at = (change,) if change else ()
        config = small(
            *at, seed=seed, dataset="mnist", train_size=2000, knobs={"momentum": momentum}
        )
        run = session(config)
        for update in range(EVERY, until + 1, EVERY):
            train(run, EVERY)
            run.observer.validate(asked=True)
            seen, trainer = run.observer.validation, run.trainer
            assert seen
            if not harms(seen.difference) or seen.corrected is None:
                continue
            fresh = trainer.subject.collect(run.observer.subsets.fresh.inputs)
            rows = [trainer.estimators[OWN], fresh, trainer.estimators.unstarted]
            whole = trainer.subject.validation
            own, best, corrected = (
                outcome.score for outcome in evaluate(trainer.subject, rows, whole)
            )
            true = share(corrected, own, best, by_loss=by_loss(seen))
            yield Share(f"{momentum} {change}", update, start_share(seen), true)


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs full MNIST in BNTUI_DATA")
@pytest.mark.parametrize("until", [24, pytest.param(120, marks=pytest.mark.long)])
def test_shares_are_those_of_the_whole_validation_set(until: int) -> None:
    found = list(shares(until))
    assert len(found) >= until * 0.8
    far = [one for one in found if not one.near]
    assert len(far) <= len(found) / 50, far  # a thousand images are a sample
