"""Loss and accuracy of a model in eval mode, under whatever statistics its buffers hold."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bntui.engine.data import Split
from bntui.engine.snapshot import Score

CHUNK = 250
"""Images per forward pass: small enough to stay in cache and to answer a pause in between."""


def evaluate(
    model: nn.Module, split: Split, classes: int, breathe: Callable[[], None] = lambda: None
) -> Score:
    """Evaluate on every image of `split`; changes nothing.

    `breathe` is called before each chunk: it may wait (a pause) or raise (a stop).
    """
    was_training = model.training
    model.eval()
    loss = torch.zeros((), device=split.images.device)
    correct = torch.zeros((), dtype=torch.int64, device=split.images.device)
    predicted = torch.zeros(classes, dtype=torch.int64, device=split.images.device)
    try:
        with torch.inference_mode():
            for start in range(0, len(split), CHUNK):
                breathe()
                images = split.images[start : start + CHUNK]
                labels = split.labels[start : start + CHUNK]
                logits = model(images)
                loss += cross_entropy(logits, labels, reduction="sum")
                guesses = logits.argmax(1)
                correct += (guesses == labels).sum()
                predicted += torch.bincount(guesses, minlength=classes)
    finally:
        model.train(was_training)
    count = len(split)
    return Score(
        loss=loss.item() / count,
        accuracy=correct.item() / count,
        predicted=tuple(predicted.tolist()),
    )
