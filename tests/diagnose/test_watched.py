"""What is said of a training that is watched is what its watcher found, and nothing of a run of ours."""

from dataclasses import replace

import pytest

from bntui.core.cells import cell_len
from bntui.core.snapshot import Divergence, Phase
from bntui.core.watched import Found
from bntui.diagnose.causes import Cause
from bntui.diagnose.headline import Tone, headline
from bntui.diagnose.verdict import verdict
from tests.ui.watching import FEW, LAG, SOUND, WATCHED, watched_run

BEFORE = replace(WATCHED, findings=(), looked=0)


def test_the_worst_finding_is_the_verdict() -> None:
    judged = verdict(watched_run())
    assert judged.cause is Cause.FOUND
    assert judged.evidence == (
        "Running statistics lag behind the weights.",
        *LAG.evidence,
        "What helps: set momentum=0.1 in every BatchNorm layer",
    )
    assert judged.remedies == ()


@pytest.mark.parametrize(
    ("found", "tone", "cause"),
    [
        (LAG, Tone.BAD, Cause.FOUND),
        (FEW, Tone.OPEN, Cause.WARNED),
        (replace(LAG, severity="undecided"), Tone.OPEN, Cause.UNDECIDED),
        (replace(FEW, cause="overfitting", severity="remark"), Tone.OPEN, Cause.REMARKED),
        (SOUND, Tone.GOOD, Cause.SOUND_SO_FAR),
    ],
)
def test_severity_decides_the_tone(found: Found, tone: Tone, cause: Cause) -> None:
    snapshot = watched_run(replace(WATCHED, findings=(found,)))
    assert (headline(snapshot).tone, verdict(snapshot).cause) == (tone, cause)


def test_three_lines_fit_narrow_screens_and_say_how_much_more_was_found() -> None:
    said = headline(watched_run())
    assert said.what[0] == "Running statistics lag behind the weights · 1 more finding"
    for line in (said.what, said.why, said.told):
        assert cell_len(line[-1]) <= 56


def test_before_the_first_look_it_waits_whatever_validation_would_say_of_our_own_network() -> None:
    snapshot = watched_run(BEFORE)
    assert verdict(snapshot).cause is Cause.WAITING
    assert headline(snapshot).what[0] == "ResNet is watched, and nothing is looked at yet"
    over = headline(replace(snapshot, phase=Phase.FINISHED))
    assert over.what == ("Nothing is looked at yet, and the training is over",)


def test_recalibration_is_offered_where_the_training_takes_requests_and_it_would_help() -> None:
    asked = replace(WATCHED, control=True)
    assert headline(watched_run(asked)).do
    assert not headline(watched_run(WATCHED)).do
    assert not headline(watched_run(replace(asked, findings=(FEW,)))).do
    assert not headline(watched_run(asked, phase=Phase.FINISHED)).do


def test_a_training_that_failed_or_broke_down_says_so() -> None:
    failed = headline(watched_run(BEFORE, phase=Phase.FAILED, message="ValueError: no images"))
    assert (failed.tone, failed.why[0]) == (Tone.BAD, "ValueError: no images")
    broken = headline(watched_run(BEFORE, divergence=Divergence(12, "loss")))
    assert broken.why == ("At update 12 the loss became infinite or NaN.",)
