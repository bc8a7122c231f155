"""What the screen of a sweep says."""

import math
from dataclasses import replace

from bntui.core.sweep import Axis, Design, Standing
from bntui.sweeps import phase, words
from bntui.sweeps.phase import Value
from bntui.ui.sweeps.app import left_over
from bntui.ui.sweeps.words import (
    COUNTED,
    epoch_words,
    flowed,
    progress,
    reading,
    run_line,
    settings_at,
    standings,
    what,
    when,
)
from bntui.ui.words.terms import TERMS
from tests.ui.sweeps.scripted import view_of


class TestProgress:
    def test_no_time_is_told_while_no_run_is_under_way(self) -> None:
        assert progress(view_of(5))[0] == "○ 5 of 24 runs finished · 19 waiting"

    def test_every_standing_is_counted_and_the_rest_left_out_in_turn(self) -> None:
        forms = progress(view_of(14, running=3, failed=1), "2 processes")
        assert forms[0] == (
            "▶ 14 of 24 runs finished · 3 running · 6 waiting · 1 failed · about 6 min left · 2 processes"
        )
        assert forms[-1] == "▶ 14/24"
        assert sorted(forms, key=len, reverse=True) == list(forms)

    def test_a_sweep_that_is_over_and_one_that_nobody_runs(self) -> None:
        assert progress(view_of(24))[0] == "■ all 24 runs finished"
        assert progress(view_of(3))[0] == "○ 3 of 24 runs finished · 21 waiting"
        assert progress(view_of(23, failed=1))[0] == "■ 23 of 24 runs finished · 1 failed"

    def test_what_is_left_is_said_with_the_command_that_goes_on(self) -> None:
        assert left_over(view_of(3)) == (
            "sweep lr-and-batch: 3 of 24 runs are finished; `bntui sweep --resume lr-and-batch` goes on."
        )
        assert left_over(view_of(24)) == "sweep lr-and-batch: 24 of 24 runs are finished."
        assert "1 failed; `bntui sweep --resume lr-and-batch --retry-failed`" in left_over(
            view_of(23, failed=1)
        )


class TestReading:
    def test_others_stand_after_the_value_and_what_is_to_be_known_of_it_at_last(self) -> None:
        view = view_of(24)
        shown = phase.diagram(view, phase.first_choice(view))
        tile = shown.tiles[7][3]
        said, *more = words.reading(shown, tile)
        assert said == "gap 0.475 (0.472 to 0.478, 3 seeds)"
        assert more == ["85 % of the start values left"]
        others = {Value.RUNNING: 0.159}
        assert reading(shown, tile, others) == [said, "median running 0.159", *more]
        assert reading(shown, tile._replace(measured=1), others)[1] == "running 0.159"

    def test_a_run_behind_a_tile_has_the_figures_of_the_tile(self) -> None:
        view = view_of(24)
        shown = phase.diagram(view, replace(phase.first_choice(view), epoch=2))
        run = next(one for one in view.cells if one.cell.id == shown.tiles[7][1].runs[0])
        at_2 = run.epochs[1]
        for momentum, running in ((-1, at_2.own), (0, at_2.rows[0]), (7, at_2.rows[7])):
            assert run_line(run, 2, momentum) == (
                f"■ {run.cell.id[:6]}  seed 0   finished    epoch 2: running {running:.3f}, fresh {at_2.fresh:.3f}"
            )
        assert run_line(run, 9, 7).endswith("finished")
        without = replace(run, epochs=(replace(at_2, rows=()),))
        assert "running –, fresh" in run_line(without, 2, 7)
        broken = replace(run, standing=Standing.FAILED, message="no space is left.")
        assert run_line(broken, 2, 7).endswith("failed      no space is left.")

    def test_what_is_varied_has_no_value_in_the_title(self) -> None:
        view = view_of(2)
        assert what(view) == "lr-and-batch · digits · width 0.25 · 3 seeds"
        base = view.design.base
        widths = Design(base, (Axis("width", (0.5, 1.0)), Axis("dataset", ("digits", "photos"))))
        assert what(replace(view, design=widths)) == "lr-and-batch · seed 0"

    def test_where_and_when(self) -> None:
        view = view_of(24)
        shown = phase.diagram(view, phase.first_choice(view))
        assert settings_at(shown, (1, 7)) == [
            "batch size 64",
            "momentum 0.99",
            "learning rate 0.001",
        ]
        assert when(shown, shown.tiles[7][1]) == ["after epoch 4, update 252"]
        until = phase.diagram(view, replace(shown.choice, value=Value.UNTIL_SOUND))
        assert when(until, until.tiles[7][1]) == ["measured up to update 252"]
        assert epoch_words(until) == ""

    def test_epochs(self) -> None:
        view = view_of(24)
        choice = phase.first_choice(view)
        said = [
            epoch_words(phase.diagram(view, replace(choice, epoch=epoch))) for epoch in (0, 1, 3)
        ]
        assert said == ["◂ epoch 4, the newest", "epoch 1 of 4 ▸", "◂ epoch 3 of 4 ▸"]
        assert epoch_words(phase.diagram(view_of(0), choice)) == "no epoch has ended yet"

    def test_parts_stay_whole_where_they_can(self) -> None:
        assert flowed(["one", "two", "three"], 9) == ["one · two", "three"]
        assert flowed(["a very long part"], 8) == ["a very …"]
        assert flowed([], 8) == []


def test_every_standing_has_a_sign_and_is_counted() -> None:
    view = view_of(1)
    texts = {
        one: progress(
            replace(view, cells=tuple(replace(cell, standing=one) for cell in view.cells))
        )[0]
        for one in Standing
    }
    assert {one: text[0] for one, text in texts.items()} == {
        Standing.WAITING: "○",
        Standing.RUNNING: "▶",
        Standing.INTERRUPTED: "○",
        Standing.FINISHED: "■",
        Standing.FAILED: "■",
    }
    for one in COUNTED:
        assert f"24 {one}" in texts[one]
    (run,) = view.cells[:1]
    listed = standings([replace(run, standing=one) for one in Standing], 6)
    assert [text[0] for text in listed] == list("○▶‖■×")
    assert set(listed[0][2:].split()) == {run.cell.id[:6], "(seed", "0)"}


def test_the_help_tells_updates_until_sound_as_they_are_found() -> None:
    said = TERMS[Value.UNTIL_SOUND].sentence
    never = words.value_words(Value.UNTIL_SOUND, math.inf)
    for word in (f"{phase.SOUND_GAP:g}", f"{phase.SOUND_FRESH:g}", f"“{never}”"):
        assert word in said
