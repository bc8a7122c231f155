"""Which channels are to blame: a few of conv1, exchanged alone, in a real small run."""

import torch

from bntui.diagnose.significance import harms
from bntui.measure.estimators import OWN
from bntui.measure.evaluation import evaluate
from tests.diagnose.causes.runs import session, small, train


def test_stale_statistics_in_low_variance_channels_alone_cost_accuracy() -> None:
    """Six of conv1's sixteen channels hardly vary, and still put out what a unit deviation does."""
    config = small(seed=1, width=0.5, train_size=2000, knobs={"batch_size": 32})
    run = train(session(config), 30)
    observer, trainer = run.observer, run.trainer
    observer.validate(asked=True)
    billed = observer.budget.observing
    run.ask_channels()
    assert observer.budget.observing == billed
    found = observer.questions.channel_exchanges
    assert found
    assert (found.update, found.images) == (30, len(observer.subsets.live))
    of_first = {part.low_variance: part for part in found.parts if part.layer == "conv1_bn"}
    worst, low = of_first[False], of_first[True]
    assert worst.channels == 4
    assert harms(low.alone)
    assert low.alone.accuracy < -0.1

    # Against the definition, put in by hand.
    own = trainer.estimators[OWN]
    fresh = trainer.subject.collect(observer.subsets.fresh.inputs)
    exchanged = fresh.clone()
    places = [n for n in range(16) if fresh[1, n] < 10 * trainer.buffers.layers[0].eps]
    assert len(places) == low.channels < 16
    exchanged[:, places] = own[:, places]
    rows = [exchanged, fresh]
    stale, best = evaluate(trainer.subject, rows, observer.subsets.live)
    assert low.alone == stale.less(best)
    assert torch.equal(own, trainer.estimators[OWN])


def test_statistics_just_recalibrated_cost_nothing_and_old_answers_go() -> None:
    run = train(session(small(knobs={"batch_size": 64})), 30)
    run.observer.validate(asked=True)
    run.ask_channels()
    run.recalibrate(apply=True)
    assert run.observer.questions.channel_exchanges is None
    run.ask_channels()
    found = run.observer.questions.channel_exchanges
    assert found
    assert not any(harms(part.alone) for part in found.parts)


def test_without_batch_norm_there_is_nothing_to_exchange() -> None:
    run = train(session(small(norm="none")), 2)
    run.observer.validate(asked=True)
    run.ask_channels()
    assert run.observer.questions.channel_exchanges is None
