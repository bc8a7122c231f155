"""Moving through the momenta on the explorer: the past on the chart, and taking one over."""

from dataclasses import replace

import pytest

from bntui.core.config import Knobs
from bntui.core.snapshot import Phase
from bntui.ui.drawing.view import FOLLOWING
from bntui.ui.explorer.results import Results
from bntui.ui.explorer.scrubbing import past, past_in_words
from tests.ui.explorer.mapped import HIGH, LOW, MIDDLE, hindsight, looks
from tests.ui.scripted import history, mid_run
from tests.ui.user import CONFIG, User, opened

PAST = hindsight((4, 50, 97), rows={"0.9": (LOW, MIDDLE, HIGH), "warm-up": (LOW, 0.7, 0.8)})


async def on_the_map(user: User) -> None:
    await user.see(hindsight=PAST)
    await user.choose("panel-3")


def accuracy(user: User) -> str:
    return user.part("#panel-1")


async def test_the_past_under_the_chosen_momentum_is_drawn_at_once() -> None:
    async with opened() as user:
        await on_the_map(user)
        assert "at 0." not in accuracy(user)
        await user.press(*["down"] * 4)  # 0.98, 0.97, 0.95, 0.9
        assert "0.951 at 0.9" in accuracy(user)
        assert "at 0.9: in hindsight, on 200 images" in accuracy(user)
        await user.press("right")
        assert "0.100 at 0.95" in accuracy(user)


async def test_another_moment_is_read_with_the_crosshair_keys() -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.press(*["down"] * 4, *["less_than_sign"] * 5)
        assert "0.600 at 0.9" in accuracy(user)
        assert "update 50 on 200 images, momentum 0.9: 0.600" in user.part("#panel-3")


async def test_it_goes_when_the_map_is_left() -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.press(*["down"] * 4)
        await user.choose("batch-size")
        assert "at 0.9" not in accuracy(user)


async def test_enter_turns_the_knob_and_says_from_when_on() -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.press(*["down"] * 4, "enter")
        assert user.run.applied[-1] == replace(CONFIG.knobs, momentum=0.9)
        assert "momentum 0.9: from the next update on" in user.part()
        await user.press("enter")
        assert len(user.run.applied) == 1
        assert "momentum 0.9 is in use already" in user.part()


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (Phase.PAUSED, "space: go on with momentum 0.9"),
        (Phase.FINISHED, "space: 10 more epochs with momentum 0.9"),
        (Phase.STOPPED, "this run is over; r: a new one with momentum 0.9"),
    ],
)
async def test_a_run_that_stands_says_what_it_takes(phase: Phase, said: str) -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.see(phase=phase)
        await user.press(*["down"] * 4, "enter")
        assert said in user.part()


async def test_another_estimator_is_taken_over_by_its_knob_and_left_by_a_momentum() -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.press(*["down"] * 20, "enter")
        assert user.run.applied[-1] == replace(CONFIG.knobs, estimator="warm-up")
        await user.see(knobs=replace(CONFIG.knobs, estimator="warm-up"), wanted=None)
        await user.press(*["up"] * 3, *["up"] * 3, "enter")  # 0, 0.5, 0.8, 0.9
        assert user.run.applied[-1] == Knobs(
            batch_size=CONFIG.knobs.batch_size, momentum=0.9, estimator="momentum"
        )


async def test_what_if_uses_a_momentum_in_the_same_way() -> None:
    async with opened() as user:
        await user.see(hindsight=PAST, what_if=replace(PAST, updates=PAST.updates[-1:]))
        one = {name: getattr(PAST, name)[-1:] for name in ("updates", "own", "fresh", "momentum")}
        await user.see(what_if=replace(PAST, accuracy=PAST.accuracy[:, -1:], **one))
        await user.press("w", *["left"] * 4, "enter")
        assert user.run.applied[-1].momentum == 0.9
        assert user.run.calls.count("WHAT_IF") == 2
        assert "momentum 0.9: from the next update on" in user.part()


async def test_a_click_on_the_map_puts_the_crosshair_there() -> None:
    async with opened() as user:
        await on_the_map(user)
        region = user.app.explorer.query_one("#panel-3").region
        await user.pilot.click("#panel-3", offset=(region.width // 3, 4))
        await user.settle()
        view = user.app.explorer.query_one(Results).view
        assert view.cursor in {4.0, 50.0}


def test_the_line_is_over_the_axis_of_the_view() -> None:
    shown = looks((4, 50, 97), rows={"0.9": (LOW, MIDDLE, HIGH)})
    clock = {"images": history([256.0 * n for n in range(1, 98)])}
    line = past(shown, "0.9", mid_run(CONFIG, series=clock), FOLLOWING.next_axis())
    assert line.label == "at 0.9"
    assert line.view.x.tolist() == [4 * 256, 50 * 256, 97 * 256]
    assert line.view.last.tolist() == [LOW, MIDDLE, HIGH]


def test_it_says_on_how_many_images_it_was_measured() -> None:
    shown = looks()
    assert past_in_words(shown, "warm-up") == "warm-up: in hindsight, on 200 images"
    more = replace(shown, images=shown.images * [1, 5, 1])
    assert past_in_words(more, "0.9") == "at 0.9: in hindsight, on 200 or 1,000 images"
    assert past_in_words(replace(shown, images=0 * shown.images), "0.9") == "at 0.9: in hindsight"
