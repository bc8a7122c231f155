"""The table of keys: nothing that a key does is missing in it, and all that is made from it agrees."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

import bntui.ui
from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.ui.app import BntuiApp
from bntui.ui.explorer.remedies import KEY_WORDS
from bntui.ui.explorer.screen import Explorer
from bntui.ui.key_lines import HelpLine, ScreenKeys
from bntui.ui.key_table import EXPLORER, SCREENS
from bntui.ui.listed_keys import help_sentence
from tests.ui.scripted import ScriptedRuns
from tools.keys import FILE, markdown

WRITTEN = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
    "delete": "del",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
"""How the table writes keys that Textual writes otherwise."""
LINES = [line for screen in SCREENS for line in screen.lines]


def bound() -> Iterator[tuple[str, Binding]]:
    """Yield every binding of bntui's own screens and widgets, a key each, with its class's name."""
    for module in pkgutil.walk_packages(bntui.ui.__path__, "bntui.ui."):
        found = importlib.import_module(module.name)
        for name, one in vars(found).items():
            if isinstance(one, type) and one.__module__ == module.name and issubclass(one, DOMNode):
                for binding in Binding.make_bindings(one.__dict__.get("BINDINGS", ())):
                    yield name, binding


def keys_of(line: HelpLine) -> set[str]:
    """Return the keys that a line names; of a range all digits in it."""
    if match := re.fullmatch(r"(\d) – (\d)", line.keys):
        return set(map(str, range(int(match[1]), int(match[2]) + 1)))
    return set(line.keys.split())


def test_every_binding_of_every_screen_is_in_the_table() -> None:
    listed = {
        (binding.key, binding.action)
        for line in LINES
        for binding in Binding.make_bindings((*line.bindings, *line.elsewhere))
    }
    every = list(bound())
    assert len(every) > 100
    assert [(name, one.key) for name, one in every if (one.key, one.action) not in listed] == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_line_names_a_key_of_every_binding_on_it(screen: ScreenKeys) -> None:
    for line in screen.lines:
        for binding in (*line.bindings, *line.elsewhere):
            keys = binding.key.split(",")
            if "shift" in line.does:  # it says what that key does with it
                keys = [key.removeprefix("shift+") for key in keys]
            names = {*keys, *map(format_key, keys), *(WRITTEN.get(key, key) for key in keys)}
            if binding.key != "ctrl+c":  # which everybody tries
                assert names & keys_of(line), (line.keys, binding.key)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_no_key_of_a_screen_stands_for_two_things(screen: ScreenKeys) -> None:
    keys = [binding.key for binding in Binding.make_bindings(screen.bindings())]
    assert len(set(keys)) == len(keys)


def test_every_command_of_the_table_is_one_of_the_explorer_s() -> None:
    app = BntuiApp(ScriptedRuns(), RunRequest(RunConfig()))
    named = {binding.id for binding in EXPLORER.bindings() if binding.id}
    assert named == set(app.explorer._commands)
    assert all(hasattr(Explorer, f"action_{name}") for name in ("command", "look", "panel"))


def test_what_the_help_leaves_out_is_in_the_page_all_the_same() -> None:
    page = markdown()
    assert all(f"| {line.does} |" in page for line in LINES)


def test_the_page_of_keys_is_made_from_the_table() -> None:
    assert FILE.read_text(encoding="utf-8") == markdown(), "python -m tools.keys makes it anew"


def known_keys() -> set[str]:
    return {key for line in EXPLORER.lines for key in keys_of(line)}


def test_every_key_that_the_readme_names_is_one_of_the_explorer_s() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<!`)`([^`])`(?!`)", readme))  # no fences of code
    assert len(named) > 5
    assert named <= known_keys()


def test_so_is_every_key_of_a_remedy() -> None:
    named = {key for words in KEY_WORDS.values() for key in re.findall(r"\[(\w+)\]", words)}
    assert {"c", "space"} <= named <= known_keys()


async def test_the_palette_says_what_the_help_says() -> None:
    app = BntuiApp(ScriptedRuns(loaded=True), RunRequest(RunConfig(width=0.25)))
    async with app.run_test(size=(120, 40)):
        said = {one.title: one.help for one in app.get_system_commands(app.screen)}
    assert said["Set up a new run: norm, depth, width, data"].startswith(
        "key k: set up a new run: "
    )
    assert said["Save the screen as an SVG picture"] == "key S"  # its line is of D and W, too
    assert said["Restart with a new seed"] == "key R"


def test_of_a_key_that_is_textual_s_own_nothing_is_said() -> None:
    assert help_sentence(Binding("ctrl+q", "quit")) == ""
