"""Three lines that stand still and fit: what happens, why, and what to do."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bntui.core.cells import cell_len
from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import (
    DataCheck,
    Difference,
    Hindsight,
    LayerShift,
    Recalibration,
    Score,
    Validation,
    Waiting,
)
from bntui.core.snapshot import Divergence, Mark, Phase, Snapshot
from bntui.diagnose.causes import GOOD, OPEN, Cause
from bntui.diagnose.headline import Tone, fitting, headline
from bntui.diagnose.headline_words import WIDTHS
from bntui.diagnose.verdict import verdict
from bntui.ui.explorer.remedies import do_line
from tests.ui.scripted import diverged, failed, history, layers, mid_run, validation

WATCHED = {Cause.FOUND, Cause.WARNED, Cause.REMARKED, Cause.SOUND_SO_FAR}
"""Causes of a watched training, whose words are its watcher's: see test_watched.py."""

CONFIG = RunConfig()
LONG = [
    "A",
    "class",
    "with",
    "a",
    "name",
    "that",
    "nobody",
    "would",
    "think",
    "of",
    "reading",
    "aloud",
]


def at(score: float, loss: float = 0.1) -> Score:
    return Score(loss, score, (100,) * 10)


def data(**changes: Any) -> DataCheck:
    values: dict[str, Any] = {
        "update": 97,
        "images": 1000,
        "fresh": at(0.8),
        "own": at(0.8),
        "as_trained": 0.8,
        "training_images": 1000,
        "training_fresh": at(0.99),
        "training": Difference(0.0, 0.01, 0.0, 0.01, 1000, 0.1),
        "training_running": at(0.99),
        "statistics_images": 1024,
        "shifts": (LayerShift("input", 0.05, 0.1),),
    }
    return DataCheck(**values | changes)


def lagging() -> Snapshot:
    seen = replace(validation(0.5, 0.9), corrected=None)
    return mid_run(CONFIG, validation=replace(seen, layers=layers(start_left=0.0)))


def nearly_sound() -> Validation:
    """Return a validation that next to nothing of the start values harms, and whose loss is tiny."""
    seen = validation(0.5, 0.9)
    fresh, corrected = replace(seen.fresh, loss=4.8e-8), replace(seen.running, accuracy=0.51)
    return replace(seen, fresh=fresh, corrected=corrected)


def few() -> Snapshot:
    seen = validation(0.8, 0.9)
    unclear = Difference(-0.1, 0.1, 0.1, 0.2, 20, 0.5)
    return mid_run(CONFIG, validation=replace(seen, images=20, difference=unclear))


def worse_than_training(check: DataCheck | None) -> Snapshot:
    trained = {"smooth_acc": history([0.99] * 97)}
    return mid_run(CONFIG, validation=validation(0.8, 0.8), data_check=check, series=trained)


def momentum_of_torch() -> Snapshot:
    """Return a run at 0.1, where 0.9 was seen to be far better."""
    better, none = Difference(0.86, 0.01, -2.8, 0.01, 200, 2.85), Difference(0, 0.01, 0, 0.01, 200)
    hindsight = Hindsight(
        names=("0", "0.9"),
        images=200,
        updates=np.array([97.0]),
        accuracy=np.array([[0.114], [0.97]]),
        own=np.array([0.114]),
        fresh=np.array([0.974]),
        momentum=np.array([0.1]),
        gains=(none, better),
        behind=(replace(none, accuracy=-0.86), none),
    )
    return mid_run(replace(CONFIG, knobs=Knobs(momentum=0.1)), hindsight=hindsight)


def with_a_better_momentum(**changes: Any) -> Snapshot:
    """Return a run whose map recommends 0.9."""
    hindsight = momentum_of_torch().hindsight
    assert hindsight
    found = replace(hindsight, recommended=0.9)
    return mid_run(CONFIG, hindsight=found, **changes)


def recovering(ahead: float) -> Snapshot:
    waiting = Waiting(97, 200, at(0.97), ((1.0, 0.2, 2.0),), ahead, 0.9)
    turned = replace(CONFIG, knobs=Knobs(momentum=0.9))
    mark = Mark(90, "momentum 0.99→0.9", "momentum=0.9")
    return mid_run(turned, waiting=waiting, marks=(mark,))


