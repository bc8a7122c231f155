"""What sweeps run, kept in the store: read back as it was, or refused in one sentence."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bntui.core.config import Change, RunConfig
from bntui.core.sweep import LONGEST_NAME, Axis, Design, free_name, threads_fitted, why_no_name
from bntui.store.checksum import CHECKED, checksum
from bntui.store.database import Store
from bntui.store.repair import REMARK, MendedError, identity, mend
from bntui.store.schema import StoreError, connect_to_read
from bntui.store.sweeps import read_design, write_design
from tests.store.recorded import keep

DESIGN = Design(
    RunConfig(width=0.25, epochs=3, at=(Change(4, "momentum", 0.9), Change(9, "recalibrate"))),
    (
        Axis("batch_size", (64, 256)),
        Axis("train_size", (None, 500)),
        Axis("amp", (False, True)),
        Axis("dataset", ("digits", "/home/me/own.npz")),
        Axis("at", ((), (Change(2, "batch_size", 8),))),
        Axis("twin", ("", "momentum=0.9")),
    ),
    (3, 0),
)


def change(path: Path, column: str, value: object) -> None:
    """Write a value into the only sweep's row, and make the checksum right."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute("SELECT * FROM sweeps").fetchall()
        values = {**dict(row), column: value}
        connection.execute(
            f"UPDATE sweeps SET {column} = ?, checksum = ?",
            (value, checksum(*(values[name] for name in CHECKED["sweeps"]))),
        )


def test_a_design_comes_back_as_it_was(path: Path) -> None:
    with Store(path) as store:
        store.put_sweep("all-of-it", DESIGN)
        (kept,) = store.sweeps()
    assert (kept.name, kept.design) == ("all-of-it", DESIGN)
    assert kept.design.cells() == DESIGN.cells()
    assert '"pace": "inf"' in write_design(DESIGN)


def test_sweeps_are_listed_the_newest_first(path: Path) -> None:
    with Store(path) as store:
        for name in ("one", "two", "three"):
            store.put_sweep(name, DESIGN)
        assert [sweep.name for sweep in store.sweeps()] == ["three", "two", "one"]
        assert store.sweep("two").name == "two"
        with pytest.raises(StoreError, match="sweep 'four' is not in the store: `bntui sweeps`"):
            store.sweep("four")
        with pytest.raises(StoreError, match="is not in the store"):
            store.sweep("\udce9")


def test_the_same_sweep_may_be_put_again_and_another_may_not_have_its_name(path: Path) -> None:
    with Store(path) as store:
        store.put_sweep("one", DESIGN)
        first = store.sweep("one")
        store.put_sweep("one", DESIGN)
        store.put_sweep("one", threads_fitted(DESIGN, 3))  # the same cells, computed otherwise
        store.put_sweep("one", replace(DESIGN, base=replace(DESIGN.base, seed=3)))
        backwards = tuple(Axis(one.setting, one.values[::-1]) for one in DESIGN.axes[::-1])
        store.put_sweep("one", replace(DESIGN, axes=backwards, seeds=(0, 3)))  # in another order
        assert store.sweep("one") == first
        for other in (
            replace(DESIGN, seeds=(3,)),
            replace(DESIGN, axes=DESIGN.axes[1:]),
            replace(DESIGN, base=replace(DESIGN.base, epochs=4)),
        ):
            with pytest.raises(StoreError, match=r"give another --name, or go on with that one by"):
                store.put_sweep("one", other)
        assert store.sweep("one") == first


def test_a_sweep_is_put_once_by_two_at_the_same_time(path: Path) -> None:
    with Store(path) as one, Store(path) as other:
        one.put_sweep("one", DESIGN)
        with pytest.raises(StoreError, match="runs something else"):
            other.put_sweep("one", replace(DESIGN, seeds=(1,)))
        assert other.sweep("one") == one.sweep("one")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it has 0 characters"),
        ("x" * (LONGEST_NAME + 1), "it has 61 characters and must have 1 to 60"),
        ("my sweep", "a space, a slash or a control"),
        ("my\u00a0sweep", "a space, a slash or a control"),
        ("a/g", "a slash"),
        ("g\x1b[2J", "a control character"),
        ("g\udce9", "a control character"),
        ("--jobs", "begins like an option"),
        ("beef", "it could be a run's"),
        ("0", "it could be a run's"),
        ("C0FFEE", "it could be a run's"),
        ("Last", "it could be a run's"),
    ],
)
def test_some_names_can_not_be(path: Path, name: str, why: str) -> None:
    assert why in why_no_name(name)
    with Store(path) as store:
        with pytest.raises(
            StoreError, match=r"^a sweep can't be called .*: give another --name\.$"
        ):
            store.put_sweep(name, DESIGN)
        assert store.sweeps() == []


@pytest.mark.parametrize("name", ["sweep-1", "g", "beef-2", "größe", "x" * LONGEST_NAME])
def test_others_can(path: Path, name: str) -> None:
    assert why_no_name(name) == ""
    with Store(path) as store:
        store.put_sweep(name, DESIGN)
        assert store.sweep(name).name == name


