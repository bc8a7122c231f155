"""The cards of the first start: they fit, they hold nothing up, and they come once."""

import re
from pathlib import Path

import pytest
from textual.geometry import Size

from bntui.machine import config_file
from bntui.ui.remembered import Memory
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.tour.cards import CARDS, laid_out
from bntui.ui.tour.tour import Tour, size_of
from bntui.ui.widgets.keyline import KeyLine
from tests.ui.scripted import mid_run
from tests.ui.user import CONFIG, FULL, TABS, TINY, User, opened

SIZES = ((60, 16), TABS, (99, 30), FULL, (200, 60))


def text(user: User) -> str:
    """Return the card that is shown, as one line; nothing if there is none."""
    return user.part("#tour") if user.app.explorer.query("#tour") else ""


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.title)
@pytest.mark.parametrize("width", [56, 58, 76, 96])
def test_no_word_of_a_card_is_lost_or_cut(card: object, width: int) -> None:
    (card,) = (one for one in CARDS if one is card)
    lines = ["".join(part for part, _ in line) for line in laid_out(card, width)]
    assert all(len(line.rstrip()) <= width for line in lines)
    said = "".join(part for paragraph in card.paragraphs for part, _ in [*paragraph, (" ", "")])
    assert " ".join(lines).split() == said.split()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.title)
def test_a_card_is_small(card: object) -> None:
    (card,) = (one for one in CARDS if one is card)
    for columns, rows in SIZES:
        width, height = size_of(card, Size(columns, rows))
        assert height <= 12
        assert width == (62 if columns >= 100 else columns)
        assert height <= rows - 4 - 2  # status and headline, hint and keys


@pytest.mark.parametrize("size", SIZES)
async def test_they_are_turned_and_leave_the_lines_above_and_below_alone(
    size: tuple[int, int],
) -> None:
    async with opened(size, tour=True) as user:
        await user.see(mid_run(CONFIG))
        for place, keys in enumerate(("enter", "right", "enter"), 1):
            assert f"{place} of 3" in text(user)
            assert "esc skips" in text(user)
            lines = user.text.splitlines()
            assert lines[0].startswith(" bntui")
            assert "running" in lines[0]
            card = user.app.explorer.query_one("#tour").region
            assert card.y >= 4
            assert lines[-1].startswith(" space pause")
            assert "enter next" in lines[-1]
            await user.press(keys)
        assert text(user) == ""
        assert user.app.focused is user.app.explorer.query_one("#momentum")
        assert "enter next" not in user.part("KeyLine")


async def test_one_can_go_back() -> None:
    async with opened(tour=True) as user:
        await user.press("tab", "tab", "left")
        assert "2 of 3" in text(user)
        await user.press("shift+tab", "left")
        assert "1 of 3" in text(user)


async def test_without_being_asked_for_they_do_not_come() -> None:
    async with opened() as user:
        assert text(user) == ""


async def test_the_run_goes_on_behind_them() -> None:
    async with opened(FULL, loaded=False, tour=True) as user:
        assert "start" in user.run.calls
        before = [user.part(panel) for panel in ("#panel-1", "#panel-6", "HeadlinePanel")]
        await user.see(mid_run(CONFIG, update=98))
        assert "update 98" in user.part("StatusLine")
        now = [user.part(panel) for panel in ("#panel-1", "#panel-6", "HeadlinePanel")]
        assert all(one != other for one, other in zip(before, now, strict=True))


async def test_all_other_keys_act_as_ever() -> None:
    async with opened(tour=True) as user:
        await user.see(mid_run(CONFIG))
        await user.press("space")
        assert user.run.calls[-1] == "pause"
        await user.press("question_mark")
        assert user.app.screen is not user.app.explorer
        await user.press("escape")
        assert "1 of 3" in text(user)
        await user.press("enter")
        assert "2 of 3" in text(user)


