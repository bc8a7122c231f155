"""The phase diagram's values: of sweeps made by hand, against what they are by definition."""

import math
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bntui.core.config import Change, Knobs
from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.sweep import Cell, EpochOutcome, Standing
from bntui.sweeps.phase import (
    MOMENTUM,
    NO_AXIS,
    SOUND_GAP,
    START_LEFT,
    UPDATES,
    Choice,
    Value,
    axes,
    diagram,
    first_choice,
    scale,
)
from tests.sweeps.made_up import BASE, design, outcome, view, waiting, with_cell

nan = math.nan
BATCHES = ("batch_size", (64, 256, 1024))
RATES = ("learning_rate", (0.001, 0.01))
PLACE = {row: place for place, row in enumerate(ROWS)}


def numbered(cell: Cell, epoch: int) -> EpochOutcome:
    """Fresh and running differ by the seed, the batch size and the epoch."""
    gap = cell.config.knobs.batch_size / 10_000 + cell.seed / 100 + epoch / 1000
    return outcome(cell, epoch, fresh=0.8, running=0.8 - gap)


def test_axes_are_the_settings_with_several_values_updates_and_momenta() -> None:
    of = design(BATCHES, ("width", (0.25,)), RATES)
    assert axes(view(of)) == ("batch_size", UPDATES, "learning_rate", MOMENTUM)
    assert axes(waiting(of)) == ("batch_size", "learning_rate", MOMENTUM)  # images not known yet
    assert scale(view(of), UPDATES).values == ("4", "16", "63")
    assert scale(view(of), MOMENTUM).values == ROWS


@pytest.mark.parametrize("norm", ["renorm", "none", "group", "layer"])
def test_a_sweep_whose_norms_tell_of_one_momentum_has_no_axis_of_momenta(norm: str) -> None:
    assert MOMENTUM not in axes(waiting(design(BATCHES, base=replace(BASE, norm=norm))))
    assert MOMENTUM in axes(waiting(design(("norm", (norm, "ghost")))))


def test_numbers_ascend_and_words_stay_as_they_were_given() -> None:
    of = view(
        design(
            ("batch_size", (256, 8, 64)), ("train_size", (None, 500)), ("norm", ("layer", "batch"))
        )
    )
    assert scale(of, "batch_size").values == ("8", "64", "256")
    assert scale(of, "train_size").values == ("500", "all")
    assert scale(of, "norm").values == ("layer", "batch")


def test_first_choice_is_momenta_over_batch_size() -> None:
    assert first_choice(view(design(RATES, BATCHES))) == Choice("batch_size", MOMENTUM)
    assert first_choice(waiting(design(RATES))) == Choice("learning_rate", MOMENTUM)
    assert first_choice(waiting(design())) == Choice(MOMENTUM, NO_AXIS)
    control = replace(BASE, norm="layer")
    assert first_choice(waiting(design(RATES, BATCHES, base=control))) == Choice(
        "batch_size", "learning_rate", Value.RUNNING
    )
    assert first_choice(waiting(design(base=control))) == Choice(NO_AXIS, NO_AXIS, Value.RUNNING)


def test_gap_is_fresh_less_running_of_the_same_run_and_epoch() -> None:
    of = view(design(BATCHES, seeds=1), numbered)
    drawn = diagram(of, Choice("batch_size", MOMENTUM, epoch=2))
    assert (len(drawn.tiles), len(drawn.tiles[0])) == (len(ROWS), 3)
    for x, batch in enumerate(BATCHES[1]):
        for y in range(len(ROWS)):
            tile = drawn.tiles[y][x]
            assert tile.median == pytest.approx(batch / 10_000 + 2 / 1000 - y / 1000)
            assert tile.median == tile.least == tile.greatest
            assert tile.updates == 2 * math.ceil(4000 / batch)
            assert tile.runs == (of.cells[x].cell.id,)


def test_running_and_fresh_are_accuracies() -> None:
    of = view(design(BATCHES), numbered)
    running = diagram(of, Choice("batch_size", MOMENTUM, Value.RUNNING))
    assert running.tiles[4][1].median == pytest.approx(0.8 - 0.0256 - 0.003 + 0.004)
    fresh = diagram(of, Choice("batch_size", MOMENTUM, Value.FRESH))
    assert {tile.median for row in fresh.tiles for tile in row} == {0.8}


