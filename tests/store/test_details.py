"""The measurements that screens show, as rows of the store and back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass, replace
from json import dumps, loads
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bntui.core.border import BorderError
from bntui.core.config import RunConfig
from bntui.core.measured import (
    NO_DETAIL,
    Difference,
    Exchange,
    Exchanges,
    LayersWaiting,
    Noise,
    Score,
    Waiting,
)
from bntui.core.run_request import Resume
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.watched import Found, Watched
from bntui.store import details, recorded_details
from bntui.store.database import Store
from bntui.store.details import KINDS, MEASURED, Detail, packed, read, with_details
from bntui.store.recorder import StoreRecorder
from bntui.store.stored_snapshot import load_snapshot
from bntui.store.writing import put
from tests.store.measured import WATCHED, channels, everything, with_channels
from tests.store.recorded import Clock, checkpoint, keep, state
from tests.ui.scripted import mid_run

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
COUNTS = st.integers(0, 2**40)
WORDS = st.text(st.characters(categories=("L", "N", "P")), max_size=20)
SCORES = st.builds(Score, NUMBERS, NUMBERS, st.lists(COUNTS, max_size=4).map(tuple))
GAPS = st.builds(Difference, *[NUMBERS] * 4, COUNTS, NUMBERS)


def same(one: object, other: object) -> bool:
    """Tell whether two values are the same to the last bit, NaN included."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


