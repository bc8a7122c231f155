"""The explorer at every size, and with every theme."""

from dataclasses import replace

import pytest

from bntui.core.config import Knobs
from bntui.ui.app import BntuiApp
from bntui.ui.widgets.knob import Knob
from tests.ui.scripted import histories, history
from tests.ui.user import CONFIG, FULL, PANELS, TABS, TINY, opened


class TestSizes:
    async def test_all_panels_but_loss_are_shown_at_once_where_there_is_room(self) -> None:
        async with opened() as user:
            for key, hidden in (("5", "2"), ("2", "1"), ("3", "1"), ("1", "2")):
                await user.press(key)
                shown = {number for number, title in PANELS.items() if title in user.text}
                assert shown == set(PANELS) - {hidden}

    async def test_a_tall_terminal_shows_loss_as_well(self) -> None:
        async with opened((200, 60)) as user:
            for key in PANELS:
                await user.press(key)
                assert all(title in user.text for title in PANELS.values())

    async def test_accuracy_has_twelve_rows_at_the_usual_size(self) -> None:
        async with opened() as user:
            assert user.app.screen.query_one("#panel-1").size.height - 1 >= 12

    async def test_number_keys_switch_panels_on_a_small_terminal(self) -> None:
        async with opened(TABS) as user:
            assert PANELS["1"] in user.text
            for key in (*PANELS, "1"):
                await user.press(key)
                shown = {number for number, title in PANELS.items() if title in user.text}
                assert shown == {key}
                assert "Validation fails: 11 % instead of 97 %" in user.part("HeadlinePanel")

    @pytest.mark.parametrize("size", [FULL, TABS, (60, 16), (200, 60)])
    async def test_tab_visits_the_knobs_and_every_panel_and_shift_tab_goes_back(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size) as user:

            def here() -> str:
                focused = user.app.screen.focused
                assert focused is not None
                assert focused.is_on_screen
                return "knobs" if isinstance(focused, Knob) else focused.id or ""

            visited = [here()]
            while len(visited) < 2 or visited[-1] != "knobs":
                await user.press("tab")
                visited.append(here())
            hidden = {"panel-2"} if size == FULL else set()
            assert sorted(visited[1:]) == sorted(
                {"knobs", *map("panel-{}".format, PANELS)} - hidden
            )
            for place in reversed(visited[:-1]):
                await user.press("shift+tab")
                assert here() == place

    async def test_tab_returns_to_the_knob_that_was_chosen(self) -> None:
        async with opened() as user:
            await user.press("down", "down", "tab", "shift+tab")
            assert user.knob("momentum").startswith("momentum ◂0.99▸")

    async def test_a_hidden_panel_is_up_to_date_when_it_is_shown(self) -> None:
        async with opened(TABS) as user:
            await user.press("2", "1")
            await user.see(update=98, series=histories() | {"val_loss": history([1.25])})
            await user.press("2")
            assert "1.250 running" in user.part("#panel-2")

    async def test_the_knobs_fit_in_one_line_of_a_small_terminal(self) -> None:
        wide = Knobs(batch_size=65536, momentum=0.995, learning_rate=0.0005)
        async with opened(TABS, replace(CONFIG, knobs=wide)) as user:
            line = user.text.splitlines()[4]
            assert line.split("  ")[0].strip() == "▸batch 65536"
            assert " ".join(line.split()) == (
                "▸batch 65536 BN on m 0.995 est momentum rate 0.0005 pace max"
            )
            await user.choose("learning-rate")
            await user.press("left")
            assert "rate 0.0002…" in user.text.splitlines()[4]

    async def test_the_longest_values_fit_beside_each_other(self) -> None:
        wide = Knobs(65536, 0.995, "bias-corrected", 0.0005, 20.0)
        async with opened(TABS, replace(CONFIG, norm="ghost", knobs=wide)) as user:
            assert " ".join(user.text.splitlines()[4].split()) == (
                "▸batch 65536 BN ghost m 0.995 est bias-corrected rate 0.0005 pace 20/s"
            )

    async def test_the_usual_values_fit_where_there_is_least_room(self) -> None:
        usual = Knobs(4096, 0.99, "warm-up", 0.001)
        async with opened((60, 16), replace(CONFIG, knobs=usual)) as user:
            assert " ".join(user.text.splitlines()[4].split()) == (
                "▸batch 4096 BN on m 0.99 est warm-up rate 0.001 pace max"
            )

    async def test_knobs_turn_on_a_small_terminal_too(self) -> None:
        async with opened(TABS) as user:
            await user.press("down", "down", "left")
            assert user.run.applied == [Knobs(momentum=0.98)]

    async def test_a_tiny_terminal_is_told_what_is_needed(self) -> None:
        async with opened(TINY) as user:
            assert user.part() == (
                "bntui needs 60 columns and 16 rows: please enlarge the terminal. The run goes on."
            )
            await user.press("q")
        assert user.run.calls == ["start", "leave"]

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_resizing_back_and_forth_restores_the_screen(self, size: tuple[int, int]) -> None:
        async with opened(size) as user:
            before = user.text
            for other in (FULL, TABS, TINY):
                await user.resize(other)
                await user.resize(size)
                assert user.text == before
            await user.press("right")
            assert user.run.applied == [Knobs(batch_size=512)]

    async def test_the_smallest_size_shows_verdict_and_chart(self) -> None:
        async with opened((60, 16)) as user:
            assert "Validation fails: 11 % instead of 97 %" in user.part("HeadlinePanel")
            assert "0.114 running" in user.part("#panel-1")


class TestThemes:
    async def test_a_light_theme_shows_the_same_in_colours_that_suit_it(self) -> None:
        async with opened() as user:
            before, dark = user.text, colours(user.app, "0.114 running")
            user.app.theme = "textual-light"
            await user.settle()
            assert user.text == before
            assert dark[0] == "#e69f00"
            assert colours(user.app, "0.114 running")[0] == "#8f6000"
            assert colours(user.app, "0.114 running")[1] != dark[1]

    @pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
    async def test_the_panel_with_the_focus_looks_unlike_the_others(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with opened() as user:
            for key, title in (("3", "every momentum"), ("4", "drift: running")):
                await user.press("6")
                elsewhere = styles(user.app, title)
                await user.press(key)
                assert styles(user.app, title) != elsewhere


def styles(app: BntuiApp, text: str) -> list[str]:
    """Return how the line is drawn that `text` is on."""
    for strip in app.screen._compositor.render_strips():
        if text in strip.text:
            return [str(segment.style) for segment in strip]
    raise AssertionError(f"{text!r} is not on the screen")


def colours(app: BntuiApp, text: str) -> tuple[str, str]:
    """Return the foreground and the background that `text` is shown in."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if text in segment.text and segment.style:
                color, ground = segment.style.color, segment.style.bgcolor
                return (color.name if color else "", ground.name if ground else "")
    raise AssertionError(f"{text!r} is not on the screen")
