"""What the toy says: the verdict, and the arithmetic with its figures."""

import re
from dataclasses import replace

import pytest

from bntui.core.toy import Statistics, Toy, recalibrate, share_right, step
from bntui.diagnose.headline import Tone
from bntui.ui.toy.words import arithmetic, number, share, sound, verdict
from tests.ui.toy.test_bells import TOY, text

NARROWEST = 57
"""Cells of a sentence on 60 columns."""


def after(updates: int, momentum: float, toy: Toy | None = None) -> Toy:
    toy = toy or Toy()
    for _ in range(updates):
        toy = step(toy, momentum)
    return toy


class TestArithmetic:
    def test_with_room(self) -> None:
        assert text(arithmetic(TOY, 0.75, 60, 9)) == [
            " running mean     ← 0.75 · −1.000 + 0.25 · 3.650 = 0.500",
            " running variance ← 0.75 · 1.200 + 0.25 · 6.518 = 1.500",
            " start value left = 0.75^8 = 10 %",
            "",
            " a validation value, of a 0: x = 0.57",
            " running (0.57 − 0.50) ÷ 1.23 =  0.06 above 0: a 1 ×",
            " fresh   (0.57 − 2.22) ÷ 1.83 = −0.90 below 0: a 0 √",
            "",
            " right: running 74 %, fresh 98 %",
        ]

    def test_in_little_room_and_in_ascii(self) -> None:
        assert text(arithmetic(TOY, 0.75, 50, 7, plain=True)) == [
            " mean     = 0.75*−1.000 + 0.25*3.650 = 0.500",
            " variance = 0.75*1.200 + 0.25*6.518 = 1.500",
            " start left = 0.75^8 = 10 %",
            " a validation value, of a 0: x = 0.57",
            " running (0.57 − 0.50) ÷ 1.23 =  0.06 a 1 ×",
            " fresh   (0.57 − 2.22) ÷ 1.83 = −0.90 a 0 √",
            " right: running 74 %, fresh 98 %",
        ]

    def test_in_least_room_the_update_itself_is_there(self) -> None:
        assert text(arithmetic(TOY, 0.75, 60, 2)) == [
            " running mean     ← 0.75 · −1.000 + 0.25 · 3.650 = 0.500",
            " running variance ← 0.75 · 1.200 + 0.25 · 6.518 = 1.500",
        ]

    def test_before_the_first_batch_it_says_what_will_be_done(self) -> None:
        assert text(arithmetic(Toy(), 0.9, 60, 3)) == [
            " running mean     ← 0.9 · 0.000 + 0.1 · the batch's",
            " running variance ← 0.9 · 1.000 + 0.1 · the batch's",
            " start value left = 100 %",
        ]

    def test_factors_are_those_of_the_last_update_whatever_is_chosen_now(self) -> None:
        assert text(arithmetic(TOY, 0.0, 60, 1)) == text(arithmetic(TOY, 0.75, 60, 1))

    @pytest.mark.parametrize(
        ("kept", "said"),
        [
            (((0.99, 40),), "= 0.99^40 = 67 %"),
            (((0.99, 40), (0.9, 5)), "= 0.99^40 · 0.9^5 = 40 %"),
            (((0.99, 4), (0.9, 5), (0.5, 1), (0.0, 2)), "= 0.99^4 · 0.9^5 · 0.5^1 · 0^2 = 0 %"),
            (((0.995, 9), (0.9, 50)) * 4, "= 0.995^9 · … · 0.9^50 = under 1 %"),
            (((0.9, 60),), "= 0.9^60 = under 1 %"),
        ],
    )
    def test_what_is_left_of_the_start_value(
        self, kept: tuple[tuple[float, int], ...], said: str
    ) -> None:
        toy = replace(TOY, kept=kept)
        assert text(arithmetic(toy, 0.9, 60, 9))[2] == f" start value left {said}"

    def test_after_a_recalibration_nothing_is_left(self) -> None:
        rows = text(arithmetic(recalibrate(TOY), 0.9, 60, 9))
        assert rows[2] == " start value left = 0 %, since the recalibration"
        assert rows[0] == " running mean     ← 0.9 · 2.218 + 0.1 · the batch's"

    def test_below_zero_the_difference_is_a_sum(self) -> None:
        toy = replace(TOY, running=Statistics(-0.5, 1.0))
        assert text(arithmetic(toy, 0.9, 60, 9))[5] == (
            " running (0.57 + 0.50) ÷ 1.00 =  1.07 above 0: a 1 ×"
        )

    @pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99, 0.999])
    def test_its_figures_add_up(self, momentum: float) -> None:
        toy = Toy()
        for _ in range(60):
            toy = step(toy, momentum)
            for row in text(arithmetic(toy, momentum, 60, 2)):
                old, before, new, batch, result = (
                    float(figure.replace("−", "-")) for figure in re.findall(r"−?\d[\d.]*", row)
                )
                assert old + new == pytest.approx(1)
                assert old * before + new * batch == pytest.approx(result, abs=0.0011)

    def test_every_line_has_room_at_every_momentum(self) -> None:
        toy = replace(TOY, running=Statistics(-1.111, 11.111), before=Statistics(-1.1, 11.1))
        for width in (60, 50):
            widest = replace(toy, momentum=0.995, kept=((0.995, 9999), (0.99, 99), (0.999, 999)))
            rows = text(arithmetic(widest, 0.995, width, 9))
            assert max(map(len, rows)) <= width


