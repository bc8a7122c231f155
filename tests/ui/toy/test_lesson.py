"""The captions of the toy: a reader who does what they say is led through all of them."""

import pytest

from bntui.core.toy import MOMENTA, Toy, recalibrate, step
from bntui.ui.toy.app import LEAVES
from bntui.ui.toy.lesson import Lesson, Step, after, caption, memory
from bntui.ui.toy.words import sound
from tests.ui.toy.test_words import NARROWEST

ESC = ("esc leaves",)


class Reader:
    """Somebody who lets batches drop at some momentum, and reads the caption."""

    def __init__(self) -> None:
        self.toy, self.lesson, self.momentum = Toy(), Lesson(), 0.99

    def drop(self, batches: int) -> "Reader":
        for _ in range(batches):
            self.toy = step(self.toy, self.momentum)
            self.lesson = after(self.lesson, self.toy, self.momentum)
        return self

    def turn(self, momentum: float) -> "Reader":
        self.momentum = momentum
        self.lesson = after(self.lesson, self.toy, momentum)
        return self

    @property
    def told(self) -> str:
        return caption(self.lesson, self.toy, self.momentum, ESC)[0]


def test_it_leads_from_watching_to_the_end() -> None:
    reader = Reader()
    assert reader.told.startswith("Watch: the weights learn")
    assert "keeps 99 % of its place" in reader.told
    assert reader.drop(11).told.startswith("Watch: the weights learn")
    assert reader.drop(1).told.startswith("← lowers the momentum")
    assert reader.turn(0.98).told.startswith("← lowers the momentum")
    assert reader.turn(0.9).told.startswith("Watch the line catch up: now it goes 10 % of the way")
    assert reader.drop(40).told.startswith("It has caught up. ← down to 0")
    assert reader.turn(0.5).told.startswith("Watch the line jump")
    assert reader.drop(6).told.startswith("→ remembers more batches again")
    assert reader.turn(0.8).told.startswith("→ to 0.99, then r: it fails again. Then c")
    reader.toy = recalibrate(reader.toy)
    assert reader.turn(0.8).told == ESC[0]
    assert reader.drop(50).told == ESC[0]


def test_who_lowers_it_before_being_asked_is_not_asked() -> None:
    assert Reader().drop(2).turn(0.9).lesson.step is Step.CATCH_UP


def test_a_curve_that_lags_has_not_caught_up() -> None:
    reader = Reader().drop(25).turn(0.9)
    steps = [reader.drop(1).lesson.step for _ in range(8)]
    assert set(steps) == {Step.CATCH_UP}


def test_who_waits_instead_is_told_what_healed_it() -> None:
    reader = Reader().drop(120)
    assert reader.told.startswith("← lowers")
    reader.drop(130)
    assert sound(reader.toy)
    assert reader.told.startswith("250 batches healed it: 8 % of the start value is left.")


def test_captions_fit_60_columns_in_their_last_way_and_shorten_from_way_to_way() -> None:
    for momentum in MOMENTA:
        for lesson_step in Step:
            for toy in (Toy(), Reader().drop(260).toy):
                ways = caption(Lesson(lesson_step), toy, momentum, LEAVES)
                assert len(ways[-1]) <= NARROWEST
                assert len(ways[0]) <= 117
                assert list(ways) == sorted(ways, key=len, reverse=True)


@pytest.mark.parametrize(
    ("momentum", "said"),
    [
        (0.99, "momentum 0.99 keeps 99 % at each batch · half of it is gone after 69 batches"),
        (0.9, "momentum 0.9 keeps 90 % at each batch · half of it is gone after 7 batches"),
        (0.5, "momentum 0.5 keeps 50 % at each batch · half of it is gone after 1 batch"),
        (0.0, "momentum 0 keeps nothing: the last batch is all that is remembered"),
    ],
)
def test_what_a_momentum_means(momentum: float, said: str) -> None:
    assert memory(momentum) == said
    assert len(said) < 80
