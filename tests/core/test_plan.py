"""Where a run is planned to end, against a run that is counted batch by batch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.plan import UNPLANNED, End, end_of
from bntui.core.rules import scheduled_batch
from bntui.core.snapshot import Snapshot
from tests.ui.scripted import facts
from tests.ui.watching import watched_run

TRAIN = 4000


def counted(config: RunConfig, turns: dict[int, int], epochs: int) -> Iterator[Snapshot]:
    """Yield the states of a run before each update and at its end; `turns` are batch sizes by update."""
    update = images = 0
    batch = config.knobs.batch_size
    state = Snapshot(config=config, facts=replace(facts(), train=TRAIN), epochs=epochs)
    for epoch in range(1, epochs + 1):
        left = TRAIN
        while left:
            batch = turns.get(update, batch)
            knobs = replace(config.knobs, batch_size=batch)
            yield replace(state, knobs=knobs, update=update, images=images)
            if update == config.steps:
                return
            if left == TRAIN:  # the schedule is followed as an epoch's first update begins
                batch = scheduled_batch(config.batch_schedule, epoch, batch)
            used = min(batch, left)
            left, images, update = left - used, images + used, update + 1
    yield replace(
        state, knobs=replace(config.knobs, batch_size=batch), update=update, images=images
    )


@pytest.mark.parametrize(
    ("options", "turns", "epochs"),
    [
        ({}, {}, 10),
        ({}, {20: 64, 90: 4000, 93: 100}, 10),
        ({}, {3: 5000}, 2),
        ({"batch_schedule": "x2/3"}, {}, 10),
        ({"batch_schedule": "2:16,5:300"}, {}, 7),
        ({"steps": 40}, {}, 10),
        ({"steps": 15}, {}, 10),
        ({"steps": 16}, {}, 10),
        ({"steps": 1000}, {}, 10),
        ({"steps": 77, "epochs": 10}, {30: 1024}, 10),
    ],
)
def test_after_the_last_turn_of_the_batch_size_the_plan_is_what_happens(
    options: dict[str, int], turns: dict[int, int], epochs: int
) -> None:
    states = list(counted(RunConfig(**options), turns, epochs))  # type: ignore[arg-type]
    last = states[-1]
    settled = [state for state in states if state.update >= max(turns, default=0)]
    assert {end_of(state) for state in settled} == {End(last.update, last.images)}


def test_a_turn_of_the_batch_size_changes_the_plan_from_the_next_update_on() -> None:
    before, after = list(counted(RunConfig(), {16: 512}, 3))[15:17]
    assert end_of(before) == End(48, 12_000)
    assert end_of(after) == End(32, 12_000)


def test_a_run_trained_on_goes_as_far_again() -> None:
    state = Snapshot(config=RunConfig(), facts=facts(), epochs=20, update=160, images=40_000)
    assert end_of(state) == End(320, 80_000)
    by_steps = replace(state, config=RunConfig(steps=40), update=40, images=10_000)
    assert end_of(by_steps) == End(80, 20_000)


def test_a_run_without_an_end_in_sight_has_none() -> None:
    assert end_of(Snapshot()) is None
    endless = Snapshot(config=RunConfig(epochs=UNPLANNED), facts=facts(), epochs=UNPLANNED)
    assert end_of(endless) is None
    assert end_of(replace(endless, config=RunConfig(epochs=UNPLANNED, steps=5))) == End(5, 1280)
    grown = RunConfig(epochs=UNPLANNED, steps=5, batch_schedule="x2/1")
    assert end_of(replace(endless, config=grown)) == End(5, 1280)


def test_a_run_past_its_end_ends_where_it_is() -> None:
    state = Snapshot(config=RunConfig(), facts=facts(), epochs=10, update=170, images=42_000)
    assert end_of(state) == End(170, 42_000)
    assert end_of(replace(state, config=RunConfig(steps=100), images=39_000)) == End(170, 39_000)


def test_a_training_by_other_code_ends_where_its_epochs_do_if_they_are_known() -> None:
    assert end_of(watched_run()) is None
    assert end_of(watched_run(epochs=10)) is None
    known = watched_run(epochs=3, updates_per_epoch=50, images=97 * 32)
    assert end_of(known) == End(150, 150 * 32)
    assert end_of(replace(known, update=151)) is None