class TestVerdict:
    def test_before_the_first_batch_it_is_open(self) -> None:
        tone, what, _ = verdict(Toy(), 0.99)
        assert tone is Tone.OPEN
        assert "start values" in what[0]

    def test_it_says_the_accuracies_of_that_moment_and_another_momentum_s(self) -> None:
        toy = after(30, 0.99)
        tone, what, why = verdict(toy, 0.99)
        assert tone is Tone.BAD
        assert what[0] == (
            "Validation fails: 58 % right instead of 98 %; momentum 0.9 from the start would get 95 %"
        )
        assert share_right(toy, toy.running) == pytest.approx(0.58, abs=0.005)
        assert share_right(toy, after(30, 0.9).running) == pytest.approx(0.95, abs=0.005)
        assert why[0] == (
            "BatchNorm remembers mean 0.7, and the channel's is 3.9 now; 74 % of what it remembers is "
            "still the start value"
        )

    def test_it_does_not_advise_the_momentum_that_is_chosen(self) -> None:
        assert all("0.9" not in way for way in verdict(after(12, 0.9), 0.9)[1])

    def test_between_failing_and_sound_validation_suffers(self) -> None:
        assert verdict(after(20, 0.9), 0.9)[1][-1].startswith("Validation suffers: 8")

    def test_sound_is_two_hundredths_below_fresh_exactly(self) -> None:
        toy = after(200, 0.9)
        tone, what, why = verdict(toy, 0.9)
        assert sound(toy)
        assert tone is Tone.GOOD
        assert what[0].startswith("Validation is sound: 9")
        assert "start value" not in why[0]

    def test_every_sentence_has_a_way_that_fits_60_columns(self) -> None:
        toys = [Toy(), TOY, *(after(n, m) for n in (1, 12, 60, 200) for m in (0.0, 0.9, 0.99))]
        for toy in toys:
            _, what, why = verdict(toy, 0.99)
            for line in (what, why):
                assert len(line[-1]) <= NARROWEST
                assert list(line) == sorted(line, key=len, reverse=True)


@pytest.mark.parametrize(
    ("value", "written"), [(1.25, "1.2"), (-0.04, "0.0"), (-1.26, "−1.3"), (12.0, "12.0")]
)
def test_numbers_have_a_wide_minus_and_zero_has_none(value: float, written: str) -> None:
    assert number(value, 1) == written


def test_shares_are_written_to_their_last_digit() -> None:
    assert [share(1 - m) for m in (0.999, 0.9, 0.0)] == ["0.1 %", "10 %", "100 %"]
