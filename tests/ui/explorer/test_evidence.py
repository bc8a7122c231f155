"""What a verdict rests on, at every width: tables whose rows fit, and epochs in what room is left."""

from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Exchange, Exchanges, LayersWaiting, Score, Waiting
from bntui.core.snapshot import EpochReport, Snapshot
from bntui.ui.explorer.evidence import TABLE, epochs, sections, why
from bntui.ui.explorer.evidence_panel import EvidencePanel
from tests.ui.scripted import LAYERS, difference, mid_run

SCORE = Score(0.2, 0.954, (1,))
NARROWEST = 44


def report(epoch: int, twin: str = "") -> EpochReport:
    return EpochReport(
        epoch, 16 * epoch, 2.0, 500.0, 0.3, 0.9, 2.5, 0.1 * epoch, 0.2, 0.95, twin=twin
    )


def measured(**changes: object) -> Snapshot:
    found = tuple(
        Exchange(name, difference(-0.84, 5.24), difference(0.57, -1.25)) for name in LAYERS
    )
    values: dict[str, object] = {
        "exchanges": Exchanges(97, 200, SCORE, SCORE, difference(-0.8, 2.0), found),
        "layers_waiting": LayersWaiting(97, 200, (("conv1_bn", 387.0), ("conv2_bn", float("inf")))),
        "waiting": Waiting(97, 200, SCORE, ((1, 0.1, 2.0), (512, 0.95, 0.2)), 300.0, 0.99),
        "reports": tuple(map(report, range(1, 8))),
    }
    return replace(mid_run(RunConfig()), **(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [NARROWEST, 56, 74, TABLE - 1, TABLE, 120])
def test_the_rows_of_tables_have_no_more_cells_than_there_are(width: int) -> None:
    rows = [line for part in sections(measured(), width) for line in part if line[0] == " "]
    assert len(rows) > len(LAYERS)
    assert max(map(len, rows)) <= width


def test_a_layer_has_a_row_where_there_is_room_and_else_three() -> None:
    wide, narrow = why(measured(), TABLE), why(measured(), TABLE - 1)
    assert "  conv1_bn   harms      -0.840 ±0.010 +5.24      +0.570 ±0.010 -1.25      387\n" in wide
    assert "not by waiting" in wide
    assert (
        "  conv1_bn: harms, sound in: 387\n"
        "    it running    -0.840 ±0.010 +5.24\n"
        "    it fresh      +0.570 ±0.010 -1.25\n"
    ) in narrow


def test_epochs_are_told_as_keras_does_without_those_of_the_twin() -> None:
    told = epochs(measured(reports=(report(1), report(1, "momentum"), report(2))))
    assert told == [
        "Accuracy epoch by epoch:",
        "  epoch  training  validation",
        "      1     0.900       0.100",
        "      2     0.900       0.200",
    ]
    assert epochs(measured(reports=())) == []


def drawn(snapshot: Snapshot, height: int) -> list[str]:
    panel = EvidencePanel()
    panel._snapshot = snapshot
    return ["".join(text for text, _ in row) for row in panel.draw(46, height)]


def test_the_panel_shows_the_latest_epochs_in_the_room_that_is_left() -> None:
    healthy = mid_run(RunConfig(), reports=tuple(map(report, range(1, 8))))
    few = len(drawn(replace(healthy, reports=()), 40))
    lines = drawn(healthy, few + 6)
    assert lines[few:] == [
        "",
        " Accuracy epoch by epoch:",
        "   epoch  training  validation",
        "       5     0.900       0.500",
        "       6     0.900       0.600",
        "       7     0.900       0.700",
    ]
    assert len(drawn(healthy, few + 4)) == few
    assert all(len(drawn(healthy, height)) <= height for height in range(1, 60))
