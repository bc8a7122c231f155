"""The canvas sends what changed, and no more."""

import re
from typing import Any

import pytest
from rich.console import COLOR_SYSTEMS
from rich.segment import Segment
from textual.app import ComposeResult
from textual.geometry import Region
from textual.widgets import Static

from bntui.ui.drawing.canvas import ROLES, changed_spans, fitted
from bntui.ui.terminal.diff_output import DiffApp
from tests.ui.drawing.slate import Slate, SlateApp, Wire, characters, line, sent


class TestFitted:
    def test_a_row_is_padded_and_cut_to_the_width(self) -> None:
        assert fitted([("ab", "x")], 4) == [("ab", "x"), ("  ", "")]
        assert fitted([("abc", "x"), ("def", "y")], 4) == [("abc", "x"), ("d", "y")]
        assert fitted([], 2) == [("  ", "")]
        assert fitted([("ab", "x")], 0) == []

    def test_neighbours_of_one_role_are_merged(self) -> None:
        assert fitted([("a", "x"), ("", "y"), ("b", "x"), ("c", "")], 4) == [
            ("ab", "x"),
            ("c ", ""),
        ]

    def test_what_can_not_be_shown_becomes_a_question_mark(self) -> None:
        assert fitted([("a\x1b\t\n\0e\u200b\xad", "")], 9) == [("a????e?? ", "")]

    def test_a_wide_character_takes_two_cells_and_a_mark_on_another_none(self) -> None:
        assert fitted([("漢🙂e\u0301x", "")], 8) == [("漢\0🙂\0ex  ", "")]
        assert fitted([("a漢b", "x"), ("字c", "y")], 7) == [("a漢\0b", "x"), ("字\0c", "y")]

    def test_half_a_wide_character_is_none(self) -> None:
        assert fitted([("a漢字", "")], 4) == [("a漢\0 ", "")]
        assert fitted([("漢", "x"), ("字", "y")], 3) == [("漢\0", "x"), (" ", "y")]
        assert fitted([("漢", "x")], 1) == [(" ", "x")]

    def test_what_charts_are_made_of_is_left_alone(self) -> None:
        text = "│┤▲×⣿⠁▁█▓░·–é→σ≈✖▶◀"
        assert fitted([(text, "")], len(text)) == [(text, "")]

    def test_plain_is_ascii(self) -> None:
        assert fitted([("│▲ 2 σ", "x"), ("⣿漢", "")], 10, plain=True) == [
            ("|^ 2 s", "x"),
            ("*?? ", ""),
        ]


class TestChangedSpans:
    @staticmethod
    def spans(old: str, new: str) -> list[tuple[int, int]]:
        return changed_spans([(old, "")], [(new, "")])

    def test_equal_rows_have_none(self) -> None:
        assert self.spans("abc", "abc") == []

    def test_a_span_covers_what_differs(self) -> None:
        assert self.spans("abcdef", "abXYef") == [(2, 4)]

    def test_near_spans_are_merged_and_far_ones_are_not(self) -> None:
        assert self.spans("abcdefgh", "XbcXefgh") == [(0, 4)]
        assert self.spans("abcdefgh", "XbcdXfgh") == [(0, 1), (4, 5)]

    def test_a_wide_character_is_changed_as_a_whole(self) -> None:
        assert self.spans("a漢\0b", "a字\0b") == [(1, 3)]
        assert self.spans("a漢\0b", "axyb") == [(1, 3)]
        assert self.spans("axyb", "a漢\0b") == [(1, 3)]

    def test_another_role_is_a_change(self) -> None:
        assert changed_spans([("abc", "x")], [("a", "x"), ("b", "y"), ("c", "x")]) == [(1, 2)]


