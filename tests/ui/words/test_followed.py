"""Terms say of followed runs and watched trainings what is true of these."""

import math
from dataclasses import replace

import pytest

from bntui.core.snapshot import Snapshot
from bntui.ui.words import followed
from bntui.ui.words.followed import worded
from bntui.ui.words.page import explained
from bntui.ui.words.term import Shown
from bntui.ui.words.terms import TERMS
from tests.ui.scripted import mid_run
from tests.ui.user import CONFIG
from tests.ui.watching import BLIND, WATCHED, watched_run

OWN = mid_run(CONFIG, followed=True)
KERAS = watched_run(replace(WATCHED, convention="keras", momentum=0.99))


def told(name: str, snapshot: Snapshot) -> str:
    rows = explained(TERMS[name], Shown(snapshot), 1000)
    return " ".join("".join(text for row in rows for text, _ in row).split())


def test_every_other_word_is_of_a_term_that_there_is() -> None:
    for table in (followed.FOLLOWED, followed.WATCHED, followed.TORCHS, followed.BLIND):
        assert table.keys() <= TERMS.keys()
    assert TERMS.keys() >= followed.NO_NUMBERS


@pytest.mark.parametrize("snapshot", [OWN, KERAS, watched_run(), watched_run(BLIND)])
def test_no_term_has_a_number_that_is_none(snapshot: Snapshot) -> None:
    for name in TERMS:
        assert "nan" not in told(name, snapshot).split(), name


def test_momentum_is_told_in_the_convention_of_the_training() -> None:
    torchs = told("momentum", watched_run())
    assert "(1 − m) · running + m · batch" in torchs
    assert "m = 0.001 (torch's)" in torchs
    assert "1 / 0.001 = 1,000 updates" in told("remembers", watched_run())
    keras = told("momentum", KERAS)
    assert "m · running + (1 − m) · batch" in keras
    assert "m = 0.99 (Keras's)" in keras
    assert "1 / 0.01 = 100 updates" in told("remembers", KERAS)


def test_the_best_momentum_in_hindsight_is_told_in_that_convention() -> None:
    assert "torch momentum 0.1 gives 0.900, this run 0.200 (update 90)" in told(
        "hindsight", watched_run()
    )
    assert "momentum 0.9 gives 0.900" in told("hindsight", KERAS)
    assert "= 1 − 0.99 = 0.01" in told("torch's", KERAS)
    unknown = watched_run(replace(WATCHED, momentum=math.nan))
    assert "differ, or are cumulative" in told("momentum", unknown)
    assert told("remembers", unknown).endswith("not measured yet")


def test_a_start_value_may_be_a_pretrained_one() -> None:
    assert "or those of an earlier training" in told("start", watched_run())
    assert "38 %" in told("start", watched_run())
    assert "begin at 0" in told("start", OWN)


def test_settings_of_a_run_of_ours_give_no_numbers_of_a_watched_training() -> None:
    for name in ("seed", "width", "scaled", "estimator", "pace", "activations"):
        plain = explained(TERMS[name], None, 1000)
        words = "".join(text for row in plain for text, _ in row).split()
        assert told(name, watched_run()) == " ".join(words).replace("images", "samples")
    assert told("seed", OWN).endswith("gives the same run. 0")


def test_without_validation_data_there_are_distances() -> None:
    assert "0.800 away, a factor of 2.23" in told("hindsight", watched_run(BLIND))
    assert "No validation data were given" in told("running", watched_run(BLIND))


def test_a_training_by_other_code_may_be_of_anything() -> None:
    assert "images" not in told("running", watched_run())
    assert "right answers / samples = 58 / 512 = 0.114" in told("running", watched_run())


def test_another_score_is_named() -> None:
    iou = watched_run(replace(WATCHED, score="mean IoU"))
    assert "running = mean IoU = 0.114" in told("running", iou)


def test_a_run_of_ones_own_keeps_its_words() -> None:
    own = Shown(mid_run(CONFIG))
    assert all(worded(term, own) is term for term in TERMS.values())
