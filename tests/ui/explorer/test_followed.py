"""A run of another process, or a kept one: it is looked at, and not led."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bntui.core.snapshot import Phase, Snapshot
from bntui.diagnose.headline import headline
from bntui.ui.explorer.available_keys import NOT_LED, why_not
from bntui.ui.explorer.facts import FactsPanel
from bntui.ui.explorer.remedies import LEFT_OPEN, third_line
from bntui.ui.explorer.screen import Explorer
from bntui.ui.key_table import EXPLORER
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.status import progress, what
from tests.ui.scripted import NAN, mid_run
from tests.ui.user import CONFIG, FULL, TABS, opened
from tests.ui.watching import BLIND, WATCHED, hindsight, watched_run

OWN = mid_run(CONFIG, followed=True)
RUN = "5c1e0ac1d2b3"
LEADS = {
    "space": "pause", "n": "step", "C": "try_recalibration", "W": "keep_weights", "r": "restart",
    "R": "restart_with_new_seed", "d": "digits", "k": "structure", "t": "twin", "b": "branch",
    "i": "resume", "g": "experiments",
}  # fmt: skip
"""Keys that lead a run of one's own, and their commands."""


@pytest.mark.parametrize("snapshot", [OWN, watched_run(), watched_run(BLIND)])
async def test_keys_that_lead_a_run_say_why_they_do_not_lead_this_one(snapshot: Snapshot) -> None:
    async with opened(follow=RUN) as user:
        await user.see(snapshot)
        for key, command in LEADS.items():
            await user.press(key)
            assert NOT_LED[command][:50] in user.text, key
            user.app.clear_notifications()
        assert type(user.app.screen) is Explorer
        assert not {"pause", "resume", "STEP", "apply"} & set(user.run.calls)


async def test_keys_that_lead_are_not_on_the_line_at_the_bottom() -> None:
    async with opened((300, 60), follow=RUN) as user:
        await user.see(OWN)
        words = user.part("KeyLine").split()
        assert not {"pause", "restart", "experiments", "twin", "branch", "recalibrate"} & set(words)
        assert {"verdict", "runs", "crosshair", "quit"} <= set(words)


async def test_a_click_on_the_phase_says_why_it_does_not_pause() -> None:
    async with opened(follow=RUN) as user:
        await user.see(OWN)
        await user.pilot.click("StatusLine", offset=(100, 0))
        await user.settle()
        assert "it can't be paused" in user.text


@pytest.mark.parametrize("size", [FULL, TABS, (60, 16)])
async def test_facts_stand_in_place_of_the_knobs(size: tuple[int, int]) -> None:
    async with opened(size, follow=RUN, glyphs=Glyphs.ASCII) as user:
        await user.see(watched_run())
        assert not user.app.screen.query(Knob)
        facts = user.part("FactsPanel")
        assert "0.001 (torch's)" in facts
        assert "32" in facts
        if size == FULL:
            assert "ResNet" in facts
            assert "SGD" in facts


async def test_facts_of_a_run_of_ours_are_its_settings() -> None:
    async with opened(follow=RUN) as user:
        await user.see(OWN)
        facts = user.part("FactsPanel")
        for said in ("batch size 256", "momentum 0.99", "estimator momentum", "batch norm on"):
            assert said in facts


async def test_recalibration_is_asked_for_where_the_training_takes_requests() -> None:
    async with opened(follow=RUN) as user:
        await user.see(watched_run())
        await user.press("c")
        assert "RECALIBRATE" not in user.run.calls
        assert "takes no requests" in user.text
        await user.see(watched_run(replace(WATCHED, control=True)))
        assert "c asks it to recalibrate" in user.text
        user.app.notices.clear()  # nobody presses c twice within the moment in which two are told as one
        await user.press("c")
        assert user.run.calls.count("RECALIBRATE") == 1
        assert "the watched training is asked to recalibrate" in user.text


def test_a_training_that_is_over_is_not_asked() -> None:
    over = watched_run(replace(WATCHED, control=True), phase=Phase.FINISHED)
    assert (
        why_not("recalibrate", over)
        == "this training is over: there is nobody to ask to recalibrate"
    )


def test_every_command_of_the_explorer_is_decided_on() -> None:
    """A new command has to be put into one of the two: those that lead a run, or those that look at it."""
    looks = {"recalibrate", "what_if", "verdict", "repeat", "pin", "runs", "save_data"}
    commands = {binding.id for binding in EXPLORER.bindings() if binding.id}
    assert commands == looks | (NOT_LED.keys() - {"use_row", "measure"})


