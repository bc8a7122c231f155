"""The lines at the bottom: what keys do now, the most important first, and each of them can be clicked."""

import pytest

from bntui.ui.explorer.notices import notices
from bntui.ui.key_lines import Shown
from bntui.ui.widgets.keyline import KeyLine
from tests.ui.explorer.states import FINISHED, STATES
from tests.ui.user import FULL, TABS, User, opened


async def line(user: User, state: str, *, size: tuple[int, int] = TABS) -> str:
    await user.see(STATES[state])
    await user.resize(size)
    return user.part("KeyLine")


@pytest.mark.parametrize(
    ("state", "begins"),
    [
        ("running", "space pause c repair ← → turn enter type g experiments"),
        ("paused", "space go on c repair ← → turn enter type g experiments"),
        ("finished", "r restart g experiments o runs b branch space go on"),
        ("failed", "d use digits r restart k structure o runs"),
        ("without BN", "space pause ← → turn enter type g experiments"),
    ],
)
async def test_what_matters_now_is_first_at_80_columns(state: str, begins: str) -> None:
    async with opened(TABS) as user:
        shown = await line(user, state)
        assert shown.startswith(begins)
        assert shown.endswith("? help q quit")


async def test_it_follows_the_focus() -> None:
    async with opened(TABS) as user:
        assert "enter type" in await line(user, "running")
        await user.press("4")
        assert "enter type" not in user.part("KeyLine")
        assert "enter open" in user.part("KeyLine")


async def test_there_is_no_room_for_what_matters_less() -> None:
    async with opened((60, 16)) as user:
        for state in STATES:
            shown = await line(user, state, size=(60, 16))
            assert shown.endswith("? help q quit")


async def test_a_pinned_run_can_be_unpinned() -> None:
    async with opened((200, 60)) as user:
        assert "p pin" in user.part("KeyLine")
        await user.press("p")
        assert "p unpin" in user.part("KeyLine")
        await user.press("p")
        assert "p unpin" not in user.part("KeyLine")


async def test_all_knobs_that_were_turned_are_named() -> None:
    async with opened() as user:
        await user.see(FINISHED)
        await user.press("right")
        await user.choose("momentum")
        await user.press("left", "left")
        wanted = user.run.applied[-1]
        said = f"space: 10 more epochs with batch size 512 and momentum {wanted.momentum:g} "
        assert said in user.part("MessageLines")
        assert user.part("KeyLine").startswith("space 10 more epochs")


async def click(user: User, selector: str, x: int, y: int = 0) -> None:
    """Click in a column of a widget, counted from its left edge."""
    widget = user.app.screen.query_one(selector)
    await user.pilot.click(widget, offset=(x, y))
    await user.settle()


def place(user: User, selector: str, text: str) -> int:
    """Return the column of a widget in which `text` begins."""
    area = user.app.screen.query_one(selector).region
    return user.text.splitlines()[area.y][area.x :].index(text)


async def test_a_key_that_is_clicked_is_pressed() -> None:
    async with opened() as user:
        await user.see(STATES["running"])
        await click(user, "KeyLine", place(user, "KeyLine", "pause"))
        assert user.run.calls[-1] == "pause"
        await click(user, "KeyLine", place(user, "KeyLine", " n ") + 1)
        assert user.run.calls[-1] == "STEP"
        await click(user, "KeyLine", place(user, "KeyLine", "?"))
        assert user.app.screen is not user.app.explorer


async def test_of_two_keys_the_one_under_the_mouse_is_pressed() -> None:
    async with opened() as user:
        await user.see(STATES["running"])
        batch = user.run.snapshot.knobs.batch_size
        await click(user, "KeyLine", place(user, "KeyLine", "→"))
        assert user.run.applied[-1].batch_size == 2 * batch
        await click(user, "KeyLine", place(user, "KeyLine", "←"))
        assert user.run.applied[-1].batch_size == batch


@pytest.mark.parametrize(
    ("written", "column", "key"),
    [
        ("space", 1, "space"),
        ("esc", 0, "escape"),
        ("esc", 6, "escape"),
        ("?", 1, "question_mark"),
        ("R", 1, "R"),
        ("del", 2, "delete"),
        ("↑ ↓", 1, "up"),
        ("↑ ↓", 2, "up"),
        ("↑ ↓", 3, "down"),
        ("↑ ↓", 7, "down"),
        (", .", 1, "comma"),
        (", .", 3, "full_stop"),
        ("/", 1, "slash"),
        ("=", 1, "equals_sign"),
    ],
)
def test_which_key_is_meant(written: str, column: int, key: str) -> None:
    line = KeyLine([Shown(written, "words"), Shown("q", "quit")])
    line.draw(80, 1)
    assert line.key_at(column) == key


