"""Tables of stored runs: what gives way where there is too little room, and what never does."""

from dataclasses import replace
from typing import Any

import pytest

from bntui.cli.tables import Column, listing, page, table
from bntui.core.cells import cell_len
from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import Mark
from bntui.store.rows import StoredRun
from tests.store.recorded import report
from tests.ui.runs.kept_runs import stored
from tests.ui.scripted import facts

NOTE = "数字 a note that is much too long for any terminal and took the room of all figures"


def run(**changes: Any) -> StoredRun:
    values = {"val_acc": 0.1135, "val_acc_fresh": 0.958, "note": NOTE, "pinned": True}
    return stored(**values | changes)


RUNS = [
    run(),
    run(state="interrupted", updates=1_000_000, note="", facts=replace(facts(), dataset="数字")),
]


def lines(width: int | None) -> list[str]:
    return listing(RUNS, width).plain.splitlines()


def test_a_pipe_is_told_everything() -> None:
    header, first, second = lines(None)
    assert header.split() == [
        *("run", "state", "started", "data", "norm", "batch", "momentum", "updates", "val_acc"),
        *("fresh", "note"),
    ]
    assert first.endswith(f"0.1135  0.9580  {NOTE}")
    assert second.split()[-5:] == ["256", "0.99", "1,000,000", "0.1135", "0.9580"]


def test_the_note_shrinks_first_then_columns_go() -> None:
    assert lines(90) == [
        "run             state        norm   batch  momentum    updates  val_acc   fresh  note",
        "★ 0123456789ab  finished     batch    256      0.99        160   0.1135  0.9580  数字 a n…",
        "★ 0123456789ab  interrupted  batch    256      0.99  1,000,000   0.1135  0.9580",
    ]
    assert lines(60) == [
        "run             state        batch  val_acc   fresh",
        "★ 0123456789ab  finished       256   0.1135  0.9580",
        "★ 0123456789ab  interrupted    256   0.1135  0.9580",
    ]
    assert lines(10) == [
        "run             val_acc   fresh",
        "★ 0123456789ab   0.1135  0.9580",
        "★ 0123456789ab   0.1135  0.9580",
    ]


@pytest.mark.parametrize("width", range(31, 250, 3))
def test_names_and_figures_are_never_cut(width: int) -> None:
    for line in lines(width):
        assert cell_len(line) <= width
        assert line.startswith("run") or "0123456789ab" in line
        assert line.startswith("run") or {"0.1135", "0.9580"} <= set(line.split())


def test_columns_stand_below_one_another_in_cells() -> None:
    columns = [Column("数", ["字字", "x"]), Column("n", ["1", "22"], number=True)]
    assert table(columns, None, ()).plain == "数     n\n字字   1\nx     22"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_page_keeps_to_the_width_and_loses_nothing(width: int) -> None:
    config = RunConfig(data_dir="/a/path/" + "数字" * 40, knobs=Knobs(momentum=0.97))
    marks = [Mark(7, "momentum 0.99→0.97 " + "and more " * 20)]
    one = run(config=config, message="it failed " * 20)
    reports = [replace(report(1), update=123_456_789)]
    parts = list(page(one, marks, [], reports, width))
    shown = "\n".join(part.plain for part in parts)
    assert all(cell_len(line) <= width for line in shown.splitlines())
    for figure in ("0.1140", "0.9700"):
        assert figure in shown.split()
    for text in (f"/a/path/{'数字' * 40}", "momentum0.99→0.97" + "andmore" * 20, "itfailed" * 20):
        assert text in "".join(shown.split())
    assert str(config.data_dir) in "\n".join(part.plain for part in page(one, marks, [], reports))
