"""What somebody hands over says anything, its checksums right: no harm, one sentence, the rest lives."""

import json
import os
import socket
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import Branch, New, RunRequest
from bntui.core.snapshot import Checkpoint, Mark, Phase
from bntui.core.text import ConfigError
from bntui.machine.places import store_path
from bntui.store.archive import KeptRuns
from bntui.store.checksum import write_checksums
from bntui.store.database import Store
from bntui.store.liveness import is_held, live_path
from bntui.store.schema import StoreError, connect
from bntui.train.checkpoints import FORMAT, MAGIC, pack, unpack
from bntui.train.session import Session
from tests.fuzz.mutations import bomb
from tests.store.recorded import checkpoint, keep
from tests.store.tampered import change_row
from tests.ui.scripted import validation
from tools.faults import Fault

ESCAPE = "\x1b[2J\x1b]0;title\x07"
TINY = RunConfig(
    width=1 / 16, device="cpu", threads=1, epochs=2, train_size=48, knobs=Knobs(batch_size=16)
)
NOTHING = Observation(live=False)


def bntui(*words: str) -> tuple[int, str, str]:
    """Return how a command ends, and what it says on both streams."""
    done = CliRunner().invoke(cli, words, prog_name="bntui")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def facts(**changes: Any) -> str:
    known = {"device": "cpu", "dataset": "digits", "train": 4000, "validation": 1000}
    known |= {"parameters": 9, "class_names": ["1"], "activation_bytes": 9, "threads": 2}
    return json.dumps(known | changes)


WRONG: dict[str, tuple[str, str, object]] = {
    "a list for a table": ("runs", "facts", "[]"),
    "no images": ("runs", "facts", facts(train=0)),
    "fewer images than none": ("runs", "facts", facts(train=-4000)),
    "images without number": ("runs", "facts", facts(train="nan")),
    "numbers as text": ("runs", "facts", facts(train="4000")),
    "JSON nested 10,000 deep": ("runs", "config", "[" * 10_000 + "]" * 10_000),
    "bytes as text": ("runs", "note", b"\xff\xfe"),
    "text as a number": ("runs", "updates", "many"),
    "a negative number": ("runs", "images", -1),
    "a huge number": ("runs", "epoch", 2**63 - 1),
    "infinitely many seconds": ("runs", "seconds", float("inf")),
    "no such state": ("runs", "state", "gone"),
    "a text for a date": ("runs", "started", "seven"),
    "a date that does not exist": ("runs", "ended", "2026-13-45"),
    "the last of all moments": ("runs", "ended", "9999-12-31T23:59:59-12:00"),
    "a path for an id": ("runs", "id", "/some/where"),
    "the parent's path": ("runs", "parent", "../up"),
}


@pytest.mark.fault("a wrong row in a store", injected="types, ranges and depths, checksums right")
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_run_is_left_out_and_the_others_live(what: str, fault: Fault) -> None:
    whole, wrong = keep(store_path()), keep(store_path())
    change_row(*WRONG[what], run=wrong)
    code, out, err = bntui("runs")
    assert code == 0
    assert whole[:6] in out
    assert err.startswith("left out, not as bntui writes it: a run ")
    assert err.count("\n") == 1
    assert [run.id for run in KeptRuns().runs()] == [whole]
    assert bntui("show", "last")[0] == 0
    assert bntui("export", whole, "--format", "csv", "--to", os.devnull, "--force")[0] == 0
    if WRONG[what][1] != "id":
        code, _, err = bntui("show", wrong)
        assert code == 2
        assert "is not as this bntui writes them" in err
    fault.saw = "one sentence: it is left out, and why; the others are listed"
    fault.lost = "nothing: the row stays in the file"


PARTS: dict[str, tuple[str, str, object]] = {
    "half a number": ("points", "updates", b"\1\0\0\0\2\0"),
    "updates that fall": ("points", "updates", b"\2\0\0\0\1\0\0\0"),
    "no values": ("points", "vals", b""),
    "text for values": ("points", "vals", "0.5"),
    "a report of text": ("reports", "figures", '{"epoch": "first"}'),
    "layers that are none": ("reports", "figures", '{"layers": [3]}'),
    "a mark without label": ("marks", "label", b"\0"),
    "words without words": ("verdicts", "words", "[]"),
}


