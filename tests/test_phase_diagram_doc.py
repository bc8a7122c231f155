"""docs/phase-diagram.md says what its data say, and nothing else."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.cli.sweep import _values, sweep
from bntui.core.settings import SETTINGS
from bntui.core.sweep import CellState, EpochOutcome, SweepView
from bntui.sweeps.grid import design_of
from bntui.sweeps.phase import START_LEFT
from tools.phase_diagram import data, findings
from tools.phase_diagram.__main__ import DOCS
from tools.phase_diagram.figures import Look, border, looks
from tools.phase_diagram.findings import UntrueError, says
from tools.phase_diagram.page import PICTURE, page, picture

Views = Mapping[str, SweepView]


@pytest.fixture(scope="module")
def views() -> Views:
    return data.read()


def changed(
    view: SweepView, change: Callable[[CellState, EpochOutcome], EpochOutcome]
) -> SweepView:
    cells = tuple(
        replace(cell, epochs=tuple(change(cell, one) for one in cell.epochs)) for cell in view.cells
    )
    return replace(view, cells=cells)


def test_page_and_picture_are_made_of_the_data(views: Views) -> None:
    assert (DOCS / "phase-diagram.md").read_text(encoding="utf-8") == page(views)
    assert (DOCS / PICTURE).read_text(encoding="utf-8") == picture(views)


def test_the_table_is_read_and_written_alike(views: Views) -> None:
    assert "".join(data.lines(views.values())) == data.FILE.read_text(encoding="utf-8")
    assert data.FILE.stat().st_size < 1_500_000


def test_every_part_is_told_of(views: Views) -> None:
    assert list(views) == [part.name for part in data.PARTS]


def test_each_command_is_of_the_runs_that_the_page_has(views: Views) -> None:
    lines = [line for line in page(views).splitlines() if line.startswith("    bntui sweep")]
    assert len(lines) == len(views)
    for view, line in zip(views.values(), lines, strict=True):
        given = sweep.make_context("sweep", shlex.split(line)[2:]).params
        options = {name: values for name, values in given.items() if name in SETTINGS}
        design = design_of(_values(options), given["seeds"])
        assert given["name"] == view.name
        assert {cell.id for cell in design.cells()} == {one.cell.id for one in view.cells}


def test_a_sentence_without_a_figure_is_none(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def noted(claim: bool, sentence: str) -> str:
        said.append(sentence)
        return says(claim, sentence)

    monkeypatch.setattr(findings, "says", noted)
    text = page(views)
    assert all(re.search(r"\d", sentence) for sentence in said)
    text = text[text.index("## When") : text.index("## What was run")]
    prose = " ".join(line for line in text.splitlines() if line and line[0] not in "|#!")
    assert prose == " ".join(said)


def test_a_run_with_settings_that_its_id_does_not_have_is_refused(tmp_path: Path) -> None:
    text = data.FILE.read_text(encoding="utf-8").replace(",0.25,", ",0.5,", 1)
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(ValueError, match="other settings"):
        data.read(tmp_path / "data.csv")


def test_an_epoch_that_is_missing_is_noticed(tmp_path: Path) -> None:
    lines = data.FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data.csv").write_text("".join(lines[:3] + lines[4:]))
    with pytest.raises(ValueError, match="every epoch"):
        data.read(tmp_path / "data.csv")


def test_a_claim_that_is_not_true_has_no_sentence() -> None:
    assert says(True, "1 is 1.") == "1 is 1."
    with pytest.raises(UntrueError, match="1 is 2"):
        says(False, "1 is 2.")


def all_sound(_: CellState, one: EpochOutcome) -> EpochOutcome:
    return replace(one, own=one.fresh, rows=(one.fresh,) * len(one.rows))


def none_sound(_: CellState, one: EpochOutcome) -> EpochOutcome:
    return replace(one, own=0.0, rows=(0.0,) * len(one.rows))


def by_epochs(_: CellState, one: EpochOutcome) -> EpochOutcome:
    """As if epochs decided, and neither updates nor momentum."""
    running = one.fresh if one.epoch > 5 else 0.0
    return replace(one, own=running, rows=(running,) * len(one.rows))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (part.name, change)
        for part in data.PARTS
        for change in (all_sound, none_sound, by_epochs)
        if (part.name, change) != ("scaled", by_epochs)  # there epochs do decide
    ],
)
def test_other_data_do_not_bear_out_the_page(
    views: Views, name: str, change: Callable[[CellState, EpochOutcome], EpochOutcome]
) -> None:
    with pytest.raises((UntrueError, ValueError)):
        page({**views, name: changed(views[name], change)})


def test_a_border_is_where_the_fewest_looks_are_told_wrongly() -> None:
    def looked(*updates: int, sound: Iterable[int]) -> list[Look]:
        return [Look(0.9, update, update in set(sound)) for update in updates]

    found = border(looked(10, 20, 30, 40, sound=(30, 40)))
    assert (found.looks, found.wrong) == (4, 0)
    assert (found.low, found.high) == pytest.approx((0.9**30, 0.9**20))
    assert found.updates(0.9) == (20, 30)
    found = border(looked(10, 20, 30, 40, 50, sound=(10, 40, 50)))
    assert (found.wrong, found.updates(0.9)) == (1, (30, 40))
    for sound in ((), (10, 20)):
        with pytest.raises(ValueError, match="alike"):
            border(looked(10, 20, sound=sound))


def test_no_other_share_for_the_programs_line_tells_fewer_looks_wrongly(views: Views) -> None:
    runs = {cell.cell.id: cell for view in views.values() for cell in view.cells}
    every = replace(views["batch-size"], cells=tuple(runs.values()))
    seen = looks(every)
    wrong = {
        share: sum(look.sound != (look.left <= share) for look in seen)
        for share in (0.01, START_LEFT, 0.05, 0.1)
    }
    assert len(seen) == 4560
    assert wrong == {0.01: 153, 0.02: 120, 0.05: 283, 0.1: 469}  # as the docstring has it
