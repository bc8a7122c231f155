"""Class labels among the targets of batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bntui.probe.batches import size, targets
from bntui.probe.errors import ProbeError
from bntui.probe.numbers import percent


def class_labels(outputs: Any, batch: Any) -> Tensor | None:
    """Return the targets of a batch if they have type and shape of class labels of its outputs, else None.

    Beside several classes (N, 1, …) is taken as (N, …).
    """
    labels = whole_numbers(batch)
    if labels is None and isinstance(outputs, Tensor) and outputs.dim() == 2:
        labels = one_hot(batch)
    if labels is None or not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        return None
    if outputs.numel() == labels.numel():
        return labels
    if outputs.dim() < 2 or outputs.shape[1] < 2:
        return None
    if labels.dim() == outputs.dim() and labels.shape[1] == 1:
        labels = labels.squeeze(1)
    return labels if outputs.shape[:1] + outputs.shape[2:] == labels.shape else None


def one_hot(batch: Any) -> Tensor | None:
    """Return the classes (N,) of targets (N, classes) that are 1 in one class and 0 in the others, else None."""
    found = targets(batch)
    if not isinstance(found, Tensor) or found is batch or found.dim() != 2 or found.shape[1] < 2:
        return None
    if not found.is_floating_point() or not bool(((found == 0) | (found == 1)).all()):
        return None
    return found.argmax(1) if bool((found.sum(1) == 1).all()) else None


def has_classes(outputs: Any, batch: Any) -> bool:
    """Tell whether a batch's targets are class labels of these outputs."""
    labels = class_labels(outputs, batch)
    if labels is None or outputs.numel() != labels.numel():
        return labels is not None
    return bool(((labels == 0) | (labels == 1)).all())


def whole_numbers(batch: Any) -> Tensor | None:
    """Return the targets of a batch as whole numbers in a tensor: arrays and lists of them, too."""
    found = targets(batch)
    if isinstance(found, np.ndarray) and found.dtype.kind in "bi":
        found = torch.from_numpy(found)
    elif isinstance(found, list) and found and all(type(one) is int for one in found):
        found = torch.tensor(found)
    if not isinstance(found, Tensor) or found is batch:
        return None
    return None if found.is_floating_point() or found.is_complex() else found


def are_probabilities(outputs: Tensor, batch: Any) -> bool:
    """Tell whether outputs are probabilities of classes: from 0 to 1, and of several classes 1 in all."""
    labels = class_labels(outputs, batch)
    if labels is None or not bool(((outputs >= 0.0) & (outputs <= 1.0)).all()):
        return False
    if outputs.numel() == labels.numel():
        return True
    return bool(((outputs.float().sum(1) - 1.0).abs() < 1e-2).all())


def judged(outputs: Tensor, batches: Sequence[Any]) -> tuple[int, list[str]]:
    """Return the largest label that is one of the classes, and what is to be said of other labels.

    `outputs` are those of the first samples of these batches. Raises ProbeError where no label is a class.
    """
    found = [
        one.long().cpu()
        for batch in batches
        if (one := whole_numbers(batch)) is not None or (one := one_hot(batch)) is not None
    ]
    labels = torch.cat([one.flatten() for one in found])
    if outputs.numel() // len(outputs) == found[0].numel() // len(found[0]):
        return 1, []  # one output for each label: is it so, or not?
    count = outputs.shape[1]
    counted = labels[(labels >= 0) & (labels < count)]
    if not len(counted):
        raise ProbeError(
            f"No label of the {sum(map(size, batches)):,} validation samples is one of the {count} classes "
            f"that the model puts out: they go from {int(labels.min())} to {int(labels.max())}, and must "
            f"from 0 to {count - 1}."
        )
    beyond = int((labels >= count).sum())
    said = (
        f"{percent(beyond / len(labels))} of the labels are none of the {count} classes that the model puts "
        f"out, but up to {int(labels.max())}: they are left out."
    )
    return int(counted.max()), [said] if beyond else []