def test_axes_turned_round_show_the_same_tiles() -> None:
    of = view(design(BATCHES, seeds=3), numbered)
    one, other = (
        diagram(of, Choice(*pair)) for pair in (("batch_size", MOMENTUM), (MOMENTUM, "batch_size"))
    )
    assert tuple(zip(*other.tiles, strict=True)) == one.tiles
    assert (one.line_over, other.line_over) == ("x", "y")
    assert one.line == pytest.approx(other.line, nan_ok=True)


def test_seeds_are_median_least_and_greatest() -> None:
    of = view(design(BATCHES, seeds=3), numbered)
    tile = diagram(of, Choice("batch_size", MOMENTUM, epoch=1)).tiles[0][0]
    assert (tile.least, tile.median, tile.greatest) == pytest.approx((0.0074, 0.0174, 0.0274))
    assert tile.measured == 3
    assert tile.runs == tuple(of.cells[at].cell.id for at in (0, 3, 6))
    two = view(design(BATCHES, seeds=2), numbered)
    assert diagram(two, Choice("batch_size", MOMENTUM, epoch=1)).tiles[0][
        0
    ].median == pytest.approx(0.0124)


def test_a_place_with_nothing_measured_is_nan_and_names_its_runs() -> None:
    of = waiting(design(BATCHES, seeds=2))
    drawn = diagram(of, Choice("batch_size", MOMENTUM))
    tile = drawn.tiles[7][1]
    assert math.isnan(tile.median)
    assert math.isnan(tile.least)
    assert math.isnan(tile.greatest)
    assert math.isnan(tile.left)
    assert (tile.measured, tile.updates, len(tile.runs)) == (0, 0, 2)
    assert (drawn.epochs, drawn.epoch) == ((), 0)


def test_a_running_cell_has_what_it_has_so_far() -> None:
    of = view(design(BATCHES, seeds=2), numbered)
    of = with_cell(of, 1, standing=Standing.RUNNING, epochs=of.cells[1].epochs[:1])
    of = with_cell(of, 2, standing=Standing.FAILED, epochs=())
    first, last = (diagram(of, Choice("batch_size", MOMENTUM, epoch=epoch)) for epoch in (1, 3))
    assert (first.tiles[0][1].measured, last.tiles[0][1].measured) == (2, 1)
    assert first.tiles[0][1].running
    assert last.tiles[0][1].running
    assert not first.tiles[0][0].running
    assert (last.tiles[0][2].failed, last.tiles[0][2].measured) == (True, 1)
    assert not last.tiles[0][1].failed


def test_epoch_0_is_the_last_that_any_cell_has_and_shorter_cells_have_none_then() -> None:
    of = view(design(BATCHES), numbered)
    of = with_cell(of, 0, epochs=of.cells[0].epochs[:2])
    drawn = diagram(of, Choice("batch_size", MOMENTUM))
    assert (drawn.epoch, drawn.epochs) == (3, (1, 2, 3))
    assert math.isnan(drawn.tiles[0][0].median)
    assert drawn.tiles[0][1].median == pytest.approx(0.0286)


def test_an_epoch_that_no_cell_has_is_not_measured() -> None:
    drawn = diagram(view(design(BATCHES)), Choice("batch_size", MOMENTUM, epoch=9))
    assert all(not tile.measured for row in drawn.tiles for tile in row)
    drawn = diagram(view(design(BATCHES)), Choice("batch_size", NO_AXIS, Value.FRESH, epoch=9))
    assert all(not tile.measured for row in drawn.tiles for tile in row)


def until(*gaps: float) -> float:
    """Return the updates until soundness of one run with these gaps, 16 updates an epoch."""
    of = view(
        design(("batch_size", (256, 512))),
        lambda cell, epoch: outcome(cell, epoch, 0.9, 0.9 - gaps[epoch - 1]),
        epochs=len(gaps),
    )
    return diagram(of, Choice("batch_size", NO_AXIS, Value.UNTIL_SOUND)).tiles[0][0].median


