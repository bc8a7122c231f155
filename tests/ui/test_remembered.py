"""What is remembered: how things are looked at, from one start to the next, and never what is run."""

import math
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from bntui.core.config import RunConfig
from bntui.core.text import ConfigError
from bntui.machine import config_file
from bntui.store.archive import KeptRuns
from bntui.ui.drawing.view import Axis
from bntui.ui.explorer.results import Results
from bntui.ui.remembered import Choices, Memory, chosen
from bntui.ui.runs.comparison import ComparisonScreen, Side
from bntui.ui.runs.screen import RunsScreen
from bntui.ui.themes import OWN, known_theme, names
from tests.store.recorded import keep
from tests.ui.scripted import mid_run
from tests.ui.user import CONFIG, User, opened
from tools.faults import Fault

EVERY = Choices("nord", 2.0, Axis.SECONDS, True, False, "val_acc", True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config/config.toml"


def said(user: User) -> list[str]:
    return [notice.text for notice in user.app.notices._notices]


def test_every_choice_is_there_at_the_next_start(path: Path) -> None:
    memory = Memory(path)
    assert (memory.choices, memory.remark) == (Choices(), "")
    every: dict[str, Any] = {name: getattr(EVERY, name) for name in Choices.__slots__}
    memory.keep(**every)
    memory.close()
    assert Memory(path).choices == EVERY


def test_without_a_choice_no_file_is_made(path: Path) -> None:
    memory = Memory(path)
    memory.keep(smooth=False, log_loss=True)
    memory.close()
    assert not path.parent.exists()


def test_two_explorers_at_once_lose_nothing_of_each_other(path: Path) -> None:
    one, other = Memory(path), Memory(path)
    one.keep(theme="nord")
    one.close()
    other.keep(smooth=True)
    other.close()
    one.keep(pace=4.0)
    one.close()
    assert Memory(path).choices == replace(Choices(), theme="nord", smooth=True, pace=4.0)


def test_what_changes_while_a_slow_disk_writes_is_written_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    change = config_file.change
    written: list[dict[str, Any]] = []

    def slow(path: Path, values: dict[str, Any]) -> str:
        begun.set()
        assert go_on.wait(10)
        written.append(values)
        return change(path, values)

    monkeypatch.setattr(config_file, "change", slow)
    memory = Memory(path)
    memory.keep(pace=1.0)
    assert begun.wait(10)
    for pace in (2.0, 3.0, math.inf):
        memory.keep(pace=pace)
    go_on.set()
    memory.close()
    assert written == [{"pace": 1.0}, {"pace": "max"}]


@pytest.mark.parametrize(
    ("values", "remark"),
    [
        ({"theme": "nrod"}, "theme: there is no theme 'nrod', the nearest is nord; there are "),
        ({"theme": 3}, "theme: there is no theme '3'"),
        ({"theme": ["nord"]}, "theme: there is no theme "),
        ({"pace": 0}, "pace: pace 0 is out of range"),
        ({"pace": True}, "pace: "),
        ({"pace": "\x1b[2J"}, "pace: "),
        ({"x-axis": "miles"}, "x-axis is 'miles' and must be one of updates, images, seconds."),
        ({"smooth": "yes"}, "smooth is 'yes' and must be true or false."),
        ({"tour-seen": 1}, "tour-seen is 1 and must be true or false."),
        ({"runs-by": {"a": 1}}, "runs-by is a table and must be a text."),
        ({"a-newer-one": 1, "smooth": True}, ""),
    ],
)
def test_a_value_that_can_t_be_used_leaves_the_others_alone(
    values: dict[str, Any], remark: str
) -> None:
    choices, told = chosen({"log-loss": False, **values})
    assert told.startswith(remark)
    assert bool(told) == bool(remark)
    assert told == "" or (told.endswith(".") and told.isprintable() and "\n" not in told)
    assert choices == replace(Choices(), log_loss=False, smooth=values.get("smooth") is True)


def test_a_run_s_own_pace_goes_over_the_remembered_one() -> None:
    config = RunConfig()
    slow = replace(config, knobs=replace(config.knobs, pace=3.0))
    assert EVERY.at_pace(config).knobs == replace(config.knobs, pace=2.0)
    assert EVERY.at_pace(slow) == slow


class TestInTheExplorer:
    async def test_it_opens_as_it_was_left(self, path: Path) -> None:
        async with opened(memory=Memory(path)) as user:
            await user.press("x", "s", "l")
            await user.choose("pace")
            await user.press("left")
            user.app.theme = "nord"
            await user.settle()
        assert config_file.read(path) == {
            "x-axis": "images", "smooth": True, "log-loss": False, "pace": 50.0, "theme": "nord",
        }  # fmt: skip
        async with opened(memory=Memory(path)) as user:
            view = user.app.explorer.query_one(Results).view
            assert (view.axis, view.smooth, view.log_loss) == (Axis.IMAGES, True, False)
            assert user.app.theme == "nord"

    async def test_knobs_of_the_run_are_not_remembered(self, path: Path) -> None:
        async with opened(memory=Memory(path)) as user:
            for knob in ("batch-size", "momentum", "learning-rate", "estimator"):
                await user.choose(knob)
                await user.press("left")
            await user.press("comma", "plus", "2")
            assert user.run.applied
        assert not path.exists()

    async def test_a_theme_of_the_command_line_is_for_this_time(self, path: Path) -> None:
        async with opened(memory=Memory(path), theme="dracula") as user:
            assert user.app.theme == "dracula"
            await user.press("s")
        assert config_file.read(path) == {"smooth": True}

    async def test_a_comparison_and_the_list_of_runs_follow_the_same_choices(
        self, path: Path
    ) -> None:
        keep(Path(os.environ["BNTUI_STORE"]), updates=12)
        memory = Memory(path)
        memory.keep(x_axis=Axis.IMAGES)
        async with opened(memory=memory, archive=KeptRuns()) as user:
            side = Side("one", mid_run(CONFIG))
            comparison = ComparisonScreen(side, side)
            await user.app.push_screen(comparison)
            assert comparison.view.axis is Axis.IMAGES
            await user.press("x", "escape")
            assert memory.choices.x_axis is Axis.SECONDS
            await user.press("o", "s")
            list_ = user.app.screen
            assert isinstance(list_, RunsScreen)
            sorted_by = list_._column
            await user.press("escape", "o")
            assert isinstance(user.app.screen, RunsScreen)
            assert user.app.screen._column == sorted_by != Choices().runs_by

    async def test_a_column_that_there_is_no_more_is_not_sorted_by(self, path: Path) -> None:
        memory = Memory(path)
        memory.keep(runs_by="of another bntui")
        async with opened(memory=memory, archive=KeptRuns()) as user:
            await user.press("o")
            assert isinstance(user.app.screen, RunsScreen)
            assert user.app.screen._column == "started"

    @pytest.mark.fault(
        "the file of choices is damaged",
        injected="no TOML in it, at the start and when the theme is changed",
    )
    async def test_a_damaged_file_is_told_once_and_set_aside(
        self, path: Path, fault: Fault
    ) -> None:
        path.parent.mkdir()
        path.write_text('theme = "nord')
        async with opened(memory=Memory(path)) as user:
            (first,) = said(user)
            assert first.startswith(f"{path} is no TOML (")
            assert first.endswith("): nothing of it is used.")
            assert path.read_text() == 'theme = "nord'
            user.app.clear_notifications()
            user.app.theme = "dracula"
            await user.until(lambda: bool(said(user)))
            (second,) = said(user)
            assert second.endswith("it is set aside as config.toml.damaged-1.")
        assert config_file.read(path) == {"theme": "dracula"}
        assert path.with_name("config.toml.damaged-1").read_text() == 'theme = "nord'
        fault.saw = f"“{first.replace(str(path.parent), '…')}”; set aside when the theme is changed"
        fault.lost = "nothing; the file has another name"

    async def test_where_nothing_can_be_written_that_is_told_once(self) -> None:
        async with opened(memory=Memory(Path("/proc/missing/config.toml"))) as user:
            assert said(user) == []
            user.app.theme = "nord"
            await user.until(lambda: bool(said(user)))
            (told,) = said(user)
            assert told.startswith("what you choose is not remembered: /proc/missing/config.toml")
            user.app.clear_notifications()
            await user.press("s")
            user.app.memory.close()
            await user.settle()
            assert said(user) == []

    async def test_hostile_text_in_it_is_shown_literally(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_text('theme = "\\u001b[31m[bold]\\u202e"\n')
        async with opened(memory=Memory(path)) as user:
            (told,) = said(user)
            assert told.isprintable()
            assert "[bold]" in told
            assert "there is no theme" in user.part()


async def test_it_opens_with_its_own_theme_unless_textual_is_told_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as user:
        assert user.app.theme == "bntui"
        assert {"bntui", "bntui-light"} <= user.app.available_themes.keys()
    for asked, theme in (("nord", "nord"), ("none such", "bntui"), ("", "bntui")):
        monkeypatch.setenv("TEXTUAL_THEME", asked)
        async with opened() as user:
            assert user.app.theme == theme


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_what_has_the_focus_is_seen_on_the_ground_of_its_theme(theme: Theme) -> None:
    ground, focus = Color.parse(theme.background or ""), Color.parse(theme.primary)
    assert contrast(ground, focus) >= 4.5
    assert contrast(ground, Color.parse(theme.foreground or "")) >= 7.0
    few = RichColor.parse(theme.primary).downgrade(ColorSystem.STANDARD).number
    assert few in {5, 13}  # magenta: no curve's


def contrast(one: Color, other: Color) -> float:
    """Return WCAG's ratio of contrast."""
    low, high = sorted(0.05 + luminance(color) for color in (one, other))
    return high / low


def luminance(color: Color) -> float:
    parts = [part / 255 for part in color.rgb]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_theme_that_is_none_is_refused_with_the_nearest_and_all() -> None:
    with pytest.raises(ConfigError) as refused:
        known_theme("gruvbx")
    text = str(refused.value)
    assert text.startswith("there is no theme 'gruvbx', the nearest is gruvbox; there are ")
    assert all(name in text for name in names())
    assert known_theme(" Nord ") == "nord"
