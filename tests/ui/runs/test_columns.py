"""The columns of the list of runs, by its width, and what they say of a run."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bntui.core.cells import cell_len
from bntui.core.config import Knobs, RunConfig
from bntui.ui.runs.columns import (
    OURS,
    RUN_COLUMNS,
    about,
    fitting,
    measured,
    when,
    whole_words,
    written,
)
from tests.ui.runs.kept_runs import NAN, WATCHED, stored
from tests.ui.scripted import facts


class TestWatched:
    def test_a_training_of_others_has_its_script_and_no_settings_of_ours(self) -> None:
        run = stored(watched=WATCHED, val_acc=NAN)
        columns = {column.name: column.text(run) for column in measured([run, stored()])}
        assert columns["script"] == "train.py --epochs 9 · ResNet"
        assert (columns["momentum"], columns["batch_size"]) == ("0.1 (torch's)", "32")
        settings = ("norm", "estimator", "width", "learning_rate")
        assert {columns[name] for name in settings} == {"–"}

    def test_without_one_there_is_no_column_for_scripts(self) -> None:
        assert "script" not in {column.name for column in measured([stored()])}

    def test_what_is_known_of_it_and_what_was_found(self) -> None:
        (first, _), (known, _), (found, _), *_ = about(stored(watched=WATCHED))
        assert "train.py --epochs 9 · ResNet" in first
        assert known == "batch size 32 · momentum 0.1 (torch's) · optimiser SGD"
        assert found == "unsound: lag"


class TestColumns:
    @pytest.mark.parametrize("width", [50, 56, 74, 80, 114, 200])
    def test_they_fill_the_width_and_no_more(self, width: int) -> None:
        shown = fitting(width)
        assert sum(column.width + 1 for column in shown) <= width
        names = [column.name for column in shown]
        assert names == [column.name for column in RUN_COLUMNS if column.name in names]
        assert {"id", "state", "val_acc", "val_acc_fresh"} <= set(names)

    def test_all_are_there_where_there_is_room_and_the_note_takes_the_rest(self) -> None:
        shown = fitting(200)
        assert [column.name for column in shown] == [column.name for column in OURS]
        assert sum(column.width + 1 for column in shown) == 200

    def test_a_run_is_written_as_a_row(self) -> None:
        config = RunConfig(width=0.25, knobs=Knobs(4096, 0.995, "bias-corrected", 0.0005))
        run = stored(config=config, state="interrupted", checkpoint=32, note="a long note about it")
        text = "".join(written(column, column.text(run)) for column in OURS)
        assert text[13:] == (
            "! interrupted digits   batch   4096 0.995 b-cor    0.0005   0.25     160  0.1135"
            "      – a long … "
        )

    @pytest.mark.parametrize(
        ("note", "cells", "shown"),
        [
            ("the control", 11, "the control"),
            ("the control", 10, "the …"),
            ("forgets the start value sooner", 14, "forgets the …"),
            ("unbreakable", 8, "unbreakable"),
            ("数 字字字字", 6, "数 …"),
        ],
    )
    def test_a_note_keeps_whole_words(self, note: str, cells: int, shown: str) -> None:
        assert whole_words(note, cells) == shown

    @pytest.mark.parametrize("width", [50, 80, 200])
    def test_figures_and_usual_names_are_never_cut(self, width: int) -> None:
        config = RunConfig(knobs=Knobs(65536, 0.99999, learning_rate=0.000123), width=0.12345)
        named = replace(facts(), dataset="fashion-mnist")
        run = stored(config=config, updates=1_000_000_000, facts=named)
        shown = fitting(width, measured([stored(), run]))
        assert sum(column.width + 1 for column in shown) <= width
        for column in shown:
            assert written(column, column.text(run)).strip() == column.text(run)

    def test_wide_characters_are_measured_in_cells(self) -> None:
        run = stored(facts=replace(facts(), dataset="数字数字"), note="数字 数字 数字")
        cells = [cell_len(written(column, column.text(run))) for column in RUN_COLUMNS]
        assert cells == [column.width + 1 for column in RUN_COLUMNS]

    def test_without_running_statistics_there_is_no_momentum(self) -> None:
        text = {
            column.name: column.text(stored(config=RunConfig(norm="group")))
            for column in RUN_COLUMNS
        }
        assert (text["norm"], text["momentum"], text["estimator"]) == ("group", "–", "–")

    def test_a_moment_is_told_by_what_matters_of_it(self) -> None:
        now = datetime(2026, 3, 4, 12).astimezone()
        assert when(now - timedelta(hours=2, minutes=30), now) == "09:30"
        assert when(now - timedelta(days=2), now) == "03-02"
        assert when(now - timedelta(days=400), now) == "2025"

    def test_all_about_a_run(self) -> None:
        run = stored(
            config=RunConfig(norm="ghost", seed=7, knobs=Knobs(momentum=0.9)),
            knobs=Knobs(momentum=0.99),
            parent="fedcba987654",
            branched=97,
            note="best so far",
            unknown=("colour",),
            message="out of memory",
            state="failed",
        )
        lines = [line for line, _ in about(run)]
        assert "160 updates in 22 s · digits 4,000+1,000 · cpu" in lines[0]
        assert lines[0].endswith("branched off fedcba after 97 updates")
        assert lines[1:] == [
            "norm=ghost seed=7 momentum=0.9",
            "changed while it ran, in the end: momentum=0.99",
            "this version of bntui does not know its colour",
            "out of memory",
            "best so far",
        ]
        assert about(stored())[1] == ("all settings are at their defaults", "")
