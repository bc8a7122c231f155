"""One channel of batch norm against arithmetic by hand, and the story that it tells."""

from dataclasses import replace

import numpy as np
import pytest

from bntui.core.toy import (
    BATCH,
    EPSILON,
    MOMENTA,
    START,
    VALUES,
    Batch,
    Statistics,
    Toy,
    answers,
    channel,
    example,
    next_batch,
    recalibrate,
    share_right,
    step,
)


def after(updates: int, momentum: float, *, pace: float = 1.0, toy: Toy | None = None) -> Toy:
    toy = toy or Toy()
    for _ in range(updates):
        toy = step(toy, momentum, pace=pace)
    return toy


class TestArithmetic:
    def test_a_batch_has_a_mean_and_a_biased_variance(self) -> None:
        batch = Batch((1.0, 3.0, 5.0, 7.0), (False,) * 4)
        assert batch.statistics == Statistics(4.0, 5.0)  # (9 + 1 + 1 + 9) / 4

    def test_running_statistics_keep_momentum_of_the_old(self) -> None:
        once = Statistics(0.5, 2.0).moved(0.75, Statistics(4.5, 6.0))
        assert once == Statistics(0.375 + 1.125, 1.5 + 1.5)

    def test_a_value_is_normalised_with_epsilon(self) -> None:
        assert Statistics(1.0, 4.0 - EPSILON).normalised(5.0) == pytest.approx(2.0)

    def test_an_update_takes_the_next_batch_and_remembers_what_was_before(self) -> None:
        toy = Toy()
        batch = next_batch(toy)
        once = step(toy, 0.9)
        assert once.batch == batch
        assert once.before == START == Statistics(0.0, 1.0)
        assert once.running.mean == pytest.approx(0.1 * np.mean(batch.values))
        assert once.running.variance == pytest.approx(0.9 + 0.1 * np.var(batch.values))
        assert (once.update, once.learned, once.momentum) == (1, 1.0, 0.9)

    def test_a_state_is_left_as_it_is(self) -> None:
        toy = after(3, 0.9)
        copy = replace(toy)
        step(toy, 0.5)
        recalibrate(toy)
        assert toy == copy

    def test_of_the_start_value_the_product_of_all_momenta_is_left(self) -> None:
        toy = after(2, 0.5, toy=after(3, 0.9))
        assert toy.kept == ((0.9, 3), (0.5, 2))
        assert toy.start_left == pytest.approx(0.9**3 * 0.25)
        assert Toy().start_left == 1.0
        # From a start elsewhere, and with the same batches, the running mean is off by that share.
        moved = after(2, 0.5, toy=after(3, 0.9, toy=Toy(running=Statistics(10.0, 1.0))))
        assert moved.running.mean - toy.running.mean == pytest.approx(10 * toy.start_left)

    def test_every_momentum_in_hindsight_is_the_run_with_that_momentum(self) -> None:
        toy = after(25, 0.99)
        for momentum, statistics in zip(MOMENTA, toy.ladder, strict=True):
            assert statistics == after(25, momentum).running


class TestData:
    def test_the_same_seed_draws_the_same_batches_whatever_the_momentum(self) -> None:
        assert after(7, 0.9).batch == after(7, 0.5).batch
        assert after(7, 0.9).batch != after(7, 0.9, toy=Toy(seed=1)).batch

    def test_batches_differ_and_have_eight_values_of_both_classes(self) -> None:
        batches = [next_batch(replace(Toy(), update=update)) for update in range(200)]
        assert len({batch.values for batch in batches}) == 200
        assert all(len(batch.values) == BATCH == len(set(batch.values)) for batch in batches)
        ones = np.mean([batch.ones for batch in batches])
        assert ones == pytest.approx(0.5, abs=0.04)

    def test_fresh_statistics_are_those_of_many_batches_of_now(self) -> None:
        toy = after(50, 0.9)
        values = np.concatenate(
            [next_batch(replace(toy, update=update)).values for update in range(2000)]
        )
        assert values.mean() == pytest.approx(toy.fresh.mean, abs=0.05)
        assert values.var() == pytest.approx(toy.fresh.variance, rel=0.03)

    def test_the_channel_goes_fast_and_then_slowly(self) -> None:
        assert channel(0.0) == (0.0, 1.0)
        mean, deviation = channel(30.0)
        assert mean == pytest.approx(4.0, abs=0.3)
        assert deviation == pytest.approx(2.5, abs=0.1)
        later, wider = channel(1000.0)
        assert mean < later < mean + 1
        assert deviation < wider < deviation + 0.5

    def test_weights_that_stand_still_leave_the_channel_where_it_is(self) -> None:
        toy = after(30, 0.9)
        still = after(60, 0.9, pace=0.0, toy=toy)
        assert still.fresh == toy.fresh
        assert still.update == 90