@pytest.mark.parametrize("what", PARTS)
def test_a_wrong_part_of_a_run_is_left_out_and_its_others_live(what: str) -> None:
    run = keep(store_path(), marks=(Mark(7, "one"), Mark(9, "two")), validation=validation())
    change_row(*PARTS[what])
    kind = "csv" if PARTS[what][0] == "points" else "jsonl"
    code, _, err = bntui("export", run, "--format", kind, "--to", "out")
    assert code == 0
    parts = "pieces of series" if kind == "csv" else PARTS[what][0]
    assert f"1 of the {parts} of run {run} (" in err
    Path("out").unlink()
    assert bntui("show", run)[0] == 0
    KeptRuns().load(run)


@pytest.mark.fault(
    "settings that do not exist", injected="a norm, a device, a schedule and the like"
)
def test_settings_that_are_not_possible_are_named(fault: Fault) -> None:
    run = keep(store_path(), end=Phase.STOPPED, checkpoints=(checkpoint(16),))
    odd = {"norm": "spectral", "device": "abacus", "batch_schedule": "x0/0", "threads": 0}
    odd |= {"knobs": {"batch_size": 0, "momentum": 1.5, "warmth": 3}, "steps": -1, "width": "wide"}
    for table in ("runs", "checkpoints"):
        change_row(table, "config", json.dumps(odd), run)
    names = {*odd, "batch_size", "momentum", "warmth"} - {"knobs"}
    with Store() as store:
        assert set(store.run(run).unknown) == names
        assert store.run(run).config == RunConfig()
    code, out, _ = bntui("show", run)
    assert code == 0
    assert "does not know" in out
    code, _, err = bntui("run", "--resume", run)
    assert code == 2
    assert "has settings that this bntui does not know" in err
    fault.saw = "the settings that this version does not know, by name; resuming is refused"
    fault.lost = "nothing"


@pytest.mark.fault(
    "a path for a run's id", injected="the path of a file, the run to be resumed last"
)
def test_no_name_from_a_store_becomes_a_path(tmp_path: Path, fault: Fault) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    run = keep(store_path(), end=Phase.STOPPED, checkpoints=(checkpoint(16),))
    for name in (str(precious), f"../{precious.name}", "..", "mending"):
        change_row("runs", "id", name)
        change_row("runs", "state", "running")
        for words in (("runs",), ("show", "last"), ("run", "--resume", "last")):
            bntui(*words)
        with pytest.raises(StoreError, match="no id"):
            live_path(store_path(), name + "/")
        assert precious.read_text() == "mine"
    assert run
    fault.saw = "one sentence: a run without an id is left out"
    fault.lost = "nothing: no file is touched"


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "socket"])
def test_what_stands_in_place_of_a_lock_hangs_nobody(kind: str) -> None:
    run = keep(store_path())
    change_row("runs", "state", "running")
    lock = live_path(store_path(), run)
    lock.parent.mkdir(exist_ok=True)
    if kind == "fifo":
        os.mkfifo(lock)
    elif kind == "link":
        lock.symlink_to("/dev/tty")
    elif kind == "folder":
        lock.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(lock))
    assert not is_held(lock)
    assert "interrupted" in bntui("runs")[1]


def test_runs_that_are_each_others_parents_are_no_endless_chain() -> None:
    one, other = keep(store_path()), keep(store_path())
    change_row("runs", "parent", other, one)
    change_row("runs", "parent", one, other)
    assert "No one line repeats this run" in bntui("show", one)[1]


