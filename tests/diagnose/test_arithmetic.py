"""The arithmetic of a channel: whoever calculates it as it is written finds what is written."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Channels, ChannelValues
from bntui.core.snapshot import Snapshot
from bntui.diagnose.arithmetic import (
    Move,
    Normalising,
    in_numbers,
    normalising,
    output_in_numbers,
    plain,
    start_in_numbers,
    update_of_mean,
    update_of_variance,
)
from tests.ui.scripted import layers, mid_run, validation

RANDOM = np.random.default_rng(4)


def moved(kept: float, before: float, batch: float) -> Move:
    return Move(kept, before, batch, kept * before + (1 - kept) * batch)


def values(channels: int = 8, *, kept: float = 0.99) -> ChannelValues:
    """Return channels of which the first moved from 0.31 to 0.3243, and its variance from 1 to 0.9904."""
    before, batch, fresh = (np.ones((2, channels), dtype=np.float32) for _ in range(3))
    before[:, 0], batch[:, 0], fresh[:, 0] = (0.31, 1.0), (1.74, 0.04), (1.7, 0.05)
    running = (kept * before + (1 - kept) * batch).astype(np.float32)
    one = np.ones(channels, dtype=np.float32)
    return ChannelValues(running, fresh, before, batch, kept, one, 0 * one, 1e-3)


def run(found: ChannelValues | None) -> Snapshot:
    first, *others = layers()
    rows = np.zeros((6, first.channels), dtype=np.float32)
    known = replace(first, detail=replace(Channels(*rows), values=found))
    return mid_run(RunConfig(), validation=replace(validation(), layers=(known, *others)))


class TestUpdate:
    def test_of_a_layer_s_channel_with_the_live_numbers(self) -> None:
        snapshot = run(values())
        assert update_of_mean(snapshot, "conv1_bn", 0) == "r ← 0.99·0.310 + 0.01·1.740 = 0.324"
        assert update_of_variance(snapshot, "conv1_bn", 0) == (
            "v ← 0.99·1.0000 + 0.01·0.0400 = 0.9904"
        )

    @pytest.mark.parametrize(
        ("layer", "channel", "found"),
        [
            ("conv1_bn", 8, values()),
            ("conv1_bn", -1, values()),
            ("conv2_bn", 0, values()),
            ("nothing", 0, values()),
            ("conv1_bn", 0, None),
            ("conv1_bn", 0, values(kept=math.nan)),
        ],
    )
    def test_what_was_not_measured_says_nothing(
        self, layer: str, channel: int, found: ChannelValues | None
    ) -> None:
        assert update_of_mean(run(found), layer, channel) == ""
        assert update_of_mean(Snapshot(), layer, channel) == ""

    @pytest.mark.parametrize(
        ("move", "said"),
        [
            (moved(0.9, -12.3456, 3.2), "r ← 0.9·(−12.35) + 0.1·3.20 = −10.79"),
            (moved(0.0, 1.0, 2.0), "r ← 0·1.00 + 1·2.00 = 2.00"),
            (moved(0.5, 1e6, 2e6), "r ← 0.5·1000000.00 + 0.5·2000000.00 = 1500000.00"),
            (moved(0.99, 0.0, 0.0), "r ← 0.99·0.00 + 0.01·0.00 = 0.00"),
            (moved(0.99, math.inf, 0.0), ""),
            (moved(0.99, 0.1, math.nan), ""),
        ],
    )
    def test_numbers_of_any_size(self, move: Move, said: str) -> None:
        assert in_numbers("r", move) == said

    @pytest.mark.parametrize("kept", [0.0, 0.5, 0.9, 0.99, 0.999, 1 - 1 / 97])
    def test_it_can_be_calculated_again(self, kept: float) -> None:
        for before, batch in RANDOM.normal(0, 3, (200, 2)):
            text = in_numbers("r", moved(kept, before, batch)).replace("−", "-")
            a, b, c, d, result = map(float, re.findall(r"-?[\d.]+", text))
            decimals = len(text.rpartition(".")[2])
            assert f"{a * b + c * d:.{decimals}f}" == f"{result:.{decimals}f}", text
            assert a + c == pytest.approx(1.0)


class TestOutput:
    FOUND = Normalising((0.3243, 0.9904), (1.7, 0.05), 1.02, 0.03, 1e-3)

    def test_under_running_and_under_fresh_statistics(self) -> None:
        assert output_in_numbers(self.FOUND, 1.7, fresh=False) == (
            "1.02·(1.7 − 0.324)/√(0.99 + 0.001) + 0.03 = 1.44"
        )
        assert output_in_numbers(self.FOUND, 1.7, fresh=True) == (
            "1.02·(1.7 − 1.7)/√(0.05 + 0.001) + 0.03 = 0.03"
        )

    def test_signs(self) -> None:
        found = Normalising((-1.0, 0.99), (-1.5, 0.2), -2.0, -0.5, 0.01)
        assert output_in_numbers(found, -3.0, fresh=False) == (
            "(−2)·(−3 + 1)/√(0.99 + 0.01) − 0.5 = 3.50"
        )
        plain_one = replace(found, scale=1.0, shift=0.0)
        assert output_in_numbers(plain_one, -1.5, fresh=True) == (
            "1·(−1.5 + 1.5)/√(0.2 + 0.01) = 0.00"
        )

    def test_it_is_what_batch_norm_puts_out(self) -> None:
        for mean, variance, x, scale, shift in RANDOM.normal(0, 2, (100, 5)):
            found = Normalising((mean, variance**2), (0.0, 1.0), scale, shift, 1e-3)
            expected = (x - mean) / math.sqrt(variance**2 + 1e-3) * scale + shift
            text = output_in_numbers(found, x, fresh=False).replace("−", "-")
            assert text.rpartition(" = ")[2] == f"{expected:.2f}".replace("-0.00", "0.00")
            formula, _, result = text.replace("·", "*").replace("√", "math.sqrt").rpartition("=")
            again = eval(formula, {"math": math})
            assert f"{again:.2f}".replace("-0.00", "0.00") == result.strip(), text

    def test_without_a_finite_number_there_is_none(self) -> None:
        assert output_in_numbers(replace(self.FOUND, running=(math.nan, 1.0)), 1, fresh=False) == ""
        broken = replace(self.FOUND, running=(0.0, -1.0))
        assert output_in_numbers(broken, 1, fresh=False) == ""


def test_a_channel_is_normalised_with_its_own_numbers() -> None:
    found = normalising(values(), 0)
    assert list(found.fresh) == pytest.approx([1.7, 0.05])
    assert list(found.running) == pytest.approx([0.3243, 0.9904])
    assert (found.scale, found.shift, found.epsilon) == (1.0, 0.0, 1e-3)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.32431, "0.324"), (17.0, "17"), (1234.5, "1234"), (0.00012345, "0.000123"), (0.0, "0")],
)
def test_numbers_have_no_exponents(value: float, written: str) -> None:
    assert plain(value) == written


def test_the_start_s_share_is_a_power_where_it_is_one() -> None:
    layer = run(values()).validation
    assert layer
    first = layer.layers[0]
    assert start_in_numbers(replace(first, start_left=0.99**97), 97) == "0.99^97 = 38 %"
    assert start_in_numbers(replace(first, start_left=0.3), 97) == "30 %"
