"""The help, by real keys: every word is explained on its panel, at most two keys away."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.screen import Screen

import bntui.ui
from bntui.core.snapshot import Checkpoint, Phase
from bntui.ui import key_table
from bntui.ui.explorer.drift import DRIFT_COLUMNS
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.knob_spec import KNOBS
from bntui.ui.words.help_screen import HelpScreen
from bntui.ui.words.places import KEYS, PLACES
from bntui.ui.words.terms import TERMS
from tests.ui.scripted import layers, validation
from tests.ui.user import FULL, TABS, User, opened

SMALL = (60, 16)
WORDS = {
    "panel-1": ["train", "fresh", "running", "lost", "stale", "update", "epoch", "twin", "ghost"],
    "panel-2": ["loss", "fresh", "running", "noise scale", "update", "twin", "ghost"],
    "panel-3": [
        *("hindsight", "momentum", "bias-corrected", "cumulative", "warm-up", "estimator"),
        *("what if", "update"),
    ],
    "panel-4": [
        *("alone", "sound in", "variance ×", "mean gap", "worst", "start", "net err", "ch"),
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
    *("running", "fresh", "stale", "drift", "sound in", "start", "lag", "net err", "worst", "dead"),
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
FINDS = {"σ": "end"}
"""The second key for a word that no letter leads to."""
NO_WORDS = {
    *("HelpScreen", "PromptScreen", "ValueScreen", "AskScreen", "TextScreen", "Explorer"),
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


def explained(user: User, word: str) -> bool:
    """Tell whether the word's explanation is on the screen, from its beginning."""
    start = f"{TERMS[word].name}:"
    return any(line.strip(" │").startswith(start) for line in user.text.splitlines())


async def finds(user: User, word: str) -> bool:
    """Open the help, and find a word with one key more at most."""
    await user.press("question_mark")
    if explained(user, word):
        return True
    await user.press(FINDS.get(word, word[0]))
    return explained(user, word)


@pytest.mark.parametrize("size", [FULL, TABS, SMALL], ids=["120x40", "80x24", "60x16"])
@pytest.mark.parametrize("place", WORDS)
async def test_every_word_of_a_panel_is_two_keys_away(place: str, size: tuple[int, int]) -> None:
    async with opened(size) as user:
        for word in WORDS[place]:
            await go_to(user, place)
            assert await finds(user, word), word
            await user.press("escape")


def test_those_are_all_words_of_the_issue() -> None:
    assert set(ISSUE) <= {word for words in WORDS.values() for word in words} | {"twin"}
