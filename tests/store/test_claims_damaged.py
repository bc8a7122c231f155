"""Cells of which the store is damaged, has wrong rows, or can't be used at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.run_request import New
from bntui.core.snapshot import Phase, Snapshot
from bntui.store import claims
from bntui.store.claims import claim
from bntui.store.database import Store
from bntui.store.repair import MendedError
from bntui.store.schema import StoreError
from tests.store.cells import CELL, DESIGN, Take, at, keep, saved
from tests.store.tampered import change_row


def test_what_can_not_be_kept_of_a_failure_is_a_problem(
    path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    found = take()
    assert found is not None
    monkeypatch.setattr(claims, "put_failure", full)
    found.close(Snapshot(phase=Phase.FAILED, config=CELL.config))
    assert "database or disk is full" in found.recorder.problem
    assert take() is not None


def test_a_wrong_row_begins_anew(path: Path, take: Take) -> None:
    keep(path, CELL, Phase.FINISHED, 32)
    change_row("runs", "facts", "[]")
    found = take()
    assert found is not None
    found.recorder.record(at(CELL, 1, phase=Phase.PAUSED), ())
    with Store(path) as store:
        assert store.run(CELL.id).updates == 1


def test_a_wrong_checkpoint_is_not_gone_on_from(path: Path, take: Take) -> None:
    keep(path, CELL, Phase.STOPPED, **saved(CELL))
    change_row("checkpoints", "config", '{"norm": "spectral"}')
    found = take()
    assert found is not None
    assert found.request.origin == New()


@pytest.mark.parametrize("table", ["runs", "checkpoints"])
def test_a_damaged_store_is_mended_first(path: Path, take: Take, table: str) -> None:
    keep(path, CELL, Phase.STOPPED, **saved(CELL))
    with closing(sqlite3.connect(path)) as connection, connection:
        column = "config" if table == "runs" else "label"
        connection.execute(f"UPDATE {table} SET {column} = 'no'")
    found = take()
    assert found is not None
    assert "was damaged: it lies beside its place as" in found.recorder.notice
    assert found.request.origin == New()
    found.recorder.record(at(CELL, 1, phase=Phase.PAUSED), ())
    assert not found.recorder.problem
    with Store(path) as store:
        assert store.run(CELL.id).updates == 1


def test_but_not_while_a_run_is_under_way(path: Path, take: Take) -> None:
    one, other = DESIGN.cells()[:2]
    keep(path, other, Phase.STOPPED)
    first = take(one)
    assert first is not None
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET config = 'no'")
    with pytest.raises(StoreError, match=f"is damaged, and run {one.id} is under way"):
        take(other)
    first.recorder.close(Snapshot())
    second = take(other)
    assert second is not None
    assert "was damaged" in second.recorder.notice


def test_what_is_damaged_twice_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise MendedError("it was damaged")

    monkeypatch.setattr(claims, "_origin", damaged)
    with pytest.raises(MendedError):
        claim(path, CELL)


def test_a_store_that_can_not_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="BNTUI_STORE"):
        claim(tmp_path / "file" / "runs.sqlite", CELL)