class TestRepaint:
    async def test_only_changed_cells_are_refreshed(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one", "two", "three")
            assert slate.show("one", "tXo", "three") == [(Region(1, 1, 1, 1),)]
            assert slate.show("one", "tXo", "three") == []
            assert slate.show("One   !", "tXo", "three") == [
                (Region(0, 0, 1, 1), Region(6, 0, 1, 1))
            ]
            assert line(slate, 0) == "One   !           "

    async def test_wide_characters_are_written_in_their_cells(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("数字 7", "two")
            assert slate.show("数学 7", "two") == [(Region(2, 0, 2, 1),)]
            assert line(slate, 0).rstrip() == "数学 7"
            assert slate.render_line(0).cell_length == slate.size.width

    async def test_another_size_draws_everything(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one")
            assert slate.sizes[-1] == (18, 3)
            slate.styles.width, slate.styles.height = 12, 8
            await pilot.pause()
            assert slate.sizes[-1] == (10, 6)
            assert line(slate, 0) == "one       "
            assert slate.show("One") == [(Region(0, 0, 1, 1),)]

    async def test_a_hidden_canvas_is_up_to_date_when_it_comes_back(self) -> None:
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)
            slate.show("one")
            await pilot.pause()
            slate.display = False
            await pilot.pause()
            assert slate.show("two") == [()]
            assert slate.show("three") == []
            slate.display = True
            await pilot.pause()
            assert "three" in "".join(strip.text for strip in slate.render_lines(slate.size.region))

    async def test_roles_have_colours_that_suit_the_theme(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        async with SlateApp().run_test() as pilot:
            slate = pilot.app.query_one(Slate)

            def color(role: str) -> str:
                found = slate.role_style(role).color
                return found.name if found else ""

            assert color("running") == "#e69f00"
            assert color("fresh") == "#56b4e9"
            assert color("running ghost") == "#e69f00"
            assert slate.role_style("running ghost").dim
            assert slate.role_style("fresh strong").bold
            assert slate.role_style("fresh").bgcolor == slate.role_style("").bgcolor is not None
            pilot.app.theme = "textual-light"
            await pilot.pause()
            assert color("running") == "#8f6000"


class TestBytesSent:
    async def test_one_changed_cell_is_sent_alone(self) -> None:
        def change(slate: Slate) -> None:
            slate.show("⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣤⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")

        written = await sent(change)
        assert characters(written) == "⣤"
        assert len(written.encode()) < 60

    async def test_cells_of_one_style_share_its_codes(self) -> None:
        def change(slate: Slate) -> None:
            slate.show("⣤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣤⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠃", role="running")

        written = await sent(change)
        assert characters(written) == "⣤⣤⠃"
        assert len(re.findall(r"\x1b\[[\d;]*m", written)) == 2  # on and off

    async def test_where_styles_take_turns_each_is_sent_once(self) -> None:
        def change(slate: Slate) -> None:
            slate.picture = [
                [("⣤", "fresh"), ("⣿" * 5, "running"), ("⣤", "fresh"), ("⣿" * 4 + "⣤", "running")],
                [("⠃", "fresh"), ("⠁" * 10 + "⠃", "running")],
            ]
            slate.repaint()

        written = await sent(change)
        assert sorted(characters(written)) == sorted("⣤⣤⣤⠃⠃")
        assert len(re.findall(r"\x1b\[[\d;]*m", written)) == 3  # one, the other, off

    async def test_a_whole_screen_is_sent_when_all_is_dirty(self) -> None:
        written = await sent(lambda slate: slate.screen.refresh())
        shown = characters(written)
        assert len(shown) == 40 * 10
        assert shown[40:61] == "│⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿      │ "

    async def test_a_title_whose_colours_alone_change_is_sent(self) -> None:
        class Titled(SlateApp):
            def compose(self) -> ComposeResult:
                slate = Slate()
                slate.retitle("a ", ("█", "#ff0000"), ("█", "#00ff00"), ("█", "#0000ff"))
                yield slate

        def change(slate: Slate) -> None:
            slate.retitle("a ", ("█", "#00ff00"), ("█", "#0000ff"), ("█", "#0000ff"))

        assert characters(await sent(change, Titled(driver_class=Wire))) == "██"

    @pytest.mark.parametrize(
        "border", ["border: round white", "border: none; border-top: solid white"]
    )
    async def test_a_title_changes_where_it_stands_with_and_without_corners(
        self, border: str
    ) -> None:
        class Titled(SlateApp):
            CSS = f"Slate {{ {border}; }}"

            def compose(self) -> ComposeResult:
                slate = Slate()
                slate.retitle("gap")
                yield slate

        assert (
            characters(await sent(lambda slate: slate.retitle("run"), Titled(driver_class=Wire)))
            == "run"
        )

    async def test_a_wide_character_above_the_canvas_is_sent_whole(self) -> None:
        class Covered(DiffApp):
            CSS = "Screen { layers: below above; } Static { layer: above; offset: 4 1; width: 4; }"

            def compose(self) -> ComposeResult:
                yield Slate()
                yield Static("漢字")

        def change(slate: Slate) -> None:
            slate.show("⣿⣿⣿⣿⣤⣿⣿⣿⣿⣿⣿⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")

        assert characters(await sent(change, Covered(driver_class=Wire))) == "漢字"


class TestRolesWithoutColour:
    """What a role looks like at the other end: attributes, foreground, background."""

    @staticmethod
    async def looks(theme: str, **options: Any) -> dict[str, str]:
        app = SlateApp(driver_class=Wire, **options)
        app.theme = theme
        async with app.run_test(headless=False) as pilot:
            await pilot.pause()
            slate = pilot.app.query_one(Slate)
            system = COLOR_SYSTEMS[app.console.color_system or "truecolor"]
            looks = {}
            for role in (*ROLES, "train ghost", "fresh ghost", "running ghost"):
                segments = [Segment("x", slate.role_style(role))]
                for line_filter in app.get_line_filters():
                    segments = line_filter.apply(segments, slate.background_colors[1])
                assert segments[0].style
                looks[role] = segments[0].style.render("x", color_system=system)
            return looks

    @pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
    @pytest.mark.parametrize(
        "environment",
        [
            {"COLORTERM": "truecolor"},
            {"TERM": "xterm-256color"},
            {"TERM": "xterm"},
            {"TERM": "xterm", "NO_COLOR": "1"},
            {"TERM": "xterm-256color", "NO_COLOR": "1"},
        ],
    )
    async def test_what_must_not_be_mistaken_differs(
        self, theme: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("COLORTERM", "TERM", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        looks = await self.looks(theme)
        assert len({looks[role] for role in ("train", "fresh", "running", "bad")}) == 4
        assert looks["good"] != looks["bad"]
        for role in ("train", "fresh", "running"):
            assert looks[f"{role} ghost"] != looks[role]

    async def test_without_any_colour_they_differ_in_weight(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        looks = await self.looks("textual-dark", ansi_color=True)
        names = ("train", "fresh", "running", "bad", "running ghost")
        codes = [re.findall(r"\x1b\[(.*?)m", looks[name])[0] for name in names]
        assert codes == ["2;39;49", "39;49", "1;39;49", "1;7;39;49", "1;2;39;49"]
