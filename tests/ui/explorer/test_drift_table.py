"""The drift table: marks and order come from exchanged statistics, and no figure is ever cut."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Exchange, Exchanges, LayersWaiting, Score
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.drift import DRIFT_COLUMNS, drift_rows
from tests.ui.scripted import LAYERS, difference, layers, mid_run

NOTHING = difference(0.0)
ALONE = {
    "conv1_bn": NOTHING,
    "conv2_bn": difference(-0.1, 0.4),
    "conv3_bn": difference(0.01, 0.5),
    "flatten_bn": difference(-0.8, 2.75),
    "dense1_bn": Difference(-0.1, 0.1, 0.1, 0.2, 20, 0.1),
}


def measured() -> Snapshot:
    """Return a run whose layers were exchanged."""
    score = Score(1.0, 0.5, (1,))
    found = tuple(Exchange(name, alone, NOTHING) for name, alone in ALONE.items())
    ahead = (("flatten_bn", 265.0), ("conv2_bn", math.inf), ("conv3_bn", 9.0))
    return replace(
        mid_run(RunConfig()),
        exchanges=Exchanges(97, 200, score, score, NOTHING, found),
        layers_waiting=LayersWaiting(97, 200, ahead),
    )


def drawn(snapshot: Snapshot, width: int) -> list[str]:
    return ["".join(text for text, _ in row) for row in drift_rows(snapshot, width)]


def test_the_most_harmful_come_first_with_what_they_cost() -> None:
    rows = [row.split()[:5] for row in drawn(measured(), 85)[1:]]
    assert rows == [
        ["flatten_bn", "×", "harms", "-0.80", "265"],
        ["conv3_bn", "×", "harms", "+0.50L", "9"],
        ["conv2_bn", "×", "harms", "-0.10", "never"],
        ["conv1_bn", "√", "+0.00", "now", "×4.9"],
        ["dense1_bn", "?", "unsure", "-0.10", "–"],
    ]


def test_drift_without_a_measurement_accuses_nobody() -> None:
    rows = drawn(mid_run(RunConfig()), 85)
    assert [row.split()[0] for row in rows[1:]] == list(LAYERS)
    assert all(row.split()[1:4] == ["–", "–", "–"] for row in rows[1:])


@pytest.mark.parametrize("width", range(20, 90, 7))
def test_columns_without_room_go_whole(width: int) -> None:
    header, *rows = drawn(measured(), width)
    titles = [title for title in DRIFT_COLUMNS if title and title in header]
    assert titles == [title for title in DRIFT_COLUMNS if title][: len(titles)]
    assert all(len(row) == len(header) <= width for row in rows)
    for title, cut in (("ch", "784"), ("worst", "1.9 σ"), ("variance", "×4.9")):
        assert (title in header.split()) is all(cut in row for row in rows[:1])


def test_variances_whose_channels_cancel_out_are_off_both_ways() -> None:
    snapshot = mid_run(RunConfig())
    assert snapshot.validation
    both = layers(log_var_ratio=-0.004, log_var_off=0.45)
    snapshot = replace(snapshot, validation=replace(snapshot.validation, layers=both))
    assert "×÷1.57" in drawn(snapshot, 85)[1]
