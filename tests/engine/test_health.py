"""A layer's health, and how long it takes to mend."""

import math
from dataclasses import replace

from bntui.engine.health import Health, forecast, health
from tests.ui.scripted import layers


def test_forecast_by_the_formula_and_against_the_recursion() -> None:
    layer = layers()[0]
    # The example of the statistics' notes: from 1 to 0.03 within e^0.35 at 0.99.
    example = replace(layer, log_var_ratio=math.log(1 / 0.03))
    assert round(forecast(example, 0.99)) == 432
    for ratio in (20.0, 1.5, 0.6, 0.01):
        value, updates = ratio, 0
        while abs(math.log(value)) > 0.35:
            value = 0.97 * value + 0.03
            updates += 1
        assert math.ceil(forecast(replace(layer, log_var_ratio=math.log(ratio)), 0.97)) == updates
    assert forecast(replace(layer, log_var_ratio=0.1), 0.99) == 0
    assert forecast(replace(layer, log_var_ratio=2.0), 0.0) == 1
    assert math.isnan(forecast(replace(layer, log_var_ratio=math.nan), 0.99))


def test_the_health_of_a_layer_has_two_thresholds() -> None:
    layer = layers()[0]
    expected = {
        0.3: Health.SOUND,
        -0.36: Health.DRIFTING,
        0.79: Health.DRIFTING,
        -0.8: Health.STALE,
    }
    for ratio, wanted in expected.items():
        assert health(replace(layer, log_var_ratio=ratio, non_finite=0)) is wanted
    assert health(replace(layer, non_finite=1)) is Health.NON_FINITE
