"""On a real terminal: the cards come at the first start and at no other, unless they are asked for."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.common import surroundings
from benchmarks.driver import Terminal
from bntui.machine import config_file

SIZE = (100, 30)
BNTUI = [sys.executable, "-P", "-m", "bntui"]
TINY = ["--width", "0.05", "--train-size", "64", "--batch-size", "32", "--paused", "--no-store"]


def seen_at_first(config: Path, *options: str, keys: str = "") -> str:
    """Return the first screen of an explorer that remembers in `config`; press keys there, and quit."""
    around = surroundings(Path(os.environ["BNTUI_STORE"]).parent) | {"BNTUI_CONFIG": str(config)}
    around |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
    with Terminal([*BNTUI, *TINY, *options], around, SIZE) as terminal:
        terminal.until(lambda screen: "‖ paused" in screen)
        first = now = terminal.text
        for key in keys:
            terminal.press(key)
            terminal.until(lambda screen, before=now: screen != before)  # type: ignore[misc]
            now = terminal.text
        terminal.press("q")
        assert terminal.wait() == 0, terminal.last
    return first


def test_the_cards_come_once(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    assert "1 of 3" not in seen_at_first(config, "--no-tour")
    assert not config.exists()
    assert "1 of 3" in seen_at_first(config)  # left with q, not skipped
    assert "1 of 3" in seen_at_first(config, keys="\r\r\r")
    assert config_file.read(config) == {"tour-seen": True}
    assert "1 of 3" not in seen_at_first(config)
    assert "1 of 3" in seen_at_first(config, "--tour")


@pytest.mark.parametrize("where", ["/dev/null", "/dev/null/none"])
def test_where_nothing_can_be_remembered_they_come_only_when_asked_for(where: str) -> None:
    assert "1 of 3" not in seen_at_first(Path(where))
    assert "1 of 3" in seen_at_first(Path(where), "--tour")


def test_the_remembered_theme_and_pace_are_there_at_the_start(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('tour-seen = true\ntheme = "textual-light"\npace = 2\n')
    assert "2/s" in seen_at_first(config)
    assert "5/s" in seen_at_first(config, "--pace", "5", "--theme", "nord")
    assert config_file.read(config) == {"tour-seen": True, "theme": "textual-light", "pace": 2}