def test_a_note_that_is_no_text_is_shown_literally_and_the_run_can_be_pinned() -> None:
    run = keep(store_path())
    change_row("runs", "note", b"gr\xfcn")
    with closing(sqlite3.connect(store_path(), isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET note = CAST(note AS TEXT)")
        connection.execute("UPDATE runs SET checksum = NULL")
    with connect(store_path(), patience=1.0) as connection:
        write_checksums(connection, "runs")
    KeptRuns().pin(run, pinned=True)
    code, out, err = bntui("show", run)
    assert (code, err) == (0, "")
    assert r"gr\udcfcn" in out


def test_names_of_series_are_shown_literally() -> None:
    run = keep(store_path())
    change_row("points", "series", f"{ESCAPE}hindsight:own")
    assert bntui("export", run, "--format", "csv", "--to", "out.csv")[0] == 0
    text = Path("out.csv").read_text()
    assert r"\x1b[2J\x1b]0;title\x07hindsight:own,1," in text
    assert "\x1b" not in text


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def session(config: RunConfig, begin: Checkpoint | None = None) -> Session:
    return Session(RunRequest(config, NOTHING, Branch(begin) if begin else New()))


@pytest.fixture(scope="module")
def begun() -> Checkpoint:
    run = session(TINY)
    for _ in range(4):
        run.train_once(None)
    return run.keep("here")


def with_state(begun: Checkpoint, edit: Callable[[dict[str, Any]], object]) -> Checkpoint:
    state = unpack(begun.content())
    edit(state)
    return replace(begun, state=pack(state))


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an order beyond the data": lambda s: s["trainer"]["order"].__setitem__(3, 10**6),
    "an image twice": lambda s: s["trainer"]["order"].__setitem__(3, s["trainer"]["order"][4]),
    "an order of other length": lambda s: s["trainer"].update(order=torch.arange(7)),
    "a place beyond the order": lambda s: s["trainer"].update(position=49),
    "weights of text": lambda s: s["trainer"].update(weights="heavy"),
    "one weight too many": lambda s: s["trainer"]["weights"].append(torch.zeros(3)),
    "weights of another kind": lambda s: s["trainer"]["weights"].__setitem__(
        0, s["trainer"]["weights"][0].double()
    ),
    "an empty tensor": lambda s: s["trainer"]["estimators"].update(rows=torch.zeros(0, 2**40)),
    "no estimator": lambda s: s["trainer"]["estimators"].update(own="guess"),
    "a share above 1": lambda s: s["trainer"]["estimators"].update(start_left=float("nan")),
    "updates without number": lambda s: s["trainer"].update(update=float("nan")),
    "another update": lambda s: s["trainer"].update(update=9),
    "no generator": lambda s: s["trainer"].update(shuffles=torch.zeros(5056, dtype=torch.uint8)),
    "steps without number": lambda s: s["trainer"]["optimiser"]["slots"][0].update(
        step=torch.tensor(float("nan"))
    ),
    "unknown slots": lambda s: s["trainer"]["optimiser"]["slots"][0].update(more=torch.zeros(1)),
    "an unknown knob": lambda s: s["knobs"].update(momentum=1.0),
    "batches of nothing": lambda s: s["knobs"].update(batch_size=0),
    "a batch beyond the data": lambda s: s["knobs"].update(batch_size=49),
    "no epochs": lambda s: s.update(epochs=0),
    "marks of text": lambda s: s.update(marks="many"),
    "moments of other rows": lambda s: s["observer"]["moments"].update(
        moments=[{"update": 1, "accuracy": [0.5], "own": 0, "fresh": 0, "momentum": 0}], offered=1
    ),
    "a moment that is not there": lambda s: s["observer"]["moments"].update(stride=2, offered=1),
    "a history cut short": lambda s: s["observer"]["histories"]["series"]["train_loss"].update(
        count=9999
    ),
    "updates that fall": lambda s: s["observer"]["histories"]["series"]["train_loss"].update(
        values=np.array([[2.0, 1.0], [0, 0], [0, 0], [0, 0]]), broken=np.zeros(2, bool), count=2
    ),
    "nothing": lambda s: s.clear(),
}


@pytest.mark.fault(
    "a checkpoint of something else", injected="shapes, kinds, orders, counts, knobs"
)
@pytest.mark.parametrize("what", EDITS)
def test_a_state_that_does_not_fit_is_one_sentence(
    what: str, begun: Checkpoint, fault: Fault
) -> None:
    with pytest.raises(ConfigError, match=r"does not fit|unlike|damaged"):
        session(begun.config, with_state(begun, EDITS[what]))
    fault.saw = "one sentence: the checkpoint does not fit, and why; the way out"
    fault.lost = "nothing"


def test_tensors_share_no_memory_after_they_were_kept() -> None:
    shared = torch.zeros(4)
    back = unpack(pack({"a": shared, "b": shared[1:], "c": shared.expand(3, 4)}))
    back["a"].fill_(1.0)
    assert back["b"].tolist() == [0.0] * 3
    assert back["c"].shape == (3, 4)
    assert back["c"].is_contiguous()


@pytest.mark.fault("a bomb for a checkpoint", injected="a zip of 0.4 MB that unpacks to 400 MB")
def test_a_bomb_takes_no_memory(fault: Fault) -> None:
    run = keep(store_path(), end=Phase.STOPPED, checkpoints=(checkpoint(16),))
    content = bomb(400_000_000)
    assert len(content) < 500_000
    change_row("checkpoints", "state", content, run)
    before = psutil.Process().memory_info().rss
    with pytest.raises(ConfigError, match="has format 1"):
        unpack(content)
    assert psutil.Process().memory_info().rss - before < 100_000_000
    outline = json.dumps({"$array": [True, "f4", [2**40]]}).encode()
    huge = MAGIC + bytes([FORMAT]) + len(outline).to_bytes(4) + outline
    with pytest.raises(ConfigError, match="damaged"):
        unpack(zlib.crc32(huge).to_bytes(4) + huge)
    fault.saw = "one sentence: the checkpoint is not of this version"
    fault.lost = "nothing: nothing in it is unpacked"


class TestGoingOnElsewhere:
    @pytest.fixture
    def begun(self, tmp_path: Path) -> Checkpoint:
        self.put(tmp_path, 48)
        config = replace(TINY, dataset=str(tmp_path / "own.npz"), train_size=None)
        run = session(config)
        run.train_once(None)
        return run.keep("here")

    def put(self, folder: Path, train: int, seed: int = 0, side: int = 16) -> None:
        rng = np.random.default_rng(seed)
        np.savez(
            folder / "own.npz",
            x_train=rng.integers(0, 256, (train, side, side), np.uint8),
            y_train=np.arange(train) % 3,
            x_test=rng.integers(0, 256, (12, side, side), np.uint8),
            y_test=np.arange(12) % 3,
        )

    @pytest.mark.fault("other data at resuming", injected="fewer images, other images, other sizes")
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"train": 36}, "36 training and 12 validation images of 1×16×16 in 3 classes instead"),
            ({"train": 48, "seed": 1}, "other images or labels than then, as many of them: 48"),
            ({"train": 48, "side": 12}, "of 1×12×12 in 3 classes instead of 48 training and 12"),
        ],
    )
    def test_other_data_are_refused(
        self,
        begun: Checkpoint,
        tmp_path: Path,
        changed: dict[str, int],
        said: str,
        fault: Fault,
    ) -> None:
        self.put(tmp_path, **changed)
        with pytest.raises(ConfigError) as told:
            session(begun.config, begun)
        assert said in str(told.value)
        assert str(told.value).endswith("put those back, or repeat the run from its start.")
        fault.saw = "one sentence: what the data are and what they were; the way out"
        fault.lost = "nothing"

    def test_the_same_data_are_gone_on_with_without_a_word(self, begun: Checkpoint) -> None:
        assert session(begun.config, begun).notice == ""

    @pytest.mark.fault("fewer threads at resuming", injected="a run of 7 threads goes on with 1")
    def test_what_can_not_be_bit_for_bit_is_said(self, begun: Checkpoint, fault: Fault) -> None:
        def elsewhere(state: dict[str, Any]) -> None:
            state["machine"].update(threads=7, torch="2.0.0")

        run = session(begun.config, with_state(begun, elsewhere))
        assert run.notice == (
            f"this run goes on with 1 thread instead of 7 and with torch {torch.__version__} instead "
            "of 2.0.0: from update 1 on its numbers are not bit for bit those of a run without a "
            "break; OMP_NUM_THREADS=7 gives it as many."
        )
        fault.saw = f"“{run.notice}”".replace(torch.__version__, "2.14")
        fault.lost = "the last bits of the numbers to come"
