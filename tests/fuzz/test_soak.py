"""The judge of the soak: it sees what grows."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fuzz.soak import Sample, judge

STEADY = [Sample(30.0 * n, 100 * n, 300.0, 20, 9, 450 * n, 2.0 * n) for n in range(1, 121)]


def failed(samples: list[Sample]) -> list[str]:
    return [name for name, _, _, holds in judge(samples) if not holds]


def test_what_stays_as_it_is_passes() -> None:
    assert failed(STEADY) == []


@pytest.mark.parametrize(
    ("name", "grown"),
    [("memory", 320.0), ("files", 21), ("threads", 10)],
)
def test_what_grows_after_ten_minutes_fails(name: str, grown: float) -> None:
    changes: dict[str, Any] = {name: grown}
    late = [replace(one, **changes) for one in STEADY[60:]]
    assert failed([*STEADY[:60], *late]) == [name]


def test_a_screen_update_that_comes_to_cost_more_fails() -> None:
    late = [replace(one, drawing=one.drawing + 0.5 * n) for n, one in enumerate(STEADY[60:])]
    assert failed([*STEADY[:60], *late]) == ["drawing, ms a screen update"]
