"""What a phase diagram says of a tile."""

import math

import pytest

from bntui.core.sweep import Standing
from bntui.sweeps.phase import MOMENTUM, NO_AXIS, UPDATES, Choice, Value, diagram
from bntui.sweeps.words import tile_words, value_words
from tests.sweeps.made_up import design, outcome, view, waiting, with_cell

OF = design(("batch_size", (64, 1024)), ("learning_rate", (0.001, 0.01)), seeds=3)
SEEN = view(
    OF,
    lambda cell, epoch: outcome(cell, epoch, 0.95, 0.14 - cell.seed / 100),
    epochs=10,
)


def test_a_tile_says_where_it_is_what_was_measured_and_what_is_left_of_the_start_values() -> None:
    drawn = diagram(SEEN, Choice("batch_size", MOMENTUM))
    assert tile_words(drawn, 1, 7) == (
        "batch 1024, m 0.99, epoch 10, update 40: gap .81 (.80 to .82, 3 seeds), "
        "67 % of the start values left"
    )
    assert tile_words(drawn, 0, 11).startswith(
        "batch 64, cumulative, epoch 10, update 630: gap .81"
    )


def test_a_tile_says_that_runs_are_under_way_and_how_many_are_measured() -> None:
    cells = with_cell(waiting(OF), 1, standing=Standing.RUNNING)
    drawn = diagram(cells, Choice(MOMENTUM, "batch_size", at={"learning_rate": 1}))
    assert tile_words(drawn, 3, 0) == "m 0.9, batch 64: not measured, running"
    seen = with_cell(SEEN, 1, standing=Standing.FAILED, epochs=())
    drawn = diagram(seen, Choice("batch_size", "learning_rate", Value.RUNNING))
    assert tile_words(drawn, 0, 1) == (
        "batch 64, rate 0.01, epoch 10, update 630: accuracy with running statistics .125 "
        "(.120 to .130, 2 of 3 seeds), under 1 % of the start values left, a run has failed"
    )


def test_updates_until_sound_are_said_as_such() -> None:
    drawn = diagram(SEEN, Choice(UPDATES, NO_AXIS, Value.UNTIL_SOUND))
    assert tile_words(drawn, 0, 0) == "4 updates an epoch: not sound yet (3 runs)"
    some = view(OF, lambda cell, epoch: outcome(cell, epoch, 0.9, 0.9 if cell.seed else 0.1))
    drawn = diagram(some, Choice(UPDATES, NO_AXIS, Value.UNTIL_SOUND))
    assert tile_words(drawn, 0, 0) == (
        "4 updates an epoch: sound from update 4 on (4 to never yet, 3 runs)"
    )


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Value.GAP, 0.814, ".81"),
        (Value.GAP, -0.003, ".00"),
        (Value.GAP, 0.05, ".05"),
        (Value.GAP, 0.9 - 0.85, ".05"),
        (Value.GAP, 0.0512, ".051"),
        (Value.GAP, -0.02, "-.02"),
        (Value.GAP, math.nan, "–"),
        (Value.FRESH, 1.0, "1.000"),
        (Value.FRESH, 0.9996, "1.000"),
        (Value.RUNNING, 0.1, ".100"),
        (Value.UNTIL_SOUND, 1240.0, "1,240"),
        (Value.UNTIL_SOUND, math.inf, "never yet"),
    ],
)
def test_values_are_written_shortly(kind: Value, value: float, text: str) -> None:
    assert value_words(kind, value) == text