class TestAccuracy:
    def test_it_is_counted_on_values_above_and_below_the_mean(self) -> None:
        toy = after(10, 0.9)
        everything, nothing = Statistics(-99.0, 1.0), Statistics(99.0, 1.0)
        assert answers(toy, everything).all()
        assert not answers(toy, nothing).any()
        # Half of the values are of a 1.
        assert share_right(toy, everything) == share_right(toy, nothing) == 0.5

    def test_the_deviation_changes_no_answer_and_the_mean_does(self) -> None:
        toy = after(10, 0.9)
        mean, deviation = channel(toy.learned)
        right = share_right(toy, Statistics(mean, deviation**2))
        assert right == share_right(toy, Statistics(mean, 1.0)) > 0.97
        assert share_right(toy, Statistics(mean + deviation, 1.0)) < 0.75
        assert share_right(toy, toy.fresh) * VALUES == round(share_right(toy, toy.fresh) * VALUES)

    def test_the_example_is_of_a_0_and_normalised_the_same_for_ever(self) -> None:
        for toy in (Toy(), after(40, 0.99)):
            assert toy.fresh.normalised(example(toy)) == pytest.approx(-0.9, abs=1e-3)


class TestStory:
    """What the captions say happens, for several seeds."""

    @pytest.fixture(params=range(5))
    def start(self, request: pytest.FixtureRequest) -> Toy:
        return Toy(seed=request.param)

    def test_a_high_momentum_fails_while_fresh_statistics_do_not(self, start: Toy) -> None:
        toy = after(25, 0.99, toy=start)
        assert share_right(toy, toy.running) < 0.66
        assert answers(toy, toy.running).mean() > 0.84
        assert share_right(toy, toy.fresh) > 0.96

    def test_a_lower_one_heals_it_within_forty_batches(self, start: Toy) -> None:
        toy = after(40, 0.9, toy=after(25, 0.99, toy=start))
        assert share_right(toy, toy.running) > share_right(toy, toy.fresh) - 0.03

    def test_so_do_many_batches_without_any_change(self, start: Toy) -> None:
        toy = after(300, 0.99, toy=start)
        assert toy.start_left < 0.05
        assert share_right(toy, toy.running) > share_right(toy, toy.fresh) - 0.02

    def test_momentum_0_jumps_with_every_batch(self, start: Toy) -> None:
        accuracies: dict[float, list[float]] = {0.0: [], 0.9: []}
        for momentum, seen in accuracies.items():
            toy = after(60, momentum, toy=start)
            for _ in range(100):
                toy = step(toy, momentum)
                seen.append(share_right(toy, toy.running))
        assert np.std(accuracies[0.0]) > 4 * np.std(accuracies[0.9])
        assert min(accuracies[0.0]) < 0.85 < 0.93 < min(accuracies[0.9])

    def test_a_recalibration_heals_it_at_once(self, start: Toy) -> None:
        toy = recalibrate(after(25, 0.99, toy=start))
        assert toy.running == toy.fresh
        assert toy.start_left == 0.0
        assert after(5, 0.99, toy=toy).start_left == 0.0

    def test_weights_that_stand_still_let_it_come_closer(self, start: Toy) -> None:
        toy = after(25, 0.98, toy=start)
        gap = abs(toy.running.mean - toy.fresh.mean)
        still = after(100, 0.98, pace=0.0, toy=toy)
        assert abs(still.running.mean - still.fresh.mean) < 0.25 * gap