ELSEWHERE = data(training=Difference(-0.6, 0.01, 2.0, 0.01, 1000, 0.1), training_running=at(0.3))
CASES: dict[Cause, list[Snapshot]] = {
    Cause.WAITING: [
        Snapshot(
            message="Reading 60,000 images from a folder whose name is as long as it can be" * 2
        ),
        mid_run(CONFIG, validation=None),
        mid_run(CONFIG, validation=None, phase=Phase.PAUSED),
        mid_run(CONFIG, validation=None, observing=False),
    ],
    Cause.FAILED: [failed(CONFIG, " ".join(LONG * 4)), failed(CONFIG, "/very" * 50)],
    Cause.NON_FINITE: [
        diverged(CONFIG),
        mid_run(CONFIG, divergence=Divergence(1_234_567, "block3.downsample.batch_norm_2")),
        mid_run(CONFIG, validation=replace(validation(), layers=layers(non_finite=3))),
    ],
    Cause.ONE_VALUE: [
        mid_run(
            replace(CONFIG, knobs=Knobs(batch_size=1)),
            validation=replace(validation(), layers=layers(positions=1)),
        )
    ],
    Cause.NEVER_UPDATED: [
        mid_run(CONFIG, validation=replace(validation(), layers=layers(untouched=True)))
    ],
    Cause.START: [
        mid_run(CONFIG),
        with_a_better_momentum(),
        with_a_better_momentum(phase=Phase.FINISHED),
        mid_run(CONFIG, recalibration=Recalibration(97, 0.114, 0.97, False, 1000)),
        mid_run(CONFIG, phase=Phase.STOPPED),
        mid_run(CONFIG, validation=validation(0.8, 0.95)),
    ],
    Cause.LAG: [
        lagging(),
        mid_run(CONFIG, validation=replace(nearly_sound(), layers=layers(start_left=4.8e-8))),
    ],
    Cause.CONVENTION: [momentum_of_torch()],
    Cause.ELSEWHERE: [mid_run(CONFIG, validation=validation(0.9, 0.9), data_check=ELSEWHERE)],
    Cause.CLASSES: [worse_than_training(data(as_trained=0.98))],
    Cause.SHIFT: [worse_than_training(data(shifts=(LayerShift("input", 3.0, 3.0),)))],
    Cause.OVERFITTING: [worse_than_training(data())],
    Cause.LEARNING: [mid_run(CONFIG, validation=validation(0.1, 0.1), series={})],
    Cause.UNDECIDED: [few(), worse_than_training(None)],
    Cause.NO_BATCH_NORM: [
        mid_run(replace(CONFIG, norm="none"), validation=validation(with_bn=False))
    ],
    Cause.SOUND: [
        mid_run(CONFIG, validation=validation(0.97, 0.97)),
        mid_run(CONFIG, validation=validation(0.97, 0.97), phase=Phase.FINISHED),
    ],
}
EVERY = [(cause, snapshot) for cause, snapshots in CASES.items() for snapshot in snapshots]
RECOVERING = [
    recovering(33.0),
    replace(recovering(12.0), marks=(), phase=Phase.PAUSED),
    replace(recovering(12.0), phase=Phase.STOPPED),
    replace(recovering(12.0), knobs=Knobs(estimator="bias-corrected")),
]


def test_every_cause_is_among_the_cases() -> None:
    assert CASES.keys() == set(Cause) - WATCHED


@pytest.mark.parametrize(("cause", "snapshot"), EVERY)
def test_each_cause_is_said_with_its_tone(cause: Cause, snapshot: Snapshot) -> None:
    assert verdict(snapshot).cause is cause
    tone = Tone.GOOD if cause in GOOD else Tone.OPEN if cause in OPEN else Tone.BAD
    assert headline(snapshot).tone is tone


@pytest.mark.parametrize("snapshot", [*(one for _, one in EVERY), *RECOVERING])
def test_numbers_are_written_one_way_in_every_sentence(snapshot: Snapshot) -> None:
    """Shares in per cent with a blank, no exponents, each sentence with a capital and a full stop."""
    judged, said = verdict(snapshot), headline(snapshot)
    sentences = [*judged.evidence, *filter(None, [judged.outlook])]
    for text in (*sentences, *said.what, *said.why, *do_line(said)):
        assert not re.search(r"\de[+-]?\d", text)
        assert not re.search(r"\S%", text)
    if judged.cause not in {Cause.WAITING, Cause.FAILED}:  # whose words are others'
        assert all(re.fullmatch(r"[A-Z0-9].*\.", text) for text in sentences)


@pytest.mark.parametrize("snapshot", [*(one for _, one in EVERY), *RECOVERING])
def test_each_line_has_a_variant_for_every_width(snapshot: Snapshot) -> None:
    said = headline(snapshot)
    for line in (said.what, said.why, do_line(said)):
        assert all(line)
        assert list(line) == sorted(line, key=cell_len, reverse=True)
        for width in WIDTHS:
            assert cell_len(fitting(line, width)) <= width