@pytest.mark.parametrize(
    "grows", [{"batch_schedule": "x2/1"}, {"at": (Change(3, "batch_size", 512),)}]
)
def test_updates_an_epoch_are_no_axis_where_the_batch_grows(grows: dict[str, Any]) -> None:
    of = design(BATCHES, base=replace(BASE, **grows))
    assert axes(view(of)) == ("batch_size", MOMENTUM)


def test_updates_until_sound_are_those_from_which_on_the_gap_stays_small() -> None:
    assert until(0.4, 0.2, 0.04, 0.03) == 48
    assert until(0.01, 0.02) == 16
    assert until(0.01, 0.2, 0.05) == 48  # sound before, but it did not stay so
    assert until(0.01, 0.01, 0.06) == math.inf
    assert until(0.06, nan, 0.01) == 48  # an epoch that was not measured says nothing
    assert until(0.01, nan, 0.01) == 16
    assert math.isnan(until(nan, nan))


def test_validation_is_sound_only_where_something_was_learned() -> None:
    fresh = {64: (0.1, 0.19, 0.1), 256: (0.9, 0.9, 0.1), 1024: (0.1, 0.2, 0.9)}
    of = view(
        design(BATCHES),
        lambda cell, epoch: outcome(
            cell, epoch, *[fresh[cell.config.knobs.batch_size][epoch - 1]] * 2
        ),
    )
    until = diagram(of, Choice("batch_size", NO_AXIS, Value.UNTIL_SOUND)).tiles[0]
    assert [tile.median for tile in until] == [math.inf, math.inf, 8]
    for epoch, sound in ((1, [False, True, False]), (2, [False, True, True])):
        gaps = diagram(of, Choice("batch_size", NO_AXIS, epoch=epoch)).tiles[0]
        assert [tile.sound for tile in gaps] == sound
        assert [tile.unlearned for tile in gaps] == [not one for one in sound]
        rows = diagram(of, Choice(MOMENTUM, "batch_size", epoch=epoch)).tiles
        assert [row[0].sound for row in rows] == sound
    large = view(design(BATCHES), lambda cell, epoch: outcome(cell, epoch, 0.19, 0.1))
    gap = diagram(large, Choice("batch_size", NO_AXIS)).tiles[0][0]
    assert (gap.sound, gap.unlearned) == (False, False)  # what was lost was lost


def test_updates_until_sound_are_of_all_epochs_whichever_is_chosen() -> None:
    of = view(design(BATCHES), numbered)
    first, last = (
        diagram(of, Choice("batch_size", MOMENTUM, Value.UNTIL_SOUND, epoch=epoch))
        for epoch in (1, 0)
    )
    assert replace(first, choice=last.choice) == last
    assert first.epoch == 3


def test_a_gap_of_exactly_the_limit_is_sound_though_floats_round() -> None:
    assert SOUND_GAP < 0.55 - 0.5
    of = view(design(BATCHES), lambda cell, epoch: outcome(cell, epoch, 0.55, 0.5))
    assert diagram(of, Choice("batch_size", NO_AXIS, Value.UNTIL_SOUND)).tiles[0][0].median == 63


def test_the_median_of_two_seeds_of_which_one_is_never_sound_is_the_other() -> None:
    of = view(
        design(("batch_size", (256, 512)), seeds=2),
        lambda cell, epoch: outcome(cell, epoch, 0.9, 0.9 if cell.seed else 0.1),
    )
    tile = diagram(of, Choice("batch_size", MOMENTUM, Value.UNTIL_SOUND)).tiles[0][0]
    assert (tile.least, tile.median, tile.greatest) == (16, 16, math.inf)
    assert tile.updates == 48


def test_without_running_statistics_there_is_no_gap_but_an_accuracy() -> None:
    of = view(
        design(("norm", ("batch", "layer")), RATES),
        lambda cell, epoch: outcome(cell, epoch, nan if cell.config.norm == "layer" else 0.9, 0.7),
    )
    gap, running, fresh, sound = (
        diagram(of, Choice("norm", "learning_rate", value)).tiles[0] for value in Value
    )
    assert gap[0].median == pytest.approx(0.2)
    assert math.isnan(gap[1].median)
    assert math.isnan(sound[1].median)
    assert [tile.median for tile in running] == [0.7, 0.7]
    assert [tile.median for tile in fresh] == [0.9, 0.7]
    over_momenta = diagram(of, Choice("norm", MOMENTUM, Value.RUNNING))
    assert all(math.isnan(row[1].median) for row in over_momenta.tiles)