def row(kind: str, words: object, data: object = b"", at: object = 40) -> sqlite3.Row:
    """Return a row of the table as the store has it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        found: sqlite3.Row = connection.execute(
            "SELECT ? AS kind, ? AS words, ? AS data, ? AS at", (kind, words, data, at)
        ).fetchone()
    return found


def back(kind: str, value: object) -> Detail:
    return read(row(kind, *packed(kind, value)))


@pytest.mark.parametrize("kind", MEASURED)
def test_every_measurement_comes_back_as_it_was(kind: str) -> None:
    value = everything(40)[kind]
    found = back(kind, value)
    assert found.kind == kind
    assert same(found.value, value)


@given(st.builds(Waiting, COUNTS, COUNTS, SCORES, st.lists(st.tuples(*[NUMBERS] * 3), max_size=3).map(tuple), NUMBERS, NUMBERS))  # fmt: skip
def test_any_forecast_comes_back(value: Waiting) -> None:
    assert same(back("waiting", value).value, value)


@given(st.builds(Exchanges, COUNTS, COUNTS, SCORES, SCORES, GAPS, st.lists(st.builds(Exchange, WORDS, GAPS, GAPS), max_size=3).map(tuple)))  # fmt: skip
def test_any_exchange_comes_back(value: Exchanges) -> None:
    # A name that is a number's to JSON stays a name.
    assert same(back("exchanges", value).value, value)


@given(st.builds(Noise, COUNTS, NUMBERS, st.none() | COUNTS, COUNTS, *[NUMBERS] * 4))
def test_any_noise_scale_comes_back(value: Noise) -> None:
    assert same(back("noise", value).value, value)


@given(st.builds(Watched, WORDS, WORDS, WORDS, NUMBERS, COUNTS, WORDS, NUMBERS, WORDS, st.lists(st.builds(Found, *[WORDS] * 3), max_size=3).map(tuple), COUNTS, st.lists(WORDS, max_size=3).map(tuple), NUMBERS, st.booleans()))  # fmt: skip
def test_any_watched_training_comes_back(value: Watched) -> None:
    assert same(back("watched", value).value, value)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 99))
def test_channels_of_layers_of_any_size_come_back(sizes: list[int], seed: int) -> None:
    whole = with_channels(3)
    layers = tuple(
        replace(whole.layers[0], name=f"{n}", channels=size, detail=channels(size, seed + n))
        for n, size in enumerate(sizes)
    )
    value = replace(whole, layers=layers)
    words, data = packed("validation", value)
    assert len(data) == 4 * 16 * sum(sizes)
    found = read(row("validation", words, data)).value
    assert same(found, value)
    assert not found.layers[0].detail.values.running.flags.writeable


def test_what_moves_the_cursor_is_shown_literally() -> None:
    value = LayersWaiting(3, 10, (("a\x1b[2J\nb", 1.0),))
    assert back("layers_waiting", value).value.layers == ((r"a\x1b[2J\nb", 1.0),)


def test_of_a_validation_that_is_too_large_the_channels_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(details, "LARGEST", 1000)
    value = with_channels(3)
    found = back("validation", value).value
    assert [layer.name for layer in found.layers] == [layer.name for layer in value.layers]
    assert all(layer.detail.values is None for layer in found.layers)
    assert all(len(layer.detail.quiet) == len(NO_DETAIL.quiet) == 0 for layer in found.layers)


# What whoever can write a file may have written


def edited(kind: str, edit: Callable[[Any], object], data: bytes | None = None) -> sqlite3.Row:
    """Return the row of a measurement whose plain values were edited."""
    words, numbers = packed(kind, everything(40)[kind])
    values = loads(words)
    edit(values)
    return row(kind, dumps(values), numbers if data is None else data)


def shape(values: Any, *sizes: object) -> None:
    values["layers"][0]["detail"]["mean_gap"]["f4"] = list(sizes)


WRONG: dict[str, Callable[[], sqlite3.Row]] = {
    "a kind of a later version": lambda: row("dreams", "{}"),
    "no JSON": lambda: row("noise", "{"),
    "a list for a table": lambda: row("noise", "[]"),
    "bytes as text": lambda: row("noise", b"{}"),
    "text as bytes": lambda: row("noise", packed("noise", everything(40)["noise"])[0], "text"),
    "a negative update": lambda: row("noise", packed("noise", everything(40)["noise"])[0], b"", -1),
    "JSON nested 10,000 deep": lambda: row("noise", "[" * 10_000 + "]" * 10_000),
    "a field that is missing": lambda: edited("waiting", lambda v: v.pop("momentum")),
    "a text for a number": lambda: edited("waiting", lambda v: v.update(momentum="much")),
    "numbers for nobody": lambda: edited("noise", lambda _: None, b"\0\0\0\0"),
    "too few numbers": lambda: edited("validation", lambda _: None, b"\0\0\0\0"),
    "an array of no dimension": lambda: edited("validation", lambda v: shape(v)),
    "an array of three dimensions": lambda: edited("validation", lambda v: shape(v, 1, 1, 64)),
    "an array that is huge": lambda: edited("validation", lambda v: shape(v, 2**40, 2**40)),
    "an array of another size": lambda: edited("validation", lambda v: shape(v, 1)),
    "an array of negative size": lambda: edited("validation", lambda v: shape(v, -1, -64)),
    "a number in place of an array": lambda: edited(
        "validation", lambda v: v["layers"][0]["detail"].update(quiet=1.0)
    ),
    "more channels than numbers": lambda: edited(
        "validation", lambda v: v["layers"][0].update(channels=65)
    ),
    "a map without rows": lambda: edited("what_if", lambda v: v.update(names=["0.9"])),
    "more gains than rows": lambda: edited("what_if", lambda v: v["gains"].append(v["gains"][0])),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_as_bntui_writes_it_is_refused(what: str) -> None:
    with pytest.raises(BorderError):
        read(WRONG[what]())


@pytest.mark.parametrize("kind", ["look", "progress"])
def test_these_kinds_are_read_too(kind: str) -> None:
    snapshot = state(40, **everything(40))
    (value,) = (value for found, _, value in details.details(snapshot) if found == kind)
    assert isinstance(back(kind, value).value, KINDS[kind])


# In the store


def test_a_run_comes_back_with_all_that_was_measured(path: Path) -> None:
    measured = everything(40)
    progress: dict[str, Any] = {
        "epochs": 7,
        "updates_per_epoch": 16,
        "images_per_s": 640.5,
        "observed_share": 0.1,
    }
    run = keep(path, updates=40, **measured, **progress)
    with Store(path) as store:
        snapshot = load_snapshot(store, run)
        assert store.remarks == []
    for name in measured.keys() - {"hindsight"}:
        assert same(getattr(snapshot, name), measured[name]), name
    for name, value in progress.items():
        assert getattr(snapshot, name) == value
    found, expected = snapshot.hindsight, measured["hindsight"]
    assert found is not None
    for name in ("names", "images", "gains", "behind", "recommended", "distance", "accuracy"):
        assert same(getattr(found, name), getattr(expected, name)), name


def test_a_twins_measurements_are_its_own(path: Path) -> None:
    config = replace(state(1).config, twin="momentum=0.5")
    other = state(40, validation=with_channels(40, seed=5))
    run = keep(path, updates=40, config=config, validation=with_channels(40, seed=4), twin=other)
    with Store(path) as store:
        snapshot = load_snapshot(store, run)
    assert snapshot.twin is not None
    assert same(snapshot.twin.validation, other.validation)
    assert same(snapshot.validation, with_channels(40, seed=4))


def test_a_wrong_measurement_is_left_out_with_a_remark_and_the_others_live(path: Path) -> None:
    run = keep(path, updates=40, **everything(40))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        put(connection, "details", run, "waiting", 40, "{}", b"")
        put(connection, "details", run, "dreams", 40, "{}", b"")
    with Store(path) as store:
        snapshot = load_snapshot(store, run)
        (remark,) = store.remarks
    assert "2 of the measurements of run" in remark
    assert snapshot.waiting is None
    assert snapshot.exchanges == everything(40)["exchanges"]


def test_a_huge_measurement_is_not_even_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = keep(path, updates=40, **everything(40))
    monkeypatch.setattr("bntui.store.database.LARGEST", 1000)
    with Store(path) as store:
        snapshot = load_snapshot(store, run)
        assert store.remarks == [
            f"left out, not as bntui writes it: 1 of the measurements of run {run} (too large)."
        ]
    assert snapshot.validation is None
    assert snapshot.noise == everything(40)["noise"]


def test_predictions_of_other_classes_are_not_shown(path: Path) -> None:
    whole = with_channels(40)
    odd = replace(whole, running=replace(whole.running, predicted=(1, 2, 3)))
    run = keep(path, updates=40, validation=odd)
    with Store(path) as store:
        assert load_snapshot(store, run).validation is None


def test_a_map_of_other_rows_keeps_no_comparison(path: Path) -> None:
    run = keep(path, updates=40, **everything(40))
    look = details.Look(("0.5", "0.9"), 100, everything(40)["what_if"].gains, (), 0.5)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        put(connection, "details", run, "look", 40, *packed("look", look))
    with Store(path) as store:
        found = load_snapshot(store, run).hindsight
    assert found is not None
    assert (found.images, found.gains, found.recommended) == (100, (), None)


def written(path: Path, run: str, kind: str) -> int:
    """Return the update of a measurement that the store has, 0 for none."""
    with Store(path) as store:
        found = store.details(run).get(kind)
        return found.at if found else 0


def test_a_measurement_is_written_again_only_when_it_is_another(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packings: list[str] = []

    def counted(kind: str, value: object) -> tuple[str, bytes]:
        packings.append(kind)
        return packed(kind, value)

    monkeypatch.setattr(recorded_details, "packed", counted)
    clock = Clock()
    recorder = StoreRecorder(path, clock=clock)
    one = with_channels(1)
    for update in range(1, 6):
        clock.now += 1.0
        recorder.record(state(update, validation=one), ())
    assert packings.count("validation") == 1
    clock.now += 1.0
    recorder.record(state(6, validation=with_channels(6)), ())
    assert packings.count("validation") == 2
    recorder.close(state(6, phase=Phase.STOPPED))


def test_measurements_are_written_once_a_second_and_at_every_change_of_phase(path: Path) -> None:
    clock = Clock()
    recorder = StoreRecorder(path, clock=clock)
    recorder.record(state(1, validation=with_channels(1)), ())
    clock.now = 0.5  # a commit, and too early for what may be of megabytes
    recorder.record(state(2, validation=with_channels(2), images_per_s=9.0), ())
    assert written(path, recorder.run, "validation") == 1
    assert written(path, recorder.run, "progress") == 2
    clock.now = 0.6
    recorder.record(state(3, validation=with_channels(3), phase=Phase.PAUSED), ())
    assert written(path, recorder.run, "validation") == 3
    recorder.close(state(3))


def test_what_was_measured_after_a_checkpoint_is_forgotten_by_the_run_that_is_resumed(
    path: Path,
) -> None:
    measured = everything(40) | {"noise": replace(everything(40)["noise"], update=10)}
    del measured["watched"]
    run = keep(path, updates=40, end=Phase.STOPPED, **measured)
    recorder = StoreRecorder(path, origin=Resume(checkpoint(16, b"", run)))
    recorder.record(state(17), ())
    with Store(path) as store:
        assert store.details(run).keys() == {"noise", "progress"}
    recorder.close(state(17))


def test_a_listing_knows_whose_training_was_watched(path: Path) -> None:
    watched, ours = keep(path, updates=2, watched=WATCHED), keep(path, updates=2)
    with Store(path) as store:
        assert {run.id: run.watched for run in store.runs()} == {watched: WATCHED, ours: None}
        assert store.run(watched).watched == store.find(watched).watched == WATCHED
        assert load_snapshot(store, watched).watched == WATCHED


def test_a_run_that_is_brought_into_another_file_brings_its_measurements(path: Path) -> None:
    clock = Clock()
    recorder = StoreRecorder(path, clock=clock)
    first: Snapshot = state(1, **everything(1))
    recorder.record(first, ())
    path.rename(path.with_name("aside.sqlite"))
    clock.now = 5.0
    recorder.record(replace(first, update=2), ())
    recorder.close(replace(first, update=2))
    with Store(path) as store:
        assert store.details(recorder.run).keys() == {*everything(1)} - {"hindsight"} | {
            "look",
            "progress",
        }


def test_predictions_of_classes_without_names_are_kept() -> None:
    snapshot = mid_run(RunConfig(width=0.25))
    assert snapshot.facts
    assert snapshot.validation
    found = {"validation": Detail("validation", 97, snapshot.validation)}
    nameless = replace(snapshot, validation=None, facts=replace(snapshot.facts, class_names=()))
    assert with_details(nameless, found).validation is snapshot.validation
    two = replace(nameless, facts=replace(snapshot.facts, class_names=("cat", "dog")))
    assert with_details(two, found).validation is None
