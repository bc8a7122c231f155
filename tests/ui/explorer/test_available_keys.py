"""In every phase of a run every key does something, or says why it can't."""

from typing import Any

import pytest
from textual.binding import Binding

from bntui.core.config import Knobs
from bntui.store.archive import KeptRuns
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.explorer.screen import Explorer
from bntui.ui.runs.comparison import ComparisonScreen, Side
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.knob import Knob
from tests.ui.explorer.kept import kept_run
from tests.ui.explorer.mapped import hindsight
from tests.ui.explorer.states import FINISHED, PAUSED, RUNNING, STATES
from tests.ui.user import FULL, TABS, User, opened

KEYS = [
    key.key
    for key in Binding.make_bindings([*Explorer.BINDINGS, *Knob.BINDINGS])
    if key.key not in {"q"}
]


def seen(user: User) -> tuple[Any, ...]:
    """Return all that a key may change."""
    calls = [list(run.calls) for run in user.runs.made]
    lines = [list(strip) for strip in user.app.screen._compositor.render_strips()]
    return lines, calls, user.app.clipboard, type(user.app.screen)


async def pressed(user: User, key: str) -> bool:
    """Press a key with a knob chosen, nothing open and nothing said; return whether anything changed."""
    while user.app.screen is not user.app.explorer:
        await user.press("escape")
    user.app.clear_notifications()
    await user.choose("batch-size")
    before = seen(user)
    await user.press(key)
    return seen(user) != before


@pytest.mark.parametrize(
    ("state", "size"),
    [
        *((state, FULL) for state in STATES if state not in {"paused", "failed on the way"}),
        *(("finished", size) for size in (TABS, (60, 16))),
    ],
)
async def test_no_key_does_nothing_without_a_word(state: str, size: tuple[int, int]) -> None:
    async with opened(size, archive=KeptRuns()) as user:
        silent = []
        for key in KEYS:
            await user.see(STATES[state])
            if key != "i" and not await pressed(user, key):  # which asks the store, on a thread
                silent.append(key)
        # A panel that stands where there is room for one only is there already.
        assert set(silent) <= ({"1"} if size != FULL else set())


async def test_keys_of_a_knob_say_so_where_none_is_chosen() -> None:
    async with opened() as user:
        await user.choose("panel-4")
        await user.press("left")
        assert "← → turn a knob: tab goes to the knobs" in user.part()
        await user.choose("panel-3")
        await user.press("left")
        assert "there is no look back yet" in user.part()


@pytest.mark.parametrize(
    ("state", "key", "said"),
    [
        ("finished", "space", ""),
        ("failed", "space", "this run has failed: r tries again"),
        ("failed", "n", "this run has failed: r tries again"),
        ("failed on the way", "c", "this run has failed: r tries again"),
        ("loading", "c", "still loading"),
        ("loading", "W", "still loading"),
        ("loading", "b", "no moment yet to return to"),
        ("loading", "space", "once loaded, the run waits"),
        ("loading", "D", "nothing has been measured yet"),
        ("without BN", "c", "no batch norm, so there is nothing to recalibrate"),
        ("not kept", "W", "this run is not kept (--no-store)"),
        ("running", "W", "update 97 go to the store: bntui export 5c1e0a --format weights"),
        ("running", "d", "for a run that failed"),
        ("running", "0", "the whole run is in sight"),
        ("running", "left_square_bracket", "the run goes no further back"),
        ("before the first update", "b", "no moment yet to return to"),
    ],
)
async def test_what_a_key_says(state: str, key: str, said: str) -> None:
    async with opened() as user:
        await user.see(STATES[state])
        await user.press(key)
        notices = " ".join(user.app.notices.standing)
        assert said in notices
        assert not (said and {"STEP", "PEEK", "RECALIBRATE", "resume"} & set(user.run.calls))


@pytest.mark.parametrize(
    ("state", "space", "absent"),
    [
        ("running", "space pause", ""),
        ("paused", "space go on", ""),
        ("finished", "space 10 more epochs", ""),
        ("failed", "", "space"),
        ("without BN", "space pause", "recalibrate"),
    ],
)
async def test_the_line_at_the_bottom_has_the_keys_that_act(
    state: str, space: str, absent: str
) -> None:
    async with opened() as user:
        await user.see(STATES[state])
        line = user.part("KeyLine")
        assert space in line
        assert not absent or absent not in line
        assert line.endswith("q quit")


class TestTurnedKnobs:
    @pytest.mark.parametrize(
        ("state", "when"),
        [
            ("loading", "from the first update on: batch size 512"),
            ("paused", "space: go on with batch size 512"),
            ("finished", "space: 10 more epochs with batch size 512"),
            ("failed", "this run is over; r: a new one with batch size 512"),
        ],
    )
    @pytest.mark.parametrize("size", [FULL, (60, 16)])
    async def test_one_that_waits_says_for_what(
        self, size: tuple[int, int], state: str, when: str
    ) -> None:
        async with opened(size) as user:
            await user.see(STATES[state])
            user.app.clear_notifications()  # which stand where the hint does in a low terminal
            await user.press("right")
            assert when in user.part("MessageLines")
            await user.see(images_per_s=1.0)
            assert when in user.part("MessageLines")
            await user.press("down")
            assert "batch size 512" not in user.part("MessageLines")

    async def test_what_it_says_is_what_happens(self) -> None:
        async with opened() as user:
            await user.see(FINISHED)
            await user.press("right", "space")
            assert user.run.applied[-1] == Knobs(batch_size=512)
            assert user.run.calls[-1] == "resume"
            await user.see(STATES["failed"], wanted=user.run.applied[-1])
            await user.press("right", "r")
            assert user.run.snapshot.knobs.batch_size == 1024

    async def test_beyond_the_last_step_it_says_so(self) -> None:
        async with opened() as user:
            await user.choose("pace")
            await user.press("right")
            assert "pace: max is the last step; enter types any value" in user.part()


async def test_enter_on_the_map_opens_a_moment_and_on_drift_a_layer() -> None:
    async with opened() as user:
        await user.see(kept_run(4, 12, 20, hindsight=hindsight()))
        for panel, opens in ((HindsightMap, "MomentScreen"), (DriftTable, "LayerScreen")):
            user.app.screen.query_one(panel).focus()
            await user.press("enter")
            assert type(user.app.screen).__name__ == opens
            await user.press("escape")


async def test_a_twin_is_said_to_begin_anew() -> None:
    async with opened() as user:
        await user.choose("momentum")
        await user.press("t")
        assert "Both start at update 0 with the same seed" in user.part()
        assert "kept at an update" not in user.part()


async def test_a_notice_that_is_still_there_is_not_repeated() -> None:
    async with opened() as user:
        await user.press(*["minus"] * 5)
        assert user.part().count("the whole run is in sight") == 1


async def test_a_comparison_says_why_a_look_changes_nothing() -> None:
    async with opened() as user:
        await user.app.push_screen(ComparisonScreen(Side("one", RUNNING), Side("two", PAUSED)))
        await user.press("minus")
        assert "the whole run is in sight" in user.part()
        assert user.app.screen.query_one(KeyLine)