def test_the_header_says_what_is_known_of_a_watched_training() -> None:
    assert what(watched_run()) == "train.py --epochs 90 · ResNet · cpu"
    assert progress(watched_run()) == "▶ running · update 97 · 2 updates/s"
    assert progress(watched_run(seconds=0.0)) == "▶ running · update 97"
    known = watched_run(images_per_s=640.0, updates_per_epoch=50, epoch=2, epochs=90)
    assert progress(known) == "▶ running · update 97 · epoch 2/90 · 640 images/s"
    assert progress(known, brief=True) == "▶ running · 97 · 2/90 · 640/s"


def test_an_interrupted_run_says_that_its_process_has_not_closed_it() -> None:
    for snapshot in (OWN, watched_run()):
        left = replace(snapshot, phase=Phase.INTERRUPTED)
        assert third_line(left, headline(left)) == LEFT_OPEN
        said = replace(
            left, message="the process that trained this run has ended without closing it."
        )
        told = third_line(said, headline(said))
        assert told[0] == "The process that trained this run has ended without closing it."


def test_the_third_line_of_a_run_of_ours_names_no_keys_that_lead_it() -> None:
    for phase in (Phase.RUNNING, Phase.PAUSED, Phase.FINISHED):
        snapshot = replace(OWN, phase=phase)
        for line in third_line(snapshot, headline(snapshot)):
            assert not {"c", "r", "g", "space"} & set(line.split()), line


async def test_without_validation_data_loss_is_the_hero_and_accuracy_says_how_it_comes() -> None:
    async with opened(follow=RUN) as user:
        await user.see(watched_run(BLIND))
        assert "─ loss in training" in user.text
        await user.press("1")
        assert "bntui.watch(model, validation=loader)" in user.part("#panel-1")


async def test_another_score_is_what_the_chart_is_called() -> None:
    async with opened(follow=RUN) as user:
        await user.see(watched_run(replace(WATCHED, score="mean IoU")))
        assert "─ mean IoU in validation" in user.text
        assert "─ every torch momentum, in hindsight · mean IoU 0" in user.text


SIGHTS: list[Callable[[], Snapshot]] = [
    lambda: watched_run(),
    lambda: watched_run(BLIND),
    lambda: watched_run(replace(BLIND, findings=(), looked=0), validation=None, hindsight=None,
                        series={}, images=0, seconds=0.0, update=3, facts=None),
    lambda: watched_run(replace(WATCHED, convention="keras", momentum=0.99)),
    lambda: watched_run(
        replace(WATCHED, momentum=NAN, learning_rate=NAN, batch_size=0, optimizer=""),
        hindsight=replace(hindsight(distance=False), momentum=np.full(2, NAN), own=np.full(2, 0.3)),
    ),
    lambda: replace(OWN, phase=Phase.FINISHED),
    lambda: replace(OWN, validation=None, hindsight=None),
]  # fmt: skip


@pytest.mark.parametrize("size", [FULL, TABS, (60, 16)])
@pytest.mark.parametrize("sight", SIGHTS)
async def test_every_panel_and_screen_opens(
    size: tuple[int, int], sight: Callable[[], Snapshot]
) -> None:
    async with opened(size, follow=RUN) as user:
        await user.see(sight())
        for key in ("1", "2", "3", "down", "enter", "escape", "4", "enter", "escape", "5", "6",
                    "w", "right", "enter", "w", "escape", "v", "escape", "question_mark", "escape",
                    "comma", "x", "p"):  # fmt: skip
            await user.press(key)
            assert "nan" not in user.text.lower().replace("finance", ""), key
        assert user.app.screen.query(KeyLine)


async def test_help_and_palette_leave_out_what_would_lead_the_run() -> None:
    async with opened((120, 60), follow=RUN) as user:
        await user.see(watched_run())
        offered = [one.title for one in user.app.get_system_commands(user.app.screen)]
        assert "Show the measurements behind the verdict" in offered
        assert "Ask the watched training to recalibrate" in offered
        leading = ("Pause", "Restart", "twin", "branch", "experiments", "cards", "Keep the weights")
        assert not [one for one in offered if any(word in one for word in leading)]
        await user.press("question_mark")
        assert "─ this run ─" in user.text
        assert "pace:" not in user.text
        await user.press("2")
        assert "show every measurement behind the verdict" in user.text
        assert "make a single update" not in user.text


async def test_leaving_asks_nothing_and_touches_nothing() -> None:
    async with opened(follow=RUN) as user:
        await user.see(watched_run())
        await user.press("q")
        assert user.app.return_code == 0
    assert not {"pause", "resume", "RECALIBRATE", "KEEP_WEIGHTS"} & set(user.run.calls)


async def test_the_facts_have_the_focus_first() -> None:
    async with opened(follow=RUN) as user:
        assert isinstance(user.app.screen.focused, FactsPanel)