@pytest.mark.parametrize(
    "design",
    [
        replace(DESIGN, seeds=tuple(range(10_000))),
        replace(DESIGN, axes=(Axis("threads", (1, 2)),)),
    ],
)
def test_what_could_not_be_read_back_is_not_kept(path: Path, design: Design) -> None:
    with Store(path) as store:
        with pytest.raises(StoreError, match=r"^the sweep one can't be kept \(.*\): give other"):
            store.put_sweep("one", design)
        assert store.sweeps() == []


def test_the_next_name_is_the_first_that_is_free() -> None:
    assert free_name(lambda _: False) == "sweep-1"
    assert free_name({"sweep-1", "sweep-3", "mine"}.__contains__) == "sweep-2"
    assert why_no_name(free_name(lambda _: False)) == ""


def text(**changes: Any) -> str:
    return json.dumps(json.loads(write_design(DESIGN)) | changes)


BASE = json.loads(write_design(DESIGN))["base"]
WRONG: dict[str, tuple[str, object]] = {
    "no text": ("design", b"\xff"),
    "no JSON": ("design", "[" * 10_000),
    "a list": ("design", "[]"),
    "no seeds": ("design", text(seeds=[])),
    "a seed twice": ("design", text(seeds=[1, 1])),
    "a seed of text": ("design", text(seeds=["one"])),
    "a seed below none": ("design", text(seeds=[-1])),
    "an axis of seeds": ("design", text(axes=[{"setting": "seed", "values": [1]}])),
    "an axis without effect": ("design", text(axes=[{"setting": "threads", "values": [1]}])),
    "an axis of nothing": ("design", text(axes=[{"setting": "depth", "values": []}])),
    "an unknown axis": ("design", text(axes=[{"setting": "warmth", "values": [1]}])),
    "two axes of one": ("design", text(axes=[{"setting": "depth", "values": [1]}] * 2)),
    "a value twice": ("design", text(axes=[{"setting": "depth", "values": [1, 1]}])),
    "an impossible value": ("design", text(axes=[{"setting": "momentum", "values": [0.9, 1.5]}])),
    "no number": ("design", text(axes=[{"setting": "momentum", "values": ["nan"]}])),
    "a value of another type": ("design", text(axes=[{"setting": "amp", "values": ["yes"]}])),
    "a list for a value": ("design", text(axes=[{"setting": "dataset", "values": [["a"]]}])),
    "no value": ("design", text(axes=[{"setting": "momentum", "values": [None]}])),
    "an impossible setting": ("design", text(base={**BASE, "norm": "spectral"})),
    "an unknown setting": ("design", text(base={**BASE, "warmth": 3})),
    "settings that are none": ("design", text(base=[1])),
    "more runs than can be": (
        "design",
        text(
            axes=[{"setting": n, "values": list(range(1, 50))} for n in ("batch_size", "steps")],
            seeds=list(range(100)),
        ),
    ),
    "a name of a run": ("name", "beef"),
    "a name that no terminal can take": ("name", "\x1b[2J"),
    "no name": ("name", None),
    "no date": ("begun", "seven"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_sweep_is_left_out_or_refused_in_one_sentence(path: Path, what: str) -> None:
    with Store(path) as store:
        store.put_sweep("wrong", DESIGN)
    change(path, *WRONG[what])
    with Store(path) as store:
        store.put_sweep("sound", DESIGN)
        assert [sweep.name for sweep in store.sweeps()] == ["sound"]
        (remark,) = store.remarks
        assert remark.startswith("left out, not as bntui writes it: a sweep w")
        if WRONG[what][0] != "name":
            for ask in (
                lambda: store.sweep("wrong"),
                lambda: store.put_sweep("wrong", DESIGN),
            ):
                with pytest.raises(StoreError, match="is not as this bntui writes them") as told:
                    ask()
                assert str(told.value).count("\n") == 0


def test_what_an_earlier_version_did_not_know_has_its_default() -> None:
    base = {name: value for name, value in BASE.items() if name != "amp"}
    assert read_design(text(base=base)) == DESIGN


def test_a_damaged_row_is_not_a_run_s(path: Path) -> None:
    runs = [keep(path) for _ in range(2)]
    with Store(path) as store:
        store.put_sweep("sound", DESIGN)
        store.put_sweep("hurt", DESIGN)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sweeps SET design = '{}' WHERE name = 'hurt'")
    with pytest.raises(MendedError) as told, Store(path) as store:
        store.sweeps()
    assert "2 of 2 runs in it could be kept, 1 of its sweeps could not; try again." in str(
        told.value
    )
    with Store(path) as store:
        assert [sweep.name for sweep in store.sweeps()] == ["sound"]
        assert sorted(run.id for run in store.runs()) == sorted(runs)
        assert not any(REMARK in run.note for run in store.runs())


def test_sweeps_are_saved_from_a_store_whose_runs_are_damaged(path: Path) -> None:
    keep(path)
    with Store(path) as store:
        store.put_sweep("one", DESIGN)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE points SET vals = zeroblob(8)")
    assert isinstance(mend(path, identity(path)), MendedError)
    with Store(path) as store:
        assert store.sweep("one").design == DESIGN


def test_a_store_that_may_only_be_read_has_its_sweeps(path: Path) -> None:
    with Store(path) as store:
        store.put_sweep("one", DESIGN)
    with closing(connect_to_read(path, patience=1.0)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM sweeps")
        assert connection.execute("SELECT name FROM sweeps").fetchone()["name"] == "one"
