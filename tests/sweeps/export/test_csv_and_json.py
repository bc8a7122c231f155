"""A sweep as a table: every row that there is, lossless, and settings that can be read back."""

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest

from bntui.core.config import Change, RunConfig
from bntui.core.estimators import ROWS
from bntui.core.settings import OPTIONS, SETTINGS, value_of, with_values
from bntui.core.sweep import EpochOutcome, Standing, SweepView, cell_id
from bntui.sweeps.export.csv_and_json import COLUMNS, csv_lines, json_lines, table_rows
from tests.sweeps.made_up import BASE, TRAIN, design, outcome, view, waiting, with_cell

nan = math.nan
SEEN = view(
    design(("batch_size", (64, 1000)), ("learning_rate", (0.001, 1 / 3)), seeds=2),
    lambda cell, epoch: outcome(cell, epoch, 1 / 7 + 0.8, 1 / 3),
)


def rows(of: SweepView) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(of)))))


def test_there_is_a_row_for_each_cell_epoch_and_kind_of_statistics() -> None:
    table = rows(SEEN)
    assert len(table) == 8 * 3 * (1 + len(ROWS))
    assert tuple(table[0]) == COLUMNS
    assert [row["statistics"] for row in table[:14]] == ["own", *ROWS]
    assert [row["epoch"] for row in table[:42]] == ["1"] * 14 + ["2"] * 14 + ["3"] * 14
    assert {row["run"] for row in table} == {one.cell.id for one in SEEN.cells}
    assert {row["sweep"] for row in table} == {"made up"}


def test_values_have_every_digit() -> None:
    row = rows(SEEN)[14 + 8]
    at = SEEN.cells[0].epochs[1]
    assert (row["statistics"], row["update"]) == ("0.99", "126")
    assert float(row["running"]) == at.rows[7]
    assert float(row["fresh"]) == at.fresh
    assert float(row["gap"]) == at.fresh - at.rows[7]
    assert float(row["start-left"]) == 0.99**126


def test_a_rows_settings_make_its_run_again() -> None:
    for row in rows(SEEN):
        config = RunConfig()
        for name, text in row.items():
            if (setting := OPTIONS.get(name)) and setting.parse and text:
                config = with_values(config, {setting.field: setting.parse(text)})
        assert cell_id(config) == row["run"]


def test_planned_changes_are_written_as_they_are_typed() -> None:
    changes = (Change(7, "momentum", 0.9), Change(9, "recalibrate"))
    base = replace(BASE, at=changes, amp=True)
    row = rows(view(design(("batch_size", (64, 256)), base=base)))[0]
    assert row["at"] == "7:momentum=0.9 9:recalibrate"
    assert (row["amp"], row["compile"]) == ("true", "false")
    assert row["start-left"] == ""  # the momentum was another on the way


def test_what_was_not_measured_is_empty_and_null() -> None:
    of = view(
        design(("norm", ("batch", "layer", "renorm"))),
        lambda _, epoch: EpochOutcome(epoch, epoch, 0.5, nan, ()),
        epochs=1,
    )
    table = rows(of)
    assert [row["statistics"] for row in table] == ["own", "none", "own"]
    assert [row["running"] for row in table] == ["0.5"] * 3
    assert {row["fresh"] + row["gap"] for row in table} == {""}
    assert [row["start-left"] for row in table] == ["0.99", "", "0.99"]
    values = json.loads(next(json_lines(of)))
    assert (values["fresh"], values["gap"], values["train-size"]) == (None, None, None)


def test_json_lines_have_the_same_rows_with_their_types() -> None:
    objects: list[dict[str, Any]] = [json.loads(line) for line in json_lines(SEEN)]
    assert objects == list(table_rows(SEEN))
    first = objects[0]
    assert first["batch-size"] == 64
    assert first["lr"] == 0.001
    assert first["amp"] is False
    assert first["train"] == TRAIN
    assert set(first) == set(COLUMNS)


def test_a_cell_says_how_it_stands_and_one_without_an_epoch_has_no_row() -> None:
    of = with_cell(
        waiting(SEEN.design), 2, standing=Standing.RUNNING, epochs=SEEN.cells[2].epochs[:1]
    )
    table = rows(of)
    assert {(row["run"], row["state"], row["train"]) for row in table} == {
        (of.cells[2].cell.id, "running", "")
    }
    assert rows(waiting(SEEN.design)) == []


@pytest.mark.parametrize("name", [name for name in COLUMNS if name in OPTIONS])
def test_settings_stand_under_their_options_names(name: str) -> None:
    row = next(table_rows(SEEN))
    field = OPTIONS[name].field
    written = value_of(SEEN.cells[0].cell.config, field)
    assert row[name] == ("" if field == "at" else written)
    assert field in SETTINGS