def test_beside_the_keys_there_is_none_to_click() -> None:
    line = KeyLine([Shown("q", "quit")])
    line.draw(80, 1)
    assert line.key_at(7) == "q"
    assert line.key_at(8) == ""


@pytest.mark.parametrize("width", range(20, 120))
def test_words_are_left_out_whole_and_never_cut(width: int) -> None:
    line = KeyLine([Shown(key, key) for key in ("one", "two", "three", "?", "q")])
    own = Shown("enter", "a word of its own")
    line.show(said=lambda _: (), hidden=lambda _: False, here=(own,))
    (row,) = line.draw(width, 1)
    text = "".join(part for part, _ in row)
    assert len(text) <= width
    assert text.endswith(" ? ?  q q ")
    assert set(text.split()) <= {"one", "two", "three", "?", "q", "enter", *own.word.split()}


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (38, " a a long word  b b  ? ?  q q "),
        (30, " a a long word  b b  ? ?  q q "),
        (29, " a a  b b  ? ?  q q "),
        (20, " a a  b b  ? ?  q q "),
        (19, " a a  ? ?  q q "),
    ],
)
def test_more_keys_matter_more_than_longer_words(width: int, shown: str) -> None:
    line = KeyLine([Shown(key, key, key) for key in ("a", "b", "?", "q")])
    line.show(
        said=lambda command: ("a long word", "a") if command == "a" else (),
        hidden=lambda _: False,
        first=("a", "b"),
    )
    assert "".join(text for text, _ in line.draw(width, 1)[0]) == shown


class TestKnobs:
    async def test_arrows_turn_and_what_is_between_them_types(self) -> None:
        async with opened(FULL) as user:
            await user.see(STATES["running"])
            await user.choose("momentum")
            await click(user, "#momentum", place(user, "#momentum", "◂"))
            lower = user.run.applied[-1].momentum
            assert lower < user.run.snapshot.config.knobs.momentum
            await click(user, "#momentum", place(user, "#momentum", "▸"))
            assert user.run.applied[-1].momentum > lower
            await click(user, "#momentum", place(user, "#momentum", "◂") + 2)
            assert type(user.app.screen).__name__ == "ValueScreen"

    async def test_the_click_that_chooses_a_knob_turns_nothing(self) -> None:
        async with opened(FULL) as user:
            await user.see(STATES["running"])
            await user.choose("momentum")
            column = place(user, "#momentum", "◂")
            await user.choose("batch-size")
            await click(user, "#momentum", column)
            assert user.app.focused is user.app.screen.query_one("#momentum")
            assert not user.run.applied
            await click(user, "#momentum", column)
            assert user.run.applied

    async def test_where_there_are_no_arrows_a_click_only_chooses(self) -> None:
        async with opened(TABS) as user:
            await user.see(STATES["running"])
            for _ in range(2):
                await click(user, "#momentum", 1)
            assert not user.run.applied
            assert user.app.screen is user.app.explorer


async def test_a_click_on_the_phase_pauses_and_goes_on() -> None:
    async with opened(FULL) as user:
        await user.see(STATES["running"])
        await click(user, "StatusLine", 3)
        assert "pause" not in user.run.calls
        await click(user, "StatusLine", place(user, "StatusLine", "▶"))
        assert user.run.calls[-1] == "pause"
        await user.see(STATES["paused"])
        await click(user, "StatusLine", place(user, "StatusLine", "‖"))
        assert user.run.calls[-1] == "resume"


class TestEndings:
    SAID = "finished after 97 updates: space trains 10 more epochs, r begins again, g opens experim"

    async def test_a_run_that_finishes_says_what_to_do_next(self) -> None:
        async with opened(FULL) as user:
            await user.see(STATES["running"])
            assert "finished" not in user.part("MessageLines")
            await user.see(FINISHED)
            assert self.SAID in user.part("MessageLines")
            assert user.part("KeyLine").startswith("r restart g experiments o runs b branch space")

    async def test_it_is_said_once_and_again_after_more_epochs(self) -> None:
        async with opened(FULL) as user:
            await user.see(STATES["running"])
            await user.see(FINISHED)
            user.app.clear_notifications()
            await user.see(FINISHED, images_per_s=1.0)
            assert "finished" not in user.part("MessageLines")
            await user.see(STATES["running"])
            await user.see(FINISHED)
            assert self.SAID in user.part("MessageLines")

    def test_one_that_is_seen_first_when_it_is_finished_has_nothing_new_to_say(self) -> None:
        assert list(notices(None, FINISHED)) == []
        assert list(notices(STATES["running"], FINISHED, guided=True)) == []
        assert list(notices(STATES["running"], STATES["failed on the way"])) == []
