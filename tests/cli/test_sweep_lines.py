"""A sweep in text: its runs, its table, the line of a run, what stands beside the bar."""

import pytest
from rich.progress import ProgressColumn

from bntui.cli.sweep_lines import (
    SweepLines,
    axes_in_words,
    listing,
    progress_in_words,
    results,
    standings_in_words,
    values_of_run,
)
from bntui.core.sweep import Standing
from tests.sweeps.made_up import TRAIN, design, outcome, view, waiting, with_cell


def test_a_table_has_a_row_for_each_combination() -> None:
    made = view(design(("batch_size", (16, 64)), ("norm", ("batch", "none")), seeds=2))
    made = with_cell(made, 0, epochs=(outcome(made.cells[0].cell, 3, 0.8, 0.6),))
    made = with_cell(made, 3, standing=Standing.FAILED, epochs=())
    made = with_cell(made, 7, standing=Standing.RUNNING, epochs=())
    assert results(made).plain.splitlines() == [
        "batch-size  norm     gap  running  fresh  epoch   seeds  failed",
        "        16  batch  0.300    0.550  0.850      3       2       –",
        "        16  none       –    0.500  0.900      3       2       –",
        "        64  batch  0.400    0.500  0.900      3       2       –",
        "        64  none       –        –      –      –  0 of 2       1",
    ]


def test_the_line_of_a_run_has_values_by_option() -> None:
    made = view(design(("batch_size", (16, 64)), ("learning_rate", (0.1,))))
    line = values_of_run(made, made.cells[1])
    assert line["settings"] == {"batch-size": 64, "lr": 0.1}
    assert (line["standing"], line["epoch"], line["val_acc_fresh"]) == ("finished", 3, 0.9)
    assert line["hindsight"]["0.99"] == pytest.approx(0.507)
    empty = waiting(made.design)
    assert values_of_run(empty, empty.cells[0])["val_acc"] is None


def test_axes_and_standings_in_words() -> None:
    many = design(("batch_size", tuple(range(1, 20))), ("train_size", (None, 5)), seeds=1)
    assert axes_in_words(many) == (
        "batch-size 1, 2, 3, 4, 5, 6, …, 19 × train-size all, 5 × 1 seed"
    )
    made = with_cell(waiting(many), 0, standing=Standing.RUNNING)
    assert standings_in_words(made) == "37 waiting, 1 running"
    assert len(listing(made).splitlines()) == 38


def test_only_finished_runs_are_counted_beside_the_bar() -> None:
    made = view(design(("batch_size", (16, 32, 64, 128))))
    for place in range(4):  # each is three quarters done
        made = with_cell(made, place, standing=Standing.RUNNING, images=3 * TRAIN * 3 // 4)
    assert progress_in_words(made) == "0 of 4 runs finished, 4 running"
    made = with_cell(made, 0, standing=Standing.FINISHED, seconds=60.0)
    made = with_cell(made, 3, standing=Standing.FAILED)
    assert progress_in_words(made) == "1 of 4 runs finished, 2 running, 1 failed, about 60 s left"

    lines = SweepLines()
    lines.progress(made)
    (bar,) = lines._bar.tasks
    assert (bar.completed, bar.total) == (1 + 2 * 0.75 + 1, 4)
    shown = [one(bar) for one in lines._bar.columns if isinstance(one, ProgressColumn)]
    lines._bar.stop()
    assert any(str(one).startswith("1 of 4 runs finished") for one in shown)
    assert not any("3/4" in str(one) for one in shown)