def test_the_story_of_a_run_whose_start_values_are_left() -> None:
    said = headline(mid_run(CONFIG))
    assert said.what == ("Validation fails: 11 % instead of 97 %",)
    assert fitting(said.why, 116) == (
        "BatchNorm validates with averages that it remembers; about 40 % of them is still their "
        "start value"
    )
    assert fitting(do_line(said), 116) == "c repairs the averages now"


def test_loading_begins_with_a_capital_letter() -> None:
    assert headline(Snapshot(message="loading torch")).what == ("Loading torch",)


def test_what_helps_stands_in_the_third_line_with_what_it_takes() -> None:
    def do(snapshot: Snapshot) -> str:
        return fitting(do_line(headline(snapshot)), 116)

    c = "c repairs the averages now"
    assert do(with_a_better_momentum()) == f"{c} · momentum 0.9 keeps them right"
    finished = with_a_better_momentum(phase=Phase.FINISHED)
    assert do(finished) == f"{c} · momentum 0.9 keeps them right · space goes on"
    tried = Recalibration(97, 0.114, 0.97, False, 1000)
    assert do(mid_run(CONFIG, recalibration=tried)) == (
        "c repairs the averages: 97 % instead of 11 %"
    )
    assert do(mid_run(CONFIG, phase=Phase.STOPPED)).startswith("r starts again · g ")


def test_a_narrow_screen_leaves_out_the_last_thing_to_do() -> None:
    running = do_line(headline(with_a_better_momentum()))
    assert fitting(running, 56) == "c repairs them now · momentum 0.9 keeps them right"
    line = do_line(headline(with_a_better_momentum(phase=Phase.FINISHED)))
    assert fitting(line, 70) == "c repairs them now · momentum 0.9 keeps them right · space goes on"
    assert fitting(line, 56) == "c repairs them now · momentum 0.9 · space goes on"
    assert fitting(line, 40) == "c repairs them now · momentum 0.9"


def test_lines_stand_still_while_validation_does() -> None:
    """Nothing of a headline counts updates, and a share of start values moves by tenths."""
    lines = set()
    for update, left in ((97, 0.42), (98, 0.4), (99, 0.38), (100, 0.36)):
        seen = replace(validation(update=update), layers=layers(start_left=left))
        said = headline(mid_run(CONFIG, update=update, validation=seen))
        lines.add((said.what, said.why, do_line(said)))
    assert len(lines) == 1


def test_a_lag_that_does_not_end_is_no_recovery() -> None:
    """Weights that move keep the statistics behind: a forecast for weights that stand still is no end."""
    waiting = Waiting(97, 200, at(0.9), ((1.0, 0.5, 1.0),), 9.0, 0.99)
    assert "suffers" in headline(replace(lagging(), waiting=waiting)).what[0]
    mark = Mark(90, "momentum 0.999→0.99", "momentum=0.99")
    assert "Recovering" in headline(replace(lagging(), waiting=waiting, marks=(mark,))).what[0]


@pytest.mark.parametrize(
    ("ahead", "count"), [(2.0, "a few"), (11.0, "about 15"), (15.0, "about 15"), (33.0, "about 35")]
)
def test_while_a_cure_works_it_says_how_long_it_takes(ahead: float, count: str) -> None:
    said = headline(recovering(ahead))
    assert said.what[0] == f"Recovering: validation will be sound in {count} updates"
    assert said.why[0].startswith("Each update replaces 10 % of the averages")
    assert said.tone is Tone.OPEN


def test_what_takes_long_is_no_recovery() -> None:
    assert "fails" in headline(recovering(200.0)).what[0]


def test_a_forecast_counts_down_between_two_measurements() -> None:
    said = headline(replace(recovering(20.0), update=108))
    assert "in about 10 updates" in said.what[0]


def test_a_forecast_that_did_not_come_true_is_no_recovery() -> None:
    forecast = recovering(8.0)
    for update, what in ((97 + 21, "Recovering"), (97 + 22, "Validation fails")):
        seen = validation(update=update)
        assert what in headline(replace(forecast, update=update, validation=seen)).what[0]


@pytest.mark.parametrize(
    ("left", "said"),
    [(0.99, "nearly all"), (0.42, "about 40 %"), (0.13, "about 10 %"), (0.08, "up to 10 %")],
)
def test_the_share_of_start_values_is_rounded_to_what_is_so(left: float, said: str) -> None:
    seen = replace(validation(), layers=layers(start_left=left))
    assert f"; {said} of them is still" in headline(mid_run(CONFIG, validation=seen)).why[0]


def test_training_and_validation_are_compared_at_the_same_weights() -> None:
    later = replace(worse_than_training(data()), validation=validation(0.85, 0.85))
    assert headline(later).what == ("Validation is worse than training: 80 % against 99 %",)
