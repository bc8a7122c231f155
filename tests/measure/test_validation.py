"""What an epoch's end measures: each row of statistics once, and the same as if each part measured alone."""

import gc
import weakref
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from torch import Tensor

from bntui.core.config import Knobs, Observation
from bntui.measure import validation
from bntui.measure.evaluation import Outcome, evaluate
from bntui.measure.observer import Observer
from bntui.measure.subject import Subject
from bntui.measure.subsets import draw_subsets
from bntui.measure.validation import Validator
from tests.measure.oracle import small_trainer, train


def test_weights_at_hand_are_evaluated_once_under_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = small_trainer()
    train(trainer, 7, Knobs(batch_size=25, momentum=0.9))
    subsets = draw_subsets(trainer.subject, 0)
    alone = Validator(trainer, subsets, lambda: None)
    samples = trainer.subject.validation
    expected = alone.validate(samples), alone.moment(samples)
    seen: Counter[bytes] = Counter()

    def counted(subject: Subject, rows: Sequence[Tensor], *others: Any) -> list[Outcome]:
        seen.update(row.numpy().tobytes() for row in rows)
        return evaluate(subject, rows, *others)

    monkeypatch.setattr(validation, "evaluate", counted)
    observer = Observer(trainer, Observation(live=False, hindsight=True), seed=0)
    report = observer.end_epoch()
    assert len(seen) >= 13
    assert set(seen.values()) == {1}
    assert observer.hindsight
    assert report.val_loss == expected[0].running.loss
    assert report.val_loss_fresh == expected[0].fresh.loss
    assert tuple(value for _, value in report.hindsight) == expected[1].accuracy
    assert observer.hindsight.gains == expected[1].gains
    assert observer.hindsight.recommended == expected[1].recommended


def test_what_is_known_of_some_samples_is_not_taken_for_others() -> None:
    trainer = small_trainer()
    train(trainer, 3, Knobs(batch_size=25))
    subsets = draw_subsets(trainer.subject, 0)
    here = Validator(trainer, subsets, lambda: None).at_these_weights()
    row = trainer.estimators["own"]
    for samples in (trainer.subject.validation, subsets.few, subsets.fresh):
        (found,) = here.under([row], samples)
        (expected,) = evaluate(trainer.subject, [row], samples)
        assert found.score == expected.score
    row = row.clone()
    train(trainer, 1, Knobs(batch_size=25))
    before, now = (
        one.under([row], subsets.few)[0].score for one in (here, here.at_these_weights())
    )
    assert now == evaluate(trainer.subject, [row], subsets.few)[0].score
    assert now != before


def test_what_is_known_of_samples_that_are_gone_is_not_taken_for_others() -> None:
    trainer = small_trainer()
    here = Validator(trainer, draw_subsets(trainer.subject, 0), lambda: None).at_these_weights()
    samples = trainer.subject.validation[:4]
    here.under([trainer.estimators["own"]], samples)
    kept = weakref.ref(samples.targets)
    del samples
    gc.collect()
    assert kept() is not None, "others could lie in its place in memory"
