"""The command palette: what keys do, found by its words; and lists that are not laid out."""

from dataclasses import replace
from typing import Any

import pytest
from textual.binding import Binding
from textual.command import CommandList

from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.experiments.library import built_in, configs_of
from bntui.machine.places import store_path
from bntui.store.archive import KeptRuns
from bntui.ui.app import BntuiApp
from bntui.ui.experiments.list import ExperimentsScreen
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.whatif import WhatIfScreen
from bntui.ui.key_table import SCREENS
from bntui.ui.palette_sentences import SENTENCES
from bntui.ui.widgets.option_list import Options
from bntui.ui.widgets.palette import Palette
from tests.store.recorded import keep
from tests.ui.scripted import ScriptedRuns, mid_run
from tests.ui.user import CONFIG, opened


def app() -> BntuiApp:
    return BntuiApp(
        ScriptedRuns(loaded=True), RunRequest(RunConfig(width=0.25)), archive=KeptRuns()
    )


async def test_it_offers_what_keys_do_and_none_of_it_twice() -> None:
    explorer = app()
    async with explorer.run_test(size=(120, 40)):
        titles = [command.title for command in explorer.get_system_commands(explorer.screen)]
    assert {
        *("Change the theme", "Quit bntui", "Recalibrate the running statistics"),
        *("Try these weights under every momentum", "Save the data as CSV", "Pause the run"),
    } <= set(titles)
    assert len(set(titles)) == len(titles)
    assert not {"Maximize", "Screenshot", "Copy selected text"} & set(titles)  # Textual's own


def test_every_key_that_has_a_word_has_a_sentence_too() -> None:
    named = {
        binding.action
        for screen in SCREENS
        for line in screen.lines
        for binding in Binding.make_bindings((*line.bindings, *line.elsewhere))
        if binding.description
    }
    assert named - SENTENCES.keys() == set()
    for sentence in SENTENCES.values():
        assert sentence[0].isupper()
        assert " " in sentence
        assert not sentence.endswith(".")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "Pause the run"),
        ({"phase": Phase.PAUSED}, "Go on with the run"),
        ({"phase": Phase.FINISHED}, "Train 10 more epochs"),
        ({"config": replace(CONFIG, twin="momentum=0.9")}, "Train without the twin"),
    ],
)
async def test_it_says_what_a_key_does_now(changes: dict[str, Any], title: str) -> None:
    async with opened() as user:
        await user.see(mid_run(CONFIG), **changes)
        commands = list(user.app.get_system_commands(user.app.screen))
        assert title in [command.title for command in commands]
        await user.press("p")
        titles = [command.title for command in user.app.get_system_commands(user.app.screen)]
        assert "Take the pinned curves away" in titles


async def test_it_says_why_a_key_can_t_act_now() -> None:
    async with opened() as user:
        await user.see(mid_run(CONFIG))
        said = {one.title: one.help for one in user.app.get_system_commands(user.app.screen)}
    assert said["Train on the built-in digits instead"].startswith(
        "not now: d is for a run that failed"
    )


async def test_a_command_does_what_its_key_does() -> None:
    explorer = app()
    async with explorer.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"under every")
        palette = explorer.screen
        assert isinstance(palette, Palette)
        found = palette.query_one(CommandList)
        for _ in range(500):
            if found.option_count == 1 and found.highlighted == 0:
                break
            await pilot.pause(0.02)
        await pilot.press("enter")
        for _ in range(200):
            if isinstance(explorer.screen, WhatIfScreen):
                break
            await pilot.pause(0.02)
        assert isinstance(explorer.screen, WhatIfScreen)


@pytest.mark.parametrize("key", ["o", "question_mark", "w"])
async def test_nor_is_anything_offered_twice_on_other_screens(key: str) -> None:
    keep(store_path(), updates=12)
    explorer = app()
    async with explorer.run_test(size=(120, 40)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert explorer.screen is not explorer.explorer
        titles = [command.title for command in explorer.get_system_commands(explorer.screen)]
    assert len(set(titles)) == len(titles)


async def test_the_themes_are_a_palette_too_and_only_one_is_open() -> None:
    explorer = app()
    async with explorer.run_test(size=(120, 40)) as pilot:
        explorer.search_themes()
        await pilot.pause()
        assert isinstance(explorer.screen, Palette)
        await pilot.press("ctrl+p")
        assert len(explorer.screen_stack) == 2


async def test_a_list_that_is_not_laid_out_yet_can_be_paged_through() -> None:
    explorer = app()
    async with explorer.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        palette = explorer.screen
        assert isinstance(palette, Palette)
        found = palette.query_one(CommandList)
        found.add_option("a")
        found._index_to_line.clear()
        found.highlighted = 0
        palette._action_command_list("page_up")
        assert explorer.is_running


async def test_so_can_a_list_in_a_tiny_terminal() -> None:
    explorer = BntuiApp(
        ScriptedRuns(loaded=True),
        RunRequest(RunConfig(width=0.25)),
        experiments=Experiments(built_in, lambda experiment: configs_of(experiment, {})),
    )
    async with explorer.run_test(size=(1, 1)) as pilot:
        await pilot.press("g")
        assert isinstance(explorer.screen, ExperimentsScreen)
        for key in ("pageup", "pagedown", "end"):
            explorer.screen.query_one(Options)._index_to_line.clear()
            await pilot.press(key)
        assert explorer.is_running
