"""Cells of a sweep: their order, and ids that follow from what changes a run's numbers."""

import math
from dataclasses import replace

import pytest

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.settings import SETTINGS, with_values
from bntui.core.sweep import (
    NOT_OF_THE_NUMBERS,
    Axis,
    CellState,
    Design,
    Standing,
    SweepView,
    cell_id,
    momentum_of,
    start_left,
    threads_fitted,
    tried_again,
)

OTHERS = {
    "dataset": "photos",
    "data_dir": "/data",
    "train_size": 100,
    "norm": "ghost",
    "norm_layers": 3,
    "depth": 2,
    "width": 0.5,
    "ghost_batch": 16,
    "ghost_updates": "once",
    "optimizer": "sgd",
    "lr_rule": "linear",
    "lr_warmup": 10,
    "batch_schedule": "x2/1",
    "base_batch": 128,
    "seed": 1,
    "device": "cpu",
    "amp": True,
    "compile": True,
    "threads": 1,
    "epochs": 3,
    "steps": 40,
    "batch_size": 64,
    "momentum": 0.9,
    "estimator": "cumulative",
    "learning_rate": 0.01,
    "pace": 5.0,
    "at": (Change(3, "momentum", 0.9),),
    "twin": "momentum=0.9",
}


def test_an_id_is_the_same_for_ever() -> None:
    # Runs in users' stores are found again by it: a change of the digits loses all of them.
    assert cell_id(RunConfig()) == "d9090aef05f8"
    config = RunConfig(seed=3, width=0.25, knobs=Knobs(batch_size=64, learning_rate=0.01))
    assert cell_id(config) == "0828f53ec592"


def test_an_id_is_of_twelve_digits_that_a_run_can_have() -> None:
    assert len(cell_id(RunConfig())) == 12
    assert set(cell_id(RunConfig())) <= set("0123456789abcdef")


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_that_changes_numbers_makes_another_cell(setting: str) -> None:
    other = with_values(RunConfig(), {setting: OTHERS[setting]})
    same = setting in {"data_dir", "device", "threads", "pace"}
    assert (cell_id(other) == cell_id(RunConfig())) is same
    assert (setting in NOT_OF_THE_NUMBERS) is same


def test_ids_of_different_values_differ() -> None:
    configs = [
        RunConfig(),
        *(with_values(RunConfig(), {name: value}) for name, value in OTHERS.items()),
        with_values(RunConfig(), {"momentum": 0.9000000001}),
        with_values(RunConfig(), {"at": (Change(4, "momentum", 0.9),)}),
        with_values(RunConfig(), {"batch_size": 640}),
        with_values(RunConfig(), {"train_size": 64}),
    ]
    assert len({cell_id(config) for config in configs}) == len(configs) - len(NOT_OF_THE_NUMBERS)


def test_a_value_typed_as_whole_number_makes_the_same_cell() -> None:
    one, other = (with_values(RunConfig(), {"width": width}) for width in (2, 2.0))
    assert cell_id(one) == cell_id(other)


def test_cells_come_seed_by_seed_with_the_last_axis_quickest() -> None:
    design = Design(
        RunConfig(width=0.25),
        (Axis("batch_size", (64, 16)), Axis("norm_layers", (None, 2))),
        (5, 4),
    )
    cells = design.cells()
    assert [(cell.seed, *cell.values) for cell in cells] == [
        (5, 64, None),
        (5, 64, 2),
        (5, 16, None),
        (5, 16, 2),
        (4, 64, None),
        (4, 64, 2),
        (4, 16, None),
        (4, 16, 2),
    ]
    assert cells[3].config == RunConfig(
        width=0.25, norm_layers=2, seed=5, knobs=Knobs(batch_size=16)
    )
    assert [cell.id for cell in cells] == [cell_id(cell.config) for cell in cells]
    assert len({cell.id for cell in cells}) == 8


def test_a_design_without_axes_is_one_cell_a_seed() -> None:
    (cell,) = Design(RunConfig(seed=7)).cells()
    assert (cell.values, cell.seed) == ((), 0)  # the design's seeds, not the base's


def test_threads_are_fitted_only_where_none_are_given() -> None:
    design = Design(RunConfig(), (Axis("depth", (0, 1)),))
    assert threads_fitted(design, 2).base.threads == 2
    given = replace(design, base=RunConfig(threads=1))
    assert threads_fitted(given, 2) is given


def test_a_sweep_is_over_when_nothing_is_left_to_run() -> None:
    cells = Design(RunConfig(), seeds=(0, 1)).cells()

    def view(*standings: Standing) -> SweepView:
        states = (CellState(cell, one) for cell, one in zip(cells, standings, strict=True))
        return SweepView("sweep-1", Design(RunConfig(), seeds=(0, 1)), tuple(states))

    assert view(Standing.FINISHED, Standing.FAILED).over
    for left in (Standing.WAITING, Standing.RUNNING, Standing.INTERRUPTED):
        assert not view(Standing.FINISHED, left).over
    assert view(Standing.FAILED, Standing.FAILED).count(Standing.FAILED) == 2


def test_what_is_tried_again_waits() -> None:
    design = Design(RunConfig(), seeds=(0, 1, 2))
    some = (Standing.FAILED, Standing.FAILED, Standing.FINISHED)
    states = [CellState(*pair, images=7) for pair in zip(design.cells(), some, strict=True)]
    view = SweepView("sweep-1", design, tuple(states))
    again = tried_again(view, {states[0].cell.id, states[2].cell.id})
    assert again.cells == (CellState(states[0].cell), *states[1:])
    assert view.over
    assert not again.over
    assert tried_again(view, set()) is view
    assert tried_again(view, {states[2].cell.id}) is view


def test_the_line_of_theory_goes_both_ways() -> None:
    assert start_left(0.99, 229) == pytest.approx(0.1, abs=1e-3)
    assert momentum_of(0.1, 229) == pytest.approx(0.99, abs=1e-4)
    assert math.isclose(start_left(momentum_of(0.3, 17), 17), 0.3)
