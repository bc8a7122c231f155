"""Choosing among stored runs, and comparing two."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.sweep import cell_id
from bntui.store.database import Store
from bntui.store.listing import (
    SORTED_BY,
    differences,
    interrupted,
    is_cell,
    listed,
    matching,
    ordered,
    why_not_resumed,
)
from bntui.store.rows import StoredRun
from bntui.store.writing import State
from tests.store.recorded import CONFIG, keep


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    with Store(tmp_path / "runs.sqlite") as store:
        return store.run(keep(store.path))


def momentum(run: StoredRun, value: float) -> StoredRun:
    return replace(run, config=replace(run.config, knobs=Knobs(momentum=value)))


class TestOrdered:
    def test_the_best_first_and_what_was_not_measured_last(self, run: StoredRun) -> None:
        runs = [replace(run, id=str(x), val_acc=x, loss=x) for x in (0.5, math.nan, 0.9, 0.1)]
        assert [run.id for run in ordered(runs, "val_acc")] == ["0.9", "0.5", "0.1", "nan"]
        assert [run.id for run in ordered(runs, "loss")] == ["0.1", "0.5", "0.9", "nan"]
        upwards = ordered(runs, "val_acc", descending=False)
        assert [run.id for run in upwards] == ["0.1", "0.5", "0.9", "nan"]

    def test_by_a_setting(self, run: StoredRun) -> None:
        runs = [momentum(run, value) for value in (0.5, 0.99, 0.9)]
        by_momentum = [run.config.knobs.momentum for run in ordered(runs, "momentum")]
        assert by_momentum == [0.99, 0.9, 0.5]

    def test_the_pinned_lead(self, run: StoredRun) -> None:
        runs = [replace(run, updates=n, pinned=n == 2) for n in (1, 2, 3)]
        assert [run.updates for run in ordered(runs, "updates")] == [2, 3, 1]

    @pytest.mark.parametrize("column", SORTED_BY)
    def test_every_column_can_be_sorted_by(self, run: StoredRun, column: str) -> None:
        assert len(ordered([run, run], column)) == 2


class TestMatching:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", [0, 1]),
            ("FIRST", [0]),
            ("try first", [0]),
            ("try third", []),
            ("momentum=0.9", [1]),
            ("momentum=0.99 digits", [0]),
            ("momentum=", []),
            ("finished cpu", [0, 1]),
            ("%", []),
        ],
    )
    def test_every_word_must_occur(self, run: StoredRun, text: str, expected: list[int]) -> None:
        runs = [
            replace(momentum(run, 0.99), note="first try"),
            replace(momentum(run, 0.9), note="second try"),
        ]
        assert matching(runs, text) == [runs[place] for place in expected]


class TestDifferences:
    def test_equal_runs_have_none(self) -> None:
        assert differences(CONFIG, replace(CONFIG)) == []

    def test_knobs_and_settings_with_both_values(self) -> None:
        other = replace(CONFIG, seed=4, knobs=replace(CONFIG.knobs, momentum=0.5))
        other = replace(other, at=(Change(3, "recalibrate"),))
        assert differences(CONFIG, other) == [
            ("seed", 3, 4),
            ("momentum", 0.97, 0.5),
            ("at", (), (Change(3, "recalibrate"),)),
        ]
        assert differences(RunConfig(width=1.0), RunConfig(width=0.5)) == [("width", 1.0, 0.5)]


class TestRunsOfSweeps:
    def test_their_ids_follow_from_their_settings(self, run: StoredRun) -> None:
        cell = replace(run, id=cell_id(run.config))
        assert is_cell(cell)
        assert is_cell(replace(cell, note="my own", config=replace(cell.config, threads=3)))
        assert not is_cell(run)
        assert not is_cell(replace(cell, config=replace(cell.config, seed=9)))

    def test_they_are_listed_if_they_are_asked_for_or_pinned(self, run: StoredRun) -> None:
        cell = replace(run, id=cell_id(run.config), note="sweep big")
        pinned = replace(cell, pinned=True)
        assert listed([cell, run, pinned], "") == [run, pinned]
        assert listed([cell, pinned], "big") == [cell, pinned]

    def test_they_are_resumed_by_sweeps_alone(self, run: StoredRun) -> None:
        cut = replace(run, state=State.INTERRUPTED, checkpoint=16)
        cell = replace(cut, id=cell_id(run.config))
        assert interrupted([cell, cut]) == [cut]
        assert f"run {cell.id} is a sweep's, which alone goes on with it" in why_not_resumed(cell)
        assert "is under way" in why_not_resumed(replace(cell, state=State.RUNNING))
