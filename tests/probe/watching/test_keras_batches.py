"""Batches of a Keras model: each update counts once, whoever tells of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from bntui.probe.watching.keras_batches import KerasBatches


class Counting:
    """Stands for `Watching`, of which only the count of updates is read."""

    def __init__(self) -> None:
        self.updates = 5

    def step(self) -> None:
        self.updates += 1


def updates(together: int | None, told: bool) -> list[int]:
    """Return the count of updates after each of six batches, of which the optimiser tells or not."""
    optimizer = SimpleNamespace(gradient_accumulation_steps=together)
    watching: Any = Counting()
    batches, counts = KerasBatches(SimpleNamespace(optimizer=optimizer), watching), []
    for batch in range(1, 7):
        if told and batch % (together or 1) == 0:
            watching.step()
        batches.ended()
        counts.append(watching.updates)
    return counts


@pytest.mark.parametrize("told", [True, False])
def test_an_update_counts_once(told: bool) -> None:
    assert updates(None, told) == [6, 7, 8, 9, 10, 11]
    assert updates(3, told) == [5, 5, 6, 6, 6, 7]
