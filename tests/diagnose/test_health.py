"""A layer's health comes from what exchanging its statistics did, never from local drift."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Exchange, Exchanges, LayersWaiting, Score
from bntui.diagnose.health import Health, exchanged, forecasts, health
from bntui.diagnose.significance import harms, helps, share, undecided
from tests.ui.scripted import difference, layers, mid_run

NOTHING = difference(0.0)


@pytest.mark.parametrize(
    ("alone", "rescued", "wanted"),
    [
        (difference(-0.4, 1.0), NOTHING, Health.HARMS),
        (difference(0.0, 0.5), NOTHING, Health.HARMS),
        (NOTHING, difference(0.3, -0.9), Health.JOINT),
        (NOTHING, NOTHING, Health.SOUND),
        (Difference(-0.1, 0.1, 0.1, 0.2, 20, 0.1), NOTHING, Health.UNDECIDED),
    ],
)
def test_what_was_measured_decides(alone: Difference, rescued: Difference, wanted: Health) -> None:
    layer = replace(layers()[0], log_var_ratio=3.0, log_var_off=3.0)
    assert health(layer, Exchange(layer.name, alone, rescued)) is wanted
    assert health(replace(layer, non_finite=1), Exchange(layer.name, alone, rescued)) is (
        Health.NON_FINITE
    )


def test_drift_alone_accuses_nobody() -> None:
    assert health(replace(layers()[0], log_var_off=9.0), None) is Health.UNKNOWN


def test_a_difference_must_be_no_chance_and_must_matter() -> None:
    assert harms(Difference(-0.06, 0.01, 0.0, 0.01, 1000, 1.0))
    assert not harms(Difference(-0.04, 0.01, 0.0, 0.01, 1000, 1.0))  # it does not matter
    assert not harms(Difference(-0.2, 0.12, 0.5, 0.4, 20, 1.0))  # it may be chance
    assert harms(Difference(0.0, 0.01, 0.3, 0.05, 1000, 1.0))  # loss counts beside accuracy
    assert not harms(Difference(0.0, 0.01, 0.3, 0.05, 1000, 6.0))  # not a quarter of the loss
    assert helps(Difference(0.06, 0.01, 0.0, 0.01, 1000, 1.0))
    assert not harms(Difference(math.nan, math.inf, math.nan, math.inf, 0, math.nan))


def test_four_of_twenty_images_are_no_proof_and_seven_are() -> None:
    """By the exact binomial test four of four have a chance of .125, seven of seven of .016."""
    for discordant, proof in ((4, False), (7, True)):
        error = math.sqrt(discordant) / 20
        assert harms(Difference(-discordant / 20, error, 0.0, 9.0, 20, 1.0)) is proof


def test_few_images_are_undecided_unless_they_rule_a_harm_out() -> None:
    assert undecided(Difference(-0.1, 0.1, 0.1, 0.2, 20, 0.5))
    assert not undecided(Difference(0.0, 0.05, 0.01, 0.01, 20, 0.5))  # the loss rules it out
    assert not undecided(Difference(0.0, 0.001, 0.0, 9.0, 1000, 0.5))  # accuracy does
    assert not undecided(Difference(-0.8, 0.2, 2.0, 0.2, 20, 0.5))  # a harm is decided


@pytest.mark.parametrize(
    ("images", "t"), [(2, 12.706), (3, 4.303), (4, 3.182), (6, 2.571), (20, 2.093), (1000, 1.962)]
)
def test_of_few_images_loss_has_to_exceed_students_t(images: int, t: float) -> None:
    """Tabulated quantiles of 97.5 %, by degrees of freedom."""
    assert harms(Difference(0.0, 1.0, 1.06 * t * 0.5, 0.5, images))
    assert not harms(Difference(0.0, 1.0, 0.97 * t * 0.5, 0.5, images))


def test_shares_can_lie_below_0_and_above_1() -> None:
    none, whole = Score(2.0, 0.2, ()), Score(1.0, 0.6, ())
    for accuracy, wanted in ((0.4, 0.5), (0.1, -0.25), (0.7, 1.25)):
        assert share(Score(0.0, accuracy, ()), none, whole, by_loss=False) == pytest.approx(wanted)
    assert share(Score(1.75, 0.0, ()), none, whole, by_loss=True) == pytest.approx(0.25)
    assert math.isnan(share(none, none, none, by_loss=False))


def test_a_forecast_is_now_where_the_latest_exchange_shows_no_harm() -> None:
    score = Score(1.0, 0.5, (1,))
    bad, good = difference(-0.5, 2.0), difference(0.0)
    found = (Exchange("a", bad, NOTHING), Exchange("b", good, NOTHING))
    snapshot = replace(
        mid_run(RunConfig()),
        exchanges=Exchanges(97, 200, score, score, bad, found),
        layers_waiting=LayersWaiting(96, 200, (("a", 40.0), ("b", 3.0))),
    )
    assert forecasts(snapshot) == {"a": 40.0, "b": 0.0}
    older = replace(snapshot, layers_waiting=LayersWaiting(90, 200, (("a", 0.0), ("b", 3.0))))
    assert forecasts(older) == {"b": 0.0}  # of "a" the exchange shows harm
    assert list(exchanged(snapshot)) == ["a", "b"]
    assert forecasts(mid_run(RunConfig())) == {}