def test_other_axes_are_looked_at_at_one_value() -> None:
    of = view(
        design(BATCHES, RATES),
        lambda cell, epoch: outcome(cell, epoch, 0.9, 0.9 - cell.config.knobs.learning_rate),
    )
    for place, rate in enumerate(RATES[1]):
        drawn = diagram(of, Choice("batch_size", MOMENTUM, at={"learning_rate": place}))
        assert drawn.tiles[0][2].median == pytest.approx(rate)
        assert drawn.held == (("learning rate", f"{rate:g}"),)
        assert len(drawn.tiles[0][2].runs) == 1


def test_without_an_axis_of_momenta_the_runs_own_statistics_count_or_those_chosen() -> None:
    of = view(design(BATCHES, RATES), lambda cell, epoch: outcome(cell, epoch, 0.9, 0.5, own=0.8))
    own = diagram(of, Choice("batch_size", "learning_rate"))
    assert own.tiles[0][0].median == pytest.approx(0.1)
    assert own.held == (("momentum (Keras's)", "the run's own"),)
    assert (own.line, own.line_over) == ((), "")
    chosen = diagram(of, Choice("batch_size", "learning_rate", at={MOMENTUM: PLACE["0.9"]}))
    assert chosen.tiles[0][0].median == pytest.approx(0.4 - 0.003)
    assert chosen.held == (("momentum (Keras's)", "0.9"),)


def test_batch_sizes_of_equally_many_updates_share_a_place() -> None:
    of = view(design(("batch_size", (2000, 2500, 3999, 64)), seeds=2), numbered)
    drawn = diagram(of, Choice(UPDATES, MOMENTUM))
    assert drawn.x.values == ("2", "63")
    assert len(drawn.tiles[0][0].runs) == 6
    assert drawn.tiles[0][0].measured == 6
    assert drawn.tiles[0][0].updates == 6


def test_batch_size_is_looked_at_at_one_value_where_neither_it_nor_updates_are_drawn() -> None:
    of = view(design(BATCHES, RATES), numbered)
    drawn = diagram(of, Choice("learning_rate", MOMENTUM, at={"batch_size": 2}))
    assert drawn.held == (("batch size", "1024"),)
    assert drawn.tiles[0][0].updates == 12
    drawn = diagram(of, Choice("learning_rate", MOMENTUM, at={UPDATES: 0}))
    assert drawn.held == (("updates an epoch", "4"),)
    assert drawn.tiles[0][0].updates == 12


def test_one_axis_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be both"):
        diagram(view(design(BATCHES)), Choice("batch_size", "batch_size"))


def by_hand(updates: float) -> float:
    """Return where on the axis of momenta mᵗ is `START_LEFT`, found by search between two neighbours."""
    momentum = START_LEFT ** (1 / updates)
    for place, (low, high) in enumerate(pairwise(MOMENTA)):
        if low <= momentum <= high:
            share = math.log((1 - momentum) / (1 - low)) / math.log((1 - high) / (1 - low))
            return place + share
    return nan


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_the_line_is_where_2_percent_of_the_start_values_is_left(epoch: int) -> None:
    batches = (2, 16, 64, 256, 1024, 4000)
    of = view(design(("batch_size", batches)))
    drawn = diagram(of, Choice("batch_size", MOMENTUM, epoch=epoch))
    expected = [by_hand(epoch * math.ceil(4000 / batch)) for batch in batches]
    assert drawn.line == pytest.approx(expected, nan_ok=True)
    assert math.isnan(drawn.line[0]) is (
        epoch > 1
    )  # 3,910 updates are the last that an m of .999 is for
    assert all(
        drawn.tiles[place][3].left > START_LEFT for place in range(math.ceil(drawn.line[3]), 10)
    )
    assert all(
        drawn.tiles[place][3].left < START_LEFT for place in range(math.floor(drawn.line[3]))
    )


