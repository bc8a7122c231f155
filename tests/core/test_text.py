"""Numbers and words as they are written."""

import math

import pytest

from bntui.core.text import exact


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.99, "0.99"),
        (0.9999999, "0.9999999"),
        (math.nextafter(1.0, 0.0), "0.9999999999999999"),
        (1e-7, "1e-07"),
        (0.0, "0"),
        (256.0, "256"),
        (math.inf, "inf"),
    ],
)
def test_a_number_is_short_and_can_be_read_back(value: float, written: str) -> None:
    assert exact(value) == written
    assert float(written) == value
