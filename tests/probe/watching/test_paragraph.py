"""What is said at the end of a watched training."""

from dataclasses import replace
from pathlib import Path

from bntui.core.snapshot import Snapshot
from bntui.core.watched import Found, Watched
from bntui.machine.places import own_folder
from bntui.probe.watching import paragraph as module

LAG = Found(
    "lag",
    "unsound",
    "running statistics lag behind the weights",
    (
        "Validation 0.610 under running, 0.840 under fresh statistics (512 samples).",
        "Second.",
        "Third.",
        "Fourth.",
    ),
    ("bntui.recalibrate(model, training): replace the statistics", "lower the rate"),
)
STORE = own_folder() / "runs.sqlite"
WATCHED = Watched("train.py", "ResNet", findings=(LAG,), looked=1200, share=0.031)


def paragraph(snapshot: Snapshot, store: Path = STORE, unkept: str = "") -> str:
    return module.paragraph(snapshot, store, unkept=unkept)


def test_it_says_what_was_watched_what_was_found_what_helps_and_where_to_look() -> None:
    said = paragraph(
        Snapshot(run="a1b2", update=1234, watched=replace(WATCHED, notes=("Not measured.",)))
    )
    assert said == (
        "bntui watched 1,234 updates of ResNet, which took 3 % of the time. "
        "At update 1,200 running statistics lag behind the weights (lag, unsound). "
        "Validation 0.610 under running, 0.840 under fresh statistics (512 samples). Second. Third. "
        "What helps: bntui.recalibrate(model, training): replace the statistics. "
        "Not measured. `bntui attach a1b2` shows all of it."
    )


def test_other_findings_are_named_and_remarks_are_not() -> None:
    others = (
        replace(LAG, cause="few-values", severity="warning"),
        replace(LAG, cause="sound", severity="remark"),
    )
    said = paragraph(Snapshot(update=1, watched=replace(WATCHED, findings=(LAG, *others))))
    assert "1 update of" in said
    assert "Also found: few-values." in said
    assert "attach" not in said


def test_what_is_sound_is_said_to_be() -> None:
    sound = Found("sound", "remark", "nothing wrong was found with batch norm", ("Evidence.",))
    said = paragraph(Snapshot(update=9, watched=replace(WATCHED, findings=(sound,), looked=9)))
    assert "At update 9 nothing wrong was found with batch norm. Evidence." in said
    fits = Found("overfitting", "remark", "the model fits its training data better")
    said = paragraph(Snapshot(update=9, watched=replace(WATCHED, findings=(fits,), looked=0)))
    assert "The model fits its training data better (overfitting, batch norm is sound)." in said


def test_a_training_that_was_not_looked_at_says_so() -> None:
    said = paragraph(Snapshot(update=3, watched=replace(WATCHED, findings=(), share=0.0)))
    assert said == (
        "bntui watched 3 updates of ResNet. Nothing was looked at before it ended, so nothing can be said "
        "of its batch norm."
    )


def test_a_training_whose_steps_were_not_seen_says_what_to_do() -> None:
    said = paragraph(Snapshot(update=0, watched=replace(WATCHED, findings=(), share=0.0)))
    assert said.startswith("bntui watched 0 updates of ResNet. No step of an optimiser was seen")
    assert "call step()" in said


def test_what_is_undecided_is_named_once() -> None:
    open_question = Found("undecided", "undecided", "it can't be told")
    said = paragraph(Snapshot(update=9, watched=replace(WATCHED, findings=(open_question,))))
    assert "It can't be told (undecided)." in said or "it can't be told (undecided)." in said


def test_a_run_of_our_own_has_none() -> None:
    assert paragraph(Snapshot(update=3)) == ""


def test_a_file_of_its_own_is_named_so_that_any_terminal_finds_it() -> None:
    said = paragraph(Snapshot(run="a1b2", update=3, watched=WATCHED), Path("/tmp/my runs.sqlite"))
    assert said.endswith("`bntui attach a1b2 --store '/tmp/my runs.sqlite'` shows all of it.")


def test_where_nothing_is_kept_it_says_why() -> None:
    why = "this run is not being kept: the store can't be written."
    said = paragraph(Snapshot(run="a1b2", update=3, watched=WATCHED), unkept=why)
    assert said.endswith("This run is not being kept: the store can't be written.")
    assert "attach" not in said