async def test_esc_skips_them_wherever_the_focus_is() -> None:
    async with opened(tour=True) as user:
        await user.choose("batch-size")
        await user.press("right")
        assert user.run.applied
        await user.press("escape")
        assert text(user) == ""
        await user.press("escape")
        assert user.app.screen is user.app.explorer


@pytest.mark.parametrize("size", [TABS, FULL])
async def test_once_skipped_momentum_has_the_keys(size: tuple[int, int]) -> None:
    async with opened(size, tour=True) as user:
        await user.see(mid_run(CONFIG))
        await user.press("escape")
        assert user.app.focused is user.app.explorer.query_one("#momentum")
        assert "← → turn" in user.part("KeyLine")
        assert "esc skip" not in user.part("KeyLine")
        await user.press("left")
        assert user.run.applied[-1].momentum < user.run.snapshot.config.knobs.momentum


async def test_the_mouse_turns_them_too() -> None:
    async with opened(tour=True) as user:
        await user.pilot.click("#tour")
        await user.settle()
        assert "2 of 3" in text(user)
        keys = user.app.explorer.query_one(KeyLine).region
        column = user.text.splitlines()[keys.y].index("esc skip")
        await user.pilot.click(offset=(column, keys.y))
        await user.settle()
        assert text(user) == ""


async def test_in_a_terminal_that_was_too_small_for_a_while_they_have_the_keys_again() -> None:
    async with opened(FULL, tour=True) as user:
        await user.press("enter")
        await user.resize(TINY)
        await user.resize(TABS)
        assert "2 of 3" in text(user)
        await user.press("enter")
        assert "3 of 3" in text(user)
        card = user.app.explorer.query_one(Tour).region
        assert (card.x, card.width) == (0, TABS[0])


async def test_in_ascii_they_are_ascii() -> None:
    async with opened(TABS, tour=True, glyphs=Glyphs.ASCII) as user:
        for _ in CARDS:
            area = user.app.explorer.query_one("#tour").region
            rows = user.text.splitlines()[area.y : area.bottom]
            assert re.fullmatch(r"[ -~\n]+", "\n".join(rows)), rows
            await user.press("enter")


@pytest.mark.parametrize("keys", [["escape"], ["enter", "enter", "enter"]])
async def test_seen_once_they_are_remembered(keys: list[str], tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert Memory(path).first_start
    async with opened(memory=Memory(path), tour=True) as user:
        assert Memory(path).first_start
        await user.press(*keys)
    assert config_file.read(path) == {"tour-seen": True}
    assert not Memory(path).first_start


async def test_the_palette_shows_them_again() -> None:
    async with opened() as user:
        commands = {
            command.title: command for command in user.app.get_system_commands(user.app.screen)
        }
        show = commands["Show the cards of the first start"].callback
        show()
        await user.settle()
        assert "1 of 3" in text(user)
        await user.press("enter")
        show()
        await user.settle()
        assert "1 of 3" in text(user)
        assert len(user.app.explorer.query("#tour")) == 1


class TestFirstStart:
    def test_is_one_without_a_file(self, tmp_path: Path) -> None:
        assert Memory(tmp_path / "not there/config.toml").first_start

    @pytest.mark.parametrize("content", ["tour-seen = true\n", "no toml", "theme = 3\n"])
    def test_is_none_where_it_was_seen_or_that_can_t_be_told(
        self, tmp_path: Path, content: str
    ) -> None:
        (tmp_path / "config.toml").write_text(content)
        assert not Memory(tmp_path / "config.toml").first_start

    def test_is_one_with_other_choices(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text('theme = "nord"\n')
        assert Memory(tmp_path / "config.toml").first_start

    def test_is_none_where_nothing_can_be_remembered(self, tmp_path: Path) -> None:
        assert not Memory().first_start
        assert not Memory(Path("/dev/null")).first_start
        (tmp_path / "file").touch()
        assert not Memory(tmp_path / "file/config.toml").first_start
