"""What the fuzzer of the screen found: very narrow terminals, pasted escapes, scrollbars in ASCII, escapes in notices."""

from unittest.mock import patch

import pytest
from textual import events
from textual.widgets import Input

from bntui.core.cells import cell_len
from bntui.diagnose.causes import Cause, Verdict
from bntui.ui.explorer.evidence_panel import EvidencePanel
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.user import opened


@pytest.mark.parametrize("size", [(1, 1), (2, 4), (5, 42)])
@pytest.mark.parametrize("dialog", [False, True])
async def test_a_very_narrow_terminal_comes_to_rest(size: tuple[int, int], dialog: bool) -> None:
    async with opened(size) as user:
        if dialog:
            await user.press("v")
        await user.settle()
        assert not user.app.screen._layout_required


async def test_no_control_character_is_pasted_into_a_field() -> None:
    async with opened() as user:
        await user.press("enter")
        field = user.app.screen.query_one(Input)
        user.app.post_message(events.Paste("6\x1b[2J\x9b4\u202e\nrm"))
        await user.settle()
        assert field.value == "6[2J4"
        assert "\x1b" not in user.text


async def test_an_ascii_terminal_gets_ascii_scrollbars() -> None:
    async with opened((80, 10), glyphs=Glyphs.ASCII) as user:
        await user.resize((80, 24))
        await user.press("question_mark")
        await user.resize((80, 11))
        for _ in range(8):
            await user.press("down")
            assert user.text.isascii()


async def test_a_notice_shows_an_escape_sequence_literally() -> None:
    async with opened() as user:
        user.app.notify("no \x1b[2J here", markup=False)
        await user.settle()
        assert "no \\x1b[2J here" in user.text


async def test_a_verdict_is_wrapped_in_cells_and_keeps_words_with_hyphens_whole() -> None:
    async with opened() as user:
        panel = user.app.screen.query_one(EvidencePanel)
        judged = Verdict(Cause.WAITING, ("数字" * 30, "the class of held-out images"))
        with patch("bntui.ui.explorer.evidence_panel.verdict", return_value=judged):
            lines = ["".join(text for text, _ in line) for line in panel.draw(24, 99)]
        assert max(cell_len(line) for line in lines) <= 24
        assert any("held-out" in line for line in lines)
