"""Which targets of a batch are class labels of its outputs."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bntui.probe.errors import ProbeError
from bntui.probe.labels import class_labels, judged
from bntui.probe.scoring import Classes

OUTPUTS = torch.eye(4)
LABELS = torch.arange(4)


@pytest.mark.parametrize("labels", [LABELS, LABELS.numpy(), LABELS.tolist(), LABELS[:, None]])
def test_labels_are_tensors_arrays_lists_and_columns(labels: Any) -> None:
    found = class_labels(OUTPUTS, (OUTPUTS, labels))
    assert isinstance(found, Tensor)
    assert torch.equal(found, LABELS)
    assert Classes()(OUTPUTS, (OUTPUTS, labels)).score == 1.0


@pytest.mark.parametrize(
    "targets", [LABELS.float(), LABELS.numpy() / 2, [0.5] * 4, ["a"] * 4, None, LABELS[:3]]
)
def test_other_targets_are_none(targets: Any) -> None:
    assert class_labels(OUTPUTS, (OUTPUTS, targets)) is None


def test_a_later_batch_without_labels_is_refused() -> None:
    with pytest.raises(
        ProbeError, match=r"^The targets of a batch of 4 are no class labels of its"
    ):
        Classes()(OUTPUTS, OUTPUTS)


def test_labels_beyond_the_classes_are_told_or_refused() -> None:
    assert judged(OUTPUTS, [(OUTPUTS, LABELS)]) == (3, [])
    assert judged(OUTPUTS, [(OUTPUTS, torch.tensor([0, -100, 2, 1]))]) == (2, [])
    assert judged(OUTPUTS, [(OUTPUTS, LABELS + 1)]) == (
        3,
        [
            "25 % of the labels are none of the 4 classes that the model puts out, but up to 4: they are left out."
        ],
    )
    with pytest.raises(ProbeError) as caught:
        judged(OUTPUTS, [(OUTPUTS, LABELS + 10)] * 2)
    assert str(caught.value) == (
        "No label of the 8 validation samples is one of the 4 classes that the model puts out: they go from "
        "10 to 13, and must from 0 to 3."
    )


def test_one_output_for_each_label() -> None:
    assert judged(torch.ones(4, 1), [(OUTPUTS, LABELS % 2)]) == (1, [])
    assert judged(torch.ones(4), [(OUTPUTS, LABELS % 2)]) == (1, [])
