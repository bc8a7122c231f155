"""The curves of the run that is chosen in the list, where there is room for them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.snapshot import Snapshot
from bntui.core.text import ConfigError
from bntui.store.archive import KeptRuns
from bntui.ui.runs.preview import Preview
from tests.store.recorded import CONFIG as STORED
from tests.ui.runs.kept_runs import kept
from tests.ui.scripted import history, mid_run
from tests.ui.user import FULL, TABS, User, opened
from tests.ui.watching import BLIND, watched_run


class Archive(KeptRuns):
    """A store whose runs have curves that are made up, by their ids; it notes what is read."""

    def __init__(self, curves: Callable[[str], Snapshot]) -> None:
        self.read: list[str] = []
        self._curves = curves

    def load(self, run: str) -> Snapshot:
        self.read.append(run)
        return self._curves(run)


def at(accuracy: float) -> Snapshot:
    state = mid_run(STORED)
    series = {"val_acc": history([accuracy] * 19, every=5), "train_acc": history([0.5] * 97)}
    return replace(state, series=series)


def preview(user: User) -> Preview:
    return user.app.screen.query_one(Preview)


async def test_it_shows_the_chosen_run_and_then_the_next() -> None:
    first, second = kept(), kept()
    archive = Archive(lambda run: at(0.25 if run == first else 0.75))
    async with opened(FULL, archive=archive) as user:
        await user.press("o")
        await user.until(lambda: preview(user).run == second)
        assert "0.750 running" in user.part("#preview")
        await user.press("down")
        await user.until(lambda: preview(user).run == first)
        assert "0.250 running" in user.part("#preview")
        assert archive.read == [second, first]


async def test_where_there_is_no_room_no_curve_is_read() -> None:
    run = kept()
    archive = Archive(lambda _: at(0.5))
    async with opened(TABS, archive=archive) as user:
        await user.press("o")
        await user.until(lambda: run[:6] in user.text)
        await user.pilot.pause(0.3)
        assert not preview(user).display
        assert archive.read == []
        await user.resize(FULL)
        await user.until(lambda: archive.read == [run])


async def test_of_a_held_key_only_the_last_run_is_read() -> None:
    runs = [kept() for _ in range(6)]
    archive = Archive(lambda _: at(0.5))
    async with opened(FULL, archive=archive) as user:
        await user.press("o")
        await user.until(lambda: preview(user).run == runs[-1])
        for _ in range(5):
            user.app.simulate_key("down")
        await user.until(lambda: preview(user).run == runs[0])
        assert len(archive.read) < 4


async def test_a_run_that_can_not_be_read_leaves_the_chart_empty() -> None:
    kept()

    def refuse(_: str) -> Snapshot:
        raise ConfigError("that run is damaged")

    async with opened(FULL, archive=Archive(refuse)) as user:
        await user.press("o")
        await user.until(lambda: preview(user).run != "")
        assert "damaged" not in user.text
        assert "– running" in user.part("#preview")


@pytest.mark.parametrize("norm", ["none", "batch"])
async def test_only_a_network_with_running_statistics_has_a_gap(norm: str) -> None:
    run = kept(config=RunConfig(width=0.25, norm=norm))
    state = mid_run(RunConfig(width=0.25, norm=norm))
    async with opened(FULL, archive=Archive(lambda _: state)) as user:
        await user.press("o")
        await user.until(lambda: preview(user).run == run)
        assert ("lost to stale statistics" in user.part("#preview")) == (norm == "batch")


async def test_of_a_training_without_a_score_it_shows_the_loss() -> None:
    run = kept()
    archive = Archive(lambda _: watched_run(BLIND, marks=()))
    async with opened(FULL, archive=archive) as user:
        await user.press("o")
        await user.until(lambda: preview(user).run == run)
        assert "0.017 train" in user.part("#preview")
