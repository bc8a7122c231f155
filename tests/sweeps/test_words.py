"""What a phase diagram says of a tile."""

import math
from dataclasses import replace

import pytest

from bntui.core.sweep import Standing
from bntui.sweeps.phase import MOMENTUM, NO_AXIS, UPDATES, Choice, Value, diagram
from bntui.sweeps.words import measured, reading, tile_words, value_words
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
        "batch 1024, m 0.99, epoch 10, update 40: gap 0.813 (0.803 to 0.823, 3 seeds), "
        "67 % of the start values left"
    )
    assert tile_words(drawn, 0, 11).startswith(
        "batch 64, cumulative, epoch 10, update 630: gap 0.809"
    )


def test_a_tile_says_that_runs_are_under_way_and_how_many_are_measured() -> None:
    cells = with_cell(waiting(OF), 1, standing=Standing.RUNNING)
    drawn = diagram(cells, Choice(MOMENTUM, "batch_size", at={"learning_rate": 1}))
    assert tile_words(drawn, 3, 0) == ("m 0.9, batch 64: gap not measured yet, a run is under way")
    seen = with_cell(SEEN, 1, standing=Standing.FAILED, epochs=())
    drawn = diagram(seen, Choice("batch_size", "learning_rate", Value.RUNNING))
    assert tile_words(drawn, 0, 1) == (
        "batch 64, rate 0.01, epoch 10, update 630: running 0.125 "
        "(0.120 to 0.130, 2 of 3 seeds), under 1 % of the start values left, a run has failed"
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
        (Value.GAP, 0.0502, ".0502"),
        (Value.GAP, 0.0500004, ".0500004"),
        (Value.RUNNING, 0.0502, ".050"),
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


def test_values_in_sentences() -> None:
    assert measured(Value.GAP, 0.0613) == "0.061"
    assert measured(Value.GAP, 0.0502) == "0.0502"
    assert measured(Value.GAP, -0.0004) == "0.000"
    assert measured(Value.UNTIL_SOUND, 1234.0) == "1,234"
    assert measured(Value.UNTIL_SOUND, math.inf) == "never yet"
    assert measured(Value.FRESH, math.nan) == "–"


def test_it_says_of_how_many_seeds_and_what_lies_between_them_where_they_differ() -> None:
    drawn = diagram(SEEN, Choice("batch_size", MOMENTUM))
    tile = drawn.tiles[7][0]._replace(median=0.5, least=0.4, greatest=0.6, left=math.nan)
    assert reading(drawn, tile) == ["gap 0.500 (0.400 to 0.600, 3 seeds)"]
    assert reading(drawn, tile._replace(measured=2)) == ["gap 0.500 (0.400 to 0.600, 2 of 3 seeds)"]
    alike = tile._replace(least=0.5, greatest=0.5, measured=1)
    assert reading(drawn, alike) == ["gap 0.500 (1 of 3 seeds)"]
    assert reading(drawn, alike._replace(runs=("a",))) == ["gap 0.500"]


def test_what_is_not_measured_is_said_and_a_run_that_failed() -> None:
    drawn = diagram(waiting(OF), Choice("batch_size", MOMENTUM))
    tile = drawn.tiles[0][0]
    assert reading(drawn, tile) == ["gap not measured yet"]
    assert reading(drawn, tile._replace(failed=True)) == [
        "gap not measured yet",
        "a run has failed",
    ]


@pytest.mark.parametrize("standing", Standing)
def test_what_is_not_measured_is_awaited_only_while_one_of_its_runs_is_not_over(
    standing: Standing,
) -> None:
    over = standing in {Standing.FINISHED, Standing.FAILED}
    without = view(design(("norm", ("none", "batch")), seeds=2))
    drawn = diagram(with_cell(without, 2, standing=standing), Choice("norm", MOMENTUM))
    assert reading(drawn, drawn.tiles[0][0])[0] == f"gap not measured{'' if over else ' yet'}"


def test_a_place_that_has_no_run_is_not_awaited() -> None:
    sizes = view(design(("batch_size", (10, 100)), ("train_size", (None, 500))))
    cells = tuple(replace(one, train=one.cell.config.train_size or 5000) for one in sizes.cells)
    drawn = diagram(replace(sizes, cells=cells), Choice(UPDATES, "train_size"))
    said = {reading(drawn, tile)[0] for row in drawn.tiles for tile in row if not tile.runs}
    assert said == {"gap not measured"}


def test_what_is_left_of_the_start_values_is_said_of_values_of_one_moment_alone() -> None:
    said = {
        value: reading(drawn, drawn.tiles[7][0])[1:]
        for value in Value
        for drawn in [diagram(SEEN, Choice("batch_size", MOMENTUM, value))]
    }
    left = ["under 1 % of the start values left"]
    assert said == {
        Value.GAP: left,
        Value.RUNNING: left,
        Value.FRESH: [],
        Value.UNTIL_SOUND: [],
    }


def test_a_small_gap_where_little_is_learned_is_said_to_tell_nothing() -> None:
    of = view(OF, lambda cell, epoch: outcome(cell, epoch, 0.137, 0.1))
    drawn = diagram(of, Choice("batch_size", NO_AXIS))
    assert reading(drawn, drawn.tiles[0][0])[1] == "fresh below 0.2: too little is learned to tell"
    drawn = diagram(of, Choice("batch_size", NO_AXIS, Value.UNTIL_SOUND))
    assert reading(drawn, drawn.tiles[0][0]) == ["not sound yet (3 seeds)"]
