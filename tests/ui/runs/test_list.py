"""The list of runs: found, sorted, noted, pinned, deleted."""

from dataclasses import replace

from bntui.core.config import Knobs
from bntui.core.sweep import cell_id
from bntui.core.text import ConfigError
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.ui.runs.list import RunList
from bntui.ui.runs.screen import RunsScreen
from tests.store.recorded import CONFIG as STORED
from tests.ui.runs.kept_runs import kept, listed, rows


class TestFinding:
    async def test_words_and_settings_narrow_the_list_as_they_are_typed(self) -> None:
        one = kept("slow", config=replace(STORED, norm="group"))
        kept(config=replace(STORED, norm="ghost"))
        async with listed() as user:
            await user.press("slash", *"norm=group")
            assert rows(user) == [one[:6]]
            assert "1 of 2 runs" in user.text
            assert f"{one} " in user.part("#about")
            await user.press("enter")
            assert isinstance(user.app.focused, RunList)
            await user.press("slash", "x")
            assert "No run has all of 'x'" in user.part("#runs")
            await user.press("escape")
            assert len(rows(user)) == 2
            await user.press("escape")
            assert not isinstance(user.app.screen, RunsScreen)

    async def test_s_sorts_by_the_next_column_and_pinned_runs_stay_on_top(self) -> None:
        ids = {
            size: kept(config=replace(STORED, knobs=Knobs(batch_size=size)))
            for size in (64, 512, 8)
        }
        async with listed() as user:
            for _ in range(4):  # state, data, norm, batch
                await user.press("s")
            assert "3 runs, sorted by batch" in user.text
            assert rows(user) == [ids[size][:6] for size in (512, 64, 8)]
            await user.press("home", "end", "p")
            await user.until(lambda: "pinned" in user.part("#about"))
            assert rows(user) == [ids[size][:6] for size in (8, 512, 64)]
            await user.press("p")
            await user.until(lambda: "pinned" not in user.part("#about"))
            assert rows(user) == [ids[size][:6] for size in (512, 64, 8)]

    async def test_runs_of_sweeps_are_counted_and_found(self) -> None:
        def cell(seed: int) -> str:
            config = replace(STORED, seed=seed)
            return kept("sweep big", config=config, run=cell_id(config))

        cells = {cell(seed)[:6] for seed in range(3)}
        async with listed() as user:
            assert "All runs that are kept are of sweeps: / and sweep list them" in user.text
            assert "╭─ 0 runs, sorted by when · 3 more of sweeps: / sweep ─" in user.text
        own = kept()
        async with listed() as user:
            assert "╭─ 1 run, sorted by when · 3 more of sweeps: / sweep ─" in user.text
            assert rows(user) == [own[:6]]
            await user.press("slash", *"sweep")
            assert "╭─ 3 of 4 runs, sorted by when ─" in user.text
            assert set(rows(user)) == cells


class TestEditing:
    async def test_a_note_is_written_and_kept(self) -> None:
        run = kept("old")
        async with listed() as user:
            await user.press("e")
            assert user.part("Input") == "old"
            await user.press("escape", "e", *"new", "enter")
            await user.until(lambda: "new" in user.part("#about"))
            with Store() as store:
                assert store.run(run).note == "new"

    async def test_deleting_is_undone_one_by_one(self) -> None:
        one, two = kept(), kept()
        async with listed() as user:
            await user.press("delete")
            await user.until(lambda: rows(user) == [one[:6]])
            assert "u brings it back" in user.text
            await user.press("delete")
            await user.until(lambda: "No run is kept yet" in user.text)
            with Store() as store:
                assert store.runs() == []
            await user.press("u")
            await user.until(lambda: rows(user) == [one[:6]])
            await user.press("u")
            await user.until(lambda: rows(user) == [two[:6], one[:6]])
            await user.press("u")
            assert "nothing has been deleted" in user.text

    async def test_quick_changes_are_made_in_their_order(self) -> None:
        ids = [kept() for _ in range(4)]
        async with listed() as user:
            first = user.app.screen.query_one(RunList).chosen
            assert first is not None
            for key in ("p", "delete"):
                user.app.simulate_key(key)
            await user.until(lambda: rows(user) == [run[:6] for run in ids[2::-1]])
            with Store() as store:
                assert [run.id for run in store.runs()] == ids[2::-1]
                assert store.run(first.id).pinned

    async def test_what_can_not_be_written_is_told_and_the_list_stays(self) -> None:
        run = kept()

        class Full(KeptRuns):
            def pin(self, run: str, *, pinned: bool) -> None:
                raise ConfigError("the disk [b]is[/b] full.")

        async with listed(archive=Full()) as user:
            await user.press("p")
            await user.until(lambda: "the disk [b]is[/b] full." in user.part())
            assert rows(user) == [run[:6]]

    async def test_a_change_is_made_though_the_list_is_closed_at_once(self) -> None:
        run = kept()
        async with listed() as user:
            user.app.simulate_key("p")
            user.app.simulate_key("escape")
            await user.settle()

            def pinned() -> bool:
                with Store() as store:
                    return store.run(run).pinned

            await user.until(pinned)