def test_the_line_of_cells_that_wait_is_that_of_the_updates_they_will_have() -> None:
    of = view(design(BATCHES, seeds=2))
    begun = with_cell(waiting(of.design), 1, epochs=of.cells[1].epochs[:2], train=4000)
    drawn = diagram(begun, Choice("batch_size", MOMENTUM))
    assert drawn.line == pytest.approx(diagram(of, Choice("batch_size", MOMENTUM, epoch=2)).line)
    assert diagram(waiting(of.design), Choice("batch_size", MOMENTUM)).line == pytest.approx(
        (nan, nan, nan), nan_ok=True
    )


def test_ghost_batch_norm_moves_its_statistics_for_each_sub_batch() -> None:
    ghost = replace(BASE, norm="ghost", ghost_batch=32)
    of = view(design(("batch_size", (512, 1024)), base=ghost))
    drawn = diagram(of, Choice("batch_size", MOMENTUM, epoch=1))
    moves = 7 * 16 + math.ceil((4000 - 7 * 512) / 32)
    assert drawn.line[0] == pytest.approx(by_hand(moves))
    assert drawn.tiles[PLACE["0.99"]][0].left == pytest.approx(0.99**moves)
    once = view(design(("batch_size", (512, 1024)), base=replace(ghost, ghost_updates="once")))
    assert diagram(once, Choice("batch_size", MOMENTUM, epoch=1)).line[0] == pytest.approx(
        by_hand(8)
    )


def test_what_is_left_of_the_start_values() -> None:
    of = view(design(("batch_size", (256, 1024)), ("momentum", (0.9, 0.99))))
    drawn = diagram(of, Choice("batch_size", MOMENTUM, epoch=2))
    assert drawn.tiles[PLACE["0.99"]][0].left == pytest.approx(0.99**32)
    assert drawn.tiles[PLACE["0"]][0].left == 0.0
    assert [drawn.tiles[place][0].left for place in range(10, 13)] == [0.0, 0.0, 0.0]
    own = diagram(of, Choice("batch_size", "momentum", epoch=2))
    assert [row[0].left for row in own.tiles] == pytest.approx([0.9**32, 0.99**32])
    cumulative = replace(BASE, knobs=Knobs(estimator="cumulative"))
    drawn = diagram(view(design(BATCHES, base=cumulative)), Choice("batch_size", NO_AXIS))
    assert drawn.tiles[0][0].left == 0.0


def test_the_diagram_of_the_next_view_is_the_same_as_one_made_anew() -> None:
    whole = view(design(BATCHES, RATES, seeds=2), numbered)
    choice = Choice("batch_size", MOMENTUM, epoch=1)
    now = waiting(whole.design)
    for number, cell in enumerate(whole.cells):
        for epochs in (1, 3):
            now = with_cell(now, number, epochs=cell.epochs[:epochs], train=cell.train)
            followed = diagram(now, choice)
            diagram(view(design(RATES)), first_choice(view(design(RATES))))  # another sweep between
            assert repr(diagram(now, choice)) == repr(followed)
    for number, cell in enumerate(whole.cells):
        now = with_cell(now, number, standing=cell.standing)
    assert diagram(now, choice) == diagram(whole, choice)


@given(st.lists(st.one_of(st.just(nan), st.floats(-1, 1)), min_size=1, max_size=7))
def test_any_seeds_have_the_median_of_those_that_are_measured(gaps: list[float]) -> None:
    of = view(
        design(("batch_size", (256, 512)), seeds=len(gaps)),
        lambda cell, epoch: outcome(cell, epoch, 1.0, 1.0 - gaps[cell.seed]),
        epochs=1,
    )
    tile = diagram(of, Choice(NO_AXIS, "batch_size")).tiles[1][0]
    measured = [1.0 - (1.0 - gap) for gap in gaps if not math.isnan(gap)]
    assert tile.measured == len(measured)
    expected = (median(measured), min(measured), max(measured)) if measured else (nan, nan, nan)
    assert tile[:3] == pytest.approx(expected, nan_ok=True)
