"""Numbers and words as they are written."""

import math

import pytest

from bntui.core.text import exact, fixed, percent, plain


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


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.0, "0 %"), (4.8e-8, "under 1 %"), (0.006, "1 %"), (0.974, "97 %"), (1.0, "100 %")],
)
def test_a_share_is_a_whole_percentage(share: float, written: str) -> None:
    assert percent(share) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (4.8e-8, "0.00"),
        (0.0912, "0.09"),
        (2.85, "2.85"),
        (1234.5, "1,234"),
        (3e9, "over 1,000,000"),
        (-3e9, "under -1,000,000"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_a_loss_in_a_sentence_has_no_exponent(value: float, written: str) -> None:
    assert plain(value) == written


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert [fixed(value, 3) for value in (-0.0004, -0.0, 0.0004, -0.0006, 0.5)] == [
        *("0.000", "0.000", "0.000", "-0.001", "0.500")
    ]
