"""The help, by real keys: every word is explained on its panel, at most two keys away."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.binding import Binding
from textual.screen import Screen

import bntui.ui
from bntui.core.snapshot import Checkpoint, Phase
from bntui.ui import key_table
from bntui.ui.explorer.drift_rows import DRIFT_COLUMNS
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.knob_spec import KNOBS
from bntui.ui.words.help_screen import HelpScreen
from bntui.ui.words.places import KEYS, PLACES
from bntui.ui.words.terms import TERMS
from tests.ui.scripted import layers, validation
from tests.ui.user import CONFIG, FULL, TABS, User, opened
from tools.picture_checks import faults

SMALL = (60, 16)
WORDS = {
    "panel-1": ["train", "fresh", "running", "lost", "stale", "update", "epoch", "twin", "ghost"],
    "panel-2": ["loss", "fresh", "running", "noise scale", "update", "twin", "ghost"],
    "panel-3": [
        *("hindsight", "momentum", "bias-corrected", "cumulative", "warm-up", "estimator"),
        *("what if", "update"),
    ],
    "panel-4": [
        *(
            "alone",
            "sound in",
            "variance ×",
            "mean gap",
            "worst",
            "start",
            "network error",
            "channels",
        ),
        *("trend", "dead", "σ", "drift", "lag", "stale"),
    ],
    "panel-5": ["predictions", "running", "fresh", "stale"],
    "panel-6": [
        *("running", "fresh", "stale", "start", "lag", "recalibration", "hindsight", "alone"),
        *("sound in", "momentum"),
    ],
    "batch-size": ["batch size", "update", "epoch", "noise scale", "start"],
    "norm": ["batch norm"],
    "momentum": ["momentum", "start", "lag"],
    "estimator": ["estimator", "bias-corrected", "cumulative", "warm-up"],
    "learning-rate": ["learning rate"],
    "pace": ["pace"],
}
"""What stands on each panel of the explorer, and on each knob, in words that need an explanation."""
ISSUE = (
    *(
        "running",
        "fresh",
        "stale",
        "drift",
        "sound in",
        "start",
        "lag",
        "network error",
        "worst",
        "dead",
    ),
    *("estimator", "σ", "bias-corrected", "noise scale", "hindsight", "twin", "momentum", "epoch"),
    *(
        "update",
        "batch norm",
        "recalibration",
        "variance ×",
        "mean gap",
        "alone",
        "trend",
        "what if",
    ),
    *("ghost", "warm-up", "cumulative", "predictions"),
)
OTHER_SCREENS = {
    "WhatIfScreen": ["w"],
    "LayerScreen": ["4", "enter"],
    "StructureScreen": ["k"],
    "BranchScreen": ["b"],
}
"""Keys from the explorer to them."""
NO_WORDS = {
    *(
        "HelpScreen",
        "LeaveScreen",
        "PromptScreen",
        "ValueScreen",
        "AskScreen",
        "TextScreen",
        "Explorer",
        "Dialog",
        "Palette",
    ),
}
"""Dialogs that are read in themselves, and the screen whose panels have the words."""


async def go_to(user: User, place: str) -> None:
    """Move the focus by keys: a panel has its number, a knob is up or down from another."""
    if place.startswith("panel-"):
        await user.press(place[-1])
    else:
        await user.choose(place)
    focused = user.app.screen.focused
    assert focused
    assert focused.id == place


def explained(user: User) -> set[str]:
    """Return the words whose explanations begin on the screen."""
    box = user.app.screen.query_one(".box").region
    rows = [row[box.x : box.right].strip(" │") for row in user.text.splitlines()]
    return {
        word for word, term in TERMS.items() if any(row.startswith(f"{term.name}:") for row in rows)
    }


async def within_keys(user: User, place: str, most: int) -> set[str]:
    """Return the words that so many keys at most lead to from a place: the first one is `?`."""
    await go_to(user, place)
    await user.press("question_mark")
    found = explained(user)
    for second in ("pagedown", "end", *sorted({word[0] for word in WORDS[place]} - {"σ"})):
        await user.press("home")  # as the help opens
        for _ in range(most - 1):
            await user.press(second)
            found |= explained(user)
    await user.press("escape")
    return found


@pytest.mark.parametrize(
    ("size", "most"), [(FULL, 2), (TABS, 2), (SMALL, 3)], ids=["120x40", "80x24", "60x16"]
)
async def test_every_word_of_a_panel_is_two_keys_away(size: tuple[int, int], most: int) -> None:
    async with opened(size) as user:
        missing = {
            place: set(words) - await within_keys(user, place, most)
            for place, words in WORDS.items()
        }
    assert {place: words for place, words in missing.items() if words} == {}


def test_those_are_all_words_of_the_issue() -> None:
    assert set(ISSUE) <= {word for words in WORDS.values() for word in words}


def test_every_column_of_the_drift_table_and_every_knob_has_its_word() -> None:
    terms = PLACES["panel-4"].terms
    for column in filter(None, DRIFT_COLUMNS):
        assert column == "layer" or any(
            term.startswith(column) or column.startswith(term) for term in terms
        ), column
    for spec in KNOBS:
        assert PLACES[spec.name.replace("_", "-")].terms


def test_every_place_names_terms_that_there_are() -> None:
    for place in PLACES.values():
        assert set(place.terms) <= set(TERMS)
        assert len(set(place.terms)) == len(place.terms)


def test_every_term_stands_somewhere() -> None:
    somewhere = {name for place in PLACES.values() for name in place.terms}
    assert set(TERMS) == somewhere


def screens() -> Iterator[type[Screen[object]]]:
    """Yield every class of screens of bntui."""
    for module in pkgutil.walk_packages(bntui.ui.__path__, "bntui.ui."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, Screen) and one.__module__ == module.name:
                yield one


def test_every_screen_has_the_help_with_words_and_keys_of_its_own() -> None:
    found = {one.__name__: one for one in screens() if one.__name__ not in NO_WORDS}
    assert len(found) > 8
    assert set(found) == set(KEYS)
    for name, screen in found.items():
        assert name in PLACES
        bound = {binding.key: binding.action for binding in Binding.make_bindings(screen.BINDINGS)}
        assert bound["question_mark"] == "app.explain", name


@pytest.mark.parametrize("name", OTHER_SCREENS)
async def test_the_help_of_another_screen_is_its_own(name: str) -> None:
    async with opened() as user:
        await user.see(checkpoints=(Checkpoint(0, "start", CONFIG, b""),))
        await user.press(*OTHER_SCREENS[name])
        assert type(user.app.screen).__name__ == name
        before = user.text
        await user.press("question_mark")
        place = PLACES[name]
        assert f"─ {place.title} ─" in user.text or name == "StructureScreen"
        assert explained(user) & set(place.terms)
        await user.press("2")
        keys = KEYS[name]
        assert f"─ {keys.name} ─" in user.text
        await user.press("escape")
        assert user.text == before


class TestPages:
    async def test_keys_and_arrows_turn_the_pages_around(self) -> None:
        async with opened() as user:
            await user.press("question_mark")
            for key, text in (
                ("2", "choose a knob"),
                ("right", "A, B:"),
                ("tab", "bntui grew out of a thread"),
                ("right", "batch size:"),
                ("left", "bntui grew out of a thread"),
                ("3", "A, B:"),
                ("1", "batch size:"),
            ):
                await user.press(key)
                assert text in user.part(".box"), key

    async def test_a_page_opens_at_its_beginning(self) -> None:
        async with opened(TABS) as user:
            await user.press("question_mark", "3", "end", "2")
            assert user.part(".box").startswith("╭─ help")
            assert f"─ {key_table.EXPLORER.sections[0].title} ─" in user.text

    async def test_all_keys_of_the_explorer_are_there(self) -> None:
        async with opened((120, 90)) as user:
            await user.press("question_mark", "2")
            shown = user.part(".box")
            for section in key_table.EXPLORER.sections:
                for line in section.lines:
                    assert " ".join(f"{line.keys} {line.does}".split()) in shown

    async def test_the_end_of_a_page_can_be_reached_on_a_small_terminal(self) -> None:
        async with opened(SMALL) as user:
            await user.press("question_mark", "4", "end")
            assert "puts the third post to the test." in user.part(".box")

    async def test_lines_and_screenfuls_move_by_what_they_say(self) -> None:
        async with opened(TABS) as user:
            await user.press("question_mark", "3")
            rows = user.text.splitlines()
            await user.press("down")
            assert user.text.splitlines()[3][:70] == rows[4][:70]
            await user.press("up", "pagedown")
            assert user.text.splitlines()[3][:70] == rows[22][:70]
            await user.press("pageup")
            assert user.text.splitlines()[3][:70] == rows[3][:70]

    async def test_a_click_on_a_name_opens_its_page(self) -> None:
        async with opened() as user:
            await user.press("question_mark")
            await user.pilot.click("Names", offset=(16, 0))
            await user.settle()
            assert "choose a knob" in user.part(".box")

    @pytest.mark.parametrize("key", ["escape", "question_mark", "q", "enter"])
    async def test_it_closes_and_leaves_everything_as_it_was(self, key: str) -> None:
        async with opened() as user:
            before = user.text
            await user.press("question_mark", key)
            assert user.text == before
            assert user.run.calls == ["start"]


class TestNumbers:
    async def test_they_are_those_of_the_moment_it_was_opened(self) -> None:
        async with opened() as user:
            await user.press("1", "question_mark")
            assert "─ help · numbers of update 97 · validated at 97 ─" in user.text
            assert "fresh = right answers / images = 974 / 1,000 = 0.974" in user.part(".box")
            await user.see(update=120, validation=validation(0.5, 0.9, update=119))
            assert "numbers of update 97" in user.text
            assert "974 / 1,000" in user.text
            await user.press("escape", "question_mark")
            assert "─ help · numbers of update 120 · validated at 119 ─" in user.text
            assert "900 / 1,000" in user.text

    async def test_of_a_layer_they_are_the_chosen_one_s(self) -> None:
        async with opened() as user:
            now = list(layers())
            now[1] = replace(now[1], mean_gap=0.88)
            await user.see(validation=replace(validation(), layers=tuple(now)))
            await user.press("4", "down", "question_mark")
            assert "/ σ = 0.88 σ (conv2_bn)" in user.text
            await user.press("escape", "enter", "question_mark")
            assert "/ σ = 0.88 σ (conv2_bn)" in user.text
            await user.press("escape", "right", "question_mark")
            assert "/ σ = 0.42 σ (conv3_bn)" in user.text

    async def test_where_kept_runs_are_listed_there_are_none(self) -> None:
        async with opened() as user:
            await user.press("k", "question_mark")
            assert "numbers of" not in user.text
            assert "running ← m · running + (1 − m) · batch │" in " ".join(user.text.split())

    async def test_before_anything_is_measured_formulas_have_letters(self) -> None:
        async with opened(loaded=False) as user:
            await user.press("1", "question_mark")
            assert "fresh = right answers / images · not measured yet" in user.part(".box")
            assert "─ help · numbers of update 0 ─" in user.text


async def test_a_run_that_fails_meanwhile_is_told_once_it_is_closed() -> None:
    async with opened() as user:
        await user.press("question_mark")
        await user.see(phase=Phase.FAILED, message="no digits")
        await user.press("escape")
        assert "no digits" in user.text


@pytest.mark.parametrize("size", [FULL, TABS, SMALL], ids=["120x40", "80x24", "60x16"])
@pytest.mark.parametrize("place", ["panel-1", "panel-4", "estimator"])
async def test_no_page_cuts_a_word_or_parts_a_unit(size: tuple[int, int], place: str) -> None:
    async with opened(size) as user:
        await go_to(user, place)
        await user.press("question_mark")
        for page in "1234":
            for key in (page, "pagedown", "end"):
                await user.press(key)
                assert faults(user.app) == []


@pytest.mark.parametrize("size", [FULL, TABS, SMALL], ids=["120x40", "80x24", "60x16"])
async def test_an_ascii_terminal_gets_ascii(size: tuple[int, int]) -> None:
    async with opened(size, glyphs=Glyphs.ASCII) as user:
        await user.press("question_mark")
        for page in "1234":
            await user.press(page)
            assert user.text.isascii()
            assert isinstance(user.app.screen, HelpScreen)
            assert faults(user.app) == []
