"""Exchanges and forecasts on a network that is a formula: what harms, and until when, is known."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from bntui.measure.counterfactuals import (
    PRECISION,
    Statistics,
    Turn,
    doublings,
    exchange_layers,
    search,
    wait,
    wait_by_layer,
)
from bntui.measure.evaluation import Outcome

MOMENTUM = 0.99
CHANNELS = (2, 3)
FRESH = torch.stack([torch.zeros(5), torch.ones(5)])
RUNNING = FRESH + torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0])
"""Only the first of two layers is off, by 1 in every mean and variance."""
STATISTICS = Statistics(RUNNING, FRESH, ("a", "b"), CHANNELS)


def left(updates: float) -> float:
    return float(MOMENTUM**updates)


def evaluate(rows: Sequence[Tensor]) -> list[Outcome]:
    """Return a loss of 0.2 and ten times the mean distance from fresh statistics, on 100 images."""
    distances = [float((row - FRESH).abs().mean()) for row in rows]
    return [
        Outcome(
            torch.full((100,), 0.2 + 10.0 * distance, dtype=torch.float64),
            torch.ones(100, dtype=torch.bool),
            (100, 0),
        )
        for distance in distances
    ]


def test_one_layer_at_a_time() -> None:
    found = exchange_layers(STATISTICS, (0, 1), evaluate, 7)
    first, second = found.layers
    assert (first.name, second.name, found.update, found.images) == ("a", "b", 7, 100)
    assert first.alone.loss == pytest.approx(4.0)  # 2 of 5 channels are off by 1
    assert first.rescued.loss == pytest.approx(-4.0)
    assert second.alone.loss == second.rescued.loss == 0.0


def test_waiting_is_over_where_the_loss_does_not_matter_any_more() -> None:
    truth = math.log(0.1 / 4.0) / math.log(MOMENTUM)  # 4·0.99ⁿ = 0.1
    found = wait(STATISTICS, left, evaluate, 7, MOMENTUM)
    assert truth <= found.sound_in <= PRECISION * truth + 1.0
    assert [updates for updates, _, _ in found.curve] == doublings(left)
    assert found.curve[0][2] == pytest.approx(0.2 + 4.0 * 0.99)
    by_layer = wait_by_layer(STATISTICS, (0, 1), left, evaluate, 7)
    assert by_layer.layers[1] == ("b", 0.0)
    assert truth <= by_layer.layers[0][1] <= PRECISION * truth + 1.0


def test_a_forecast_is_reckoned_for_another_momentum_from_what_was_measured() -> None:
    """It is the share of the old statistics that does harm, however soon it is reached."""

    def at_09(updates: float) -> float:
        return float(MOMENTUM**20 * 0.9**updates)

    before = wait(STATISTICS, left, evaluate, 7, MOMENTUM)
    turn = Turn(27, MOMENTUM, 0.9, 0.9)
    again, measured = turn.of(before), wait(STATISTICS, at_09, evaluate, 27, 0.9)
    assert again.sound_in == pytest.approx(measured.sound_in, abs=2.0)
    assert (again.update, again.momentum, again.images) == (27, 0.9, before.images)
    for updates, _, loss in again.curve:
        (outcome,) = evaluate([STATISTICS.waited(at_09(updates))])
        assert loss == pytest.approx(outcome.score.loss, rel=1e-5)
    by_layer = turn.of_layers(wait_by_layer(STATISTICS, (0, 1), left, evaluate, 7))
    ahead = dict(by_layer.layers)
    assert by_layer.update == 27
    assert ahead["a"] == pytest.approx(again.sound_in, abs=2.0)
    assert ahead["b"] == 0.0


def test_a_forecast_for_momentum_0_is_the_next_update() -> None:
    before = wait(STATISTICS, left, evaluate, 7, MOMENTUM)
    at_once = Turn(7, MOMENTUM, 0.0, 0.0).of(before)
    assert at_once.sound_in == 1.0
    assert at_once.curve == ((1.0, *before.curve[-1][1:]),)


def test_what_waiting_does_not_heal_heals_at_no_momentum() -> None:
    never = replace(wait(STATISTICS, left, evaluate, 7, MOMENTUM), sound_in=math.inf)
    assert Turn(7, MOMENTUM, 0.5, 0.5).of(never).sound_in == math.inf


def test_what_waiting_does_not_heal_is_infinitely_far() -> None:
    def never(rows: Sequence[Tensor]) -> list[Outcome]:
        """Return a loss for every row that is not quite fresh."""
        return [
            Outcome(
                torch.full((100,), 0.2 + float(not torch.equal(row, FRESH)), dtype=torch.float64),
                torch.ones(100, dtype=torch.bool),
                (100, 0),
            )
            for row in rows
        ]

    assert wait(STATISTICS, left, never, 7, MOMENTUM).sound_in == math.inf
    assert wait_by_layer(STATISTICS, (0,), left, never, 7).layers == (("a", math.inf),)


def test_several_searches_at_once_find_each_its_own_end() -> None:
    ends = [1.0, 2.0, 17.0, 500.0, 1024.0]
    found = search(
        [0.0] * 5,
        [1024.0] * 5,
        lambda tried: [n < end for n, end in zip(tried, ends, strict=True)],
    )
    for end, said in zip(ends, found, strict=True):
        assert end <= said <= max(end + 1.0, PRECISION * end)


def test_doublings_end_where_next_to_nothing_is_left() -> None:
    assert doublings(lambda _: 0.0) == [1.0]
    grid = doublings(left)
    assert grid == [2.0**n for n in range(11)]
    assert left(grid[-1]) < 0.003 < left(grid[-2])
    assert doublings(lambda _: 1.0)[-1] == 2.0**17
