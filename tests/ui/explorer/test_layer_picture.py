"""What is said below the channels of a layer: its outlook and its history."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Exchange, Exchanges, LayersWaiting, Score
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.layer_picture import history, outlook
from tests.ui import scripted
from tests.ui.drawing.channel_rows import text
from tests.ui.scripted import NAN, difference, layers, mid_run


class TestOutlook:
    @pytest.mark.parametrize(
        ("alone", "ahead", "words"),
        [
            (difference(-0.8, 2.75), 265.0, ": sound in about 265 updates, if weights stood still"),
            (difference(-0.8, 2.75), math.inf, ": waiting alone would not heal it"),
            (difference(0.0), 40.0, ": no harm"),
        ],
    )
    def test_says_what_the_layer_does_alone_and_when_it_is_sound(
        self, alone: Difference, ahead: float, words: str
    ) -> None:
        layer = layers()[0]
        score = Score(1.0, 0.5, (1,))
        exchange = Exchange(layer.name, alone, difference(0.0))
        snapshot = Snapshot(
            exchanges=Exchanges(0, 200, score, score, alone, (exchange,)),
            layers_waiting=LayersWaiting(0, 200, ((layer.name, ahead),)),
        )
        told = (
            f"alone {alone.accuracy:+.3f} accuracy, {alone.loss:+.2f} loss (200 images, update 0)"
        )
        assert outlook(layer, snapshot) == told + words

    def test_says_what_is_not_measured_and_what_is_not_finite(self) -> None:
        layer = layers()[0]
        unknown = "what it alone does to validation is not measured yet"
        assert outlook(layer, Snapshot()) == unknown
        broken = replace(layer, non_finite=8)
        assert outlook(broken, Snapshot()) == "not finite: statistics that are NaN stay NaN"


class TestHistory:
    def test_two_charts_with_their_titles(self) -> None:
        series = {
            "gap:conv1_bn": scripted.history([0.0, 0.5, 1.0], every=10),
            "drift:conv1_bn": scripted.history([1.0, NAN, 0.0], every=10),
        }
        shot = mid_run(RunConfig(), update=30, images=30 * 256, epochs=2, series=series)
        assert text(history(shot, "conv1_bn", 30, 8)) == [
            "─ mean gap, σ ────────────────",
            "   1 ┤              ⢀⣀⣀⠤⠤⠒⠒⠉⠁",
            "   0 ┤       ⢀⡠⠤⠔⠒⠒⠉⠁",
            "─ variances, |ln ratio| ──────",
            "   1 ┤       ⠈",
            "     │",
            "   0 ┤              ×       ⡀",
            "      0       updates       32",
        ]
        assert text(history(shot, "conv1_bn", 30, 5))[0] == "─ variances, |ln ratio| ──────"

    def test_before_any_history(self) -> None:
        shot = mid_run(RunConfig(), series={})
        assert text(history(shot, "conv1_bn", 30, 8))[0].startswith("─ mean gap, σ ──")
