"""What outputs are worth, sample by sample, and how two evaluations are compared."""

import math

import pytest
import torch
from torch import Tensor

from bntui.diagnose.significance import harms, undecided
from bntui.probe.errors import ProbeError
from bntui.probe.labels import are_probabilities, has_classes
from bntui.probe.scoring import Alike, Classes, Given, Scored, joined


def shares(*scores: float) -> Scored:
    return Scored(torch.tensor(scores, dtype=torch.float64), None, None)


def test_classes_give_accuracy_and_cross_entropy_of_each_sample() -> None:
    outputs = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    found = Classes()(outputs, (outputs, torch.tensor([0, 1, 1])))
    assert found.scores.tolist() == [1.0, 1.0, 0.0]
    assert found.losses is not None
    assert found.losses.tolist() == pytest.approx(
        [math.log1p(math.exp(-2)), math.log1p(math.exp(-2)), math.log1p(math.exp(2))]
    )


def test_one_logit_a_sample_is_a_binary_classifier() -> None:
    outputs, labels = torch.tensor([[3.0], [-3.0], [3.0]]), torch.tensor([1, 0, 0])
    assert has_classes(outputs, (outputs, labels))
    assert Classes()(outputs, (outputs, labels)).scores.tolist() == [1.0, 1.0, 0.0]


def test_pixels_have_classes_and_those_that_are_none_are_left_out() -> None:
    outputs = torch.zeros(2, 3, 4, 4)
    outputs[:, 1] = 5.0
    labels = torch.ones(2, 4, 4, dtype=torch.long)
    labels[0, :2], labels[1] = 2, 255
    assert has_classes(outputs, (outputs, labels))
    found = Classes()(outputs, (outputs, labels))
    assert found.scores.tolist() == [0.5]  # nothing is known of the second sample


def test_outputs_that_are_not_finite_are_wrong_and_can_be_compared() -> None:
    outputs = torch.tensor([[math.nan, 0.0], [0.0, math.inf]])
    found = Classes()(outputs, (outputs, torch.tensor([0, 1])))
    assert found.scores.tolist() == [0.0, 0.0]
    assert found.loss == math.inf
    right = Classes()(torch.tensor([[9.0, 0.0], [9.0, 0.0]]), (outputs, torch.tensor([0, 0])))
    assert math.isfinite(found.less(right).loss)


@pytest.mark.parametrize(
    ("outputs", "targets"),
    [
        (torch.zeros(4, 1), torch.rand(4)),
        (torch.zeros(4, 3), torch.zeros(5, dtype=torch.long)),
        (torch.zeros(4, 1), torch.tensor([0, 1, 2, 3])),
        (torch.zeros(4, dtype=torch.long), torch.zeros(4, dtype=torch.long)),
    ],
)
def test_what_no_class_label_is(outputs: Tensor, targets: Tensor) -> None:
    assert not has_classes(outputs, (outputs, targets))


def test_a_metric_gets_the_targets_or_by_its_parameters_name_the_batch() -> None:
    batch = (torch.zeros(3), torch.tensor([1.0, 2.0, 3.0]))
    by_targets, by_batch = (
        Given(lambda out, wanted: out - wanted),
        Given(lambda out, batch: out - batch[1]),
    )
    assert by_targets(batch[0], batch).scores.tolist() == [-1, -2, -3]
    assert by_batch(batch[0], batch).scores.tolist() == [-1, -2, -3]


@pytest.mark.parametrize("wrong", [torch.tensor(1.0), torch.zeros(3, 1), torch.zeros(2), 0.5])
def test_a_metric_of_another_shape_is_refused(wrong: object) -> None:
    batch = (torch.zeros(3, 2), torch.zeros(3))
    with pytest.raises(ProbeError, match=r"one number a sample, \(3,\)"):
        Given(lambda *_: wrong)(batch[0], batch)  # type: ignore[arg-type]


def test_a_metric_within_0_and_1_counts_as_a_share() -> None:
    better, worse = shares(*[0.9, 0.8] * 100), shares(*[0.7, 0.6] * 100)
    assert worse.less(better).accuracy == pytest.approx(-0.2)
    assert harms(worse.less(better))
    assert not harms(better.less(worse))


def test_a_metric_of_any_size_is_compared_with_its_own_mean() -> None:
    for unit in (1e-6, 1.0, 1e6):
        fresh, running = (
            Scored(-unit * torch.linspace(*ends, 200).double(), None, None)
            for ends in ((1.0, 2.0), (2.0, 3.0))
        )
        assert running.less(fresh).loss == pytest.approx(1.0 / 1.5)
        assert harms(running.less(fresh))
        close = Scored(fresh.scores * 1.01, None, None)
        assert not harms(close.less(fresh))
        assert not undecided(close.less(fresh))


def test_without_labels_outputs_are_compared_with_those_under_fresh_statistics() -> None:
    scorer = Alike()
    reference = [torch.tensor([[3.0, 4.0], [3.0, 4.0]])]
    scorer.begin(reference)
    found = scorer(torch.tensor([[3.0, 4.0], [4.0, 3.0]]), None)
    assert found.scores.tolist() == pytest.approx([0.0, -math.sqrt(2.0) / 5.0])
    scorer = Alike(several=True)
    scorer.begin(reference)
    assert scorer(torch.tensor([[0.3, 0.4], [4.0, 3.0]]), None).scores.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("single", [True, False])
def test_probabilities_are_scored_as_their_logits_are(single: bool) -> None:
    labels = torch.tensor([0, 1, 1, 0])
    logits = torch.tensor([-2.0, 3.0, -1.0, 0.5]) if single else torch.randn(4, 2)
    probabilities = logits.sigmoid() if single else logits.softmax(1)
    assert are_probabilities(probabilities, (None, labels))
    assert not are_probabilities(logits, (None, labels))
    given = Classes(probabilities=True)(probabilities, (None, labels))
    wanted = Classes()(logits, (None, labels))
    assert given.scores.equal(wanted.scores)
    assert given.losses is not None
    assert wanted.losses is not None
    assert given.losses.allclose(wanted.losses, atol=1e-5)


def test_one_hot_targets_are_class_labels() -> None:
    outputs, targets = (
        torch.tensor([[2.0, 1.0], [0.0, 1.0]]),
        torch.tensor([[1.0, 0.0], [1.0, 0.0]]),
    )
    assert has_classes(outputs, (outputs, targets))
    assert Classes()(outputs, (outputs, targets)).scores.tolist() == [1.0, 0.0]
    assert not has_classes(outputs, (outputs, targets * 0.5))


def test_several_batches_are_one_evaluation() -> None:
    whole = joined([shares(1.0, 0.0), shares(1.0)])
    assert whole.score == pytest.approx(2 / 3)
    assert len(whole) == 3
