"""`bntui runs`, `bntui show` and `bntui export`."""

import csv
import io
import json
import math
import re
import shlex
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from bntui.cli.main import cli
from bntui.cli.tables import listing
from bntui.core.config import RunConfig
from bntui.core.snapshot import Mark, Phase
from bntui.core.sweep import Design
from bntui.machine.places import store_path
from bntui.store.database import Store
from bntui.store.export.csv_and_json import SCHEMA
from bntui.store.recorder import StoreRecorder
from tests.cli.running import refusal, said
from tests.store.hostile_notes import HOSTILE
from tests.store.recorded import journal, keep, loss, state
from tests.ui.scripted import validation

MARKS = (Mark(7, "momentum 0.97→0.9", "momentum=0.9"), Mark(20, "recalibrated", "recalibrate"))
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> str:
    """The id of a run of 40 updates that is in the store."""
    return keep(store_path(), marks=MARKS, validation=validation(update=20))


def note(run: str, text: str) -> None:
    with Store() as store:
        store.set_note(run, text)


class TestRuns:
    def test_without_any_it_says_so(self) -> None:
        assert said("runs") == f"No run is kept yet in {store_path()}.\n"
        assert said("runs", "--json") == ""

    def test_a_run_is_a_line(self, run: str) -> None:
        note(run, "the first one")
        header, line = said("runs").splitlines()
        assert header.split() == [
            *("run", "state", "started", "data", "norm", "batch", "momentum", "updates"),
            *("val_acc", "fresh", "note"),
        ]
        for word in (run, "finished", "digits", "64", "0.97", "40", "0.1140", "0.9700"):
            assert word in line.split()
        assert line.endswith("the first one")

    def test_json_is_an_object_a_line_and_strict(self, run: str) -> None:
        other = keep(store_path(), updates=1, config=RunConfig(norm="none"))
        lines = said("runs", "--json").splitlines()
        newest, oldest = (json.loads(line, parse_constant=pytest.fail) for line in lines)
        assert (newest["run"], oldest["run"]) == (other, run)
        assert (newest["val_acc"], oldest["val_acc"]) == (None, 0.114)
        assert newest["config"]["norm"] == "none"
        assert newest["config"]["pace"] is None  # unlimited: infinity
        assert oldest["state"] == "finished"

    def test_sorting_and_filtering(self, run: str) -> None:
        other = keep(store_path(), updates=80)
        first, second = (json.loads(line) for line in said("runs", "--json").splitlines())
        assert [first["run"], second["run"]] == [other, run]
        ascending = said("runs", "--json", "--sort", "LOSS").splitlines()
        assert json.loads(ascending[0])["run"] == other
        note(run, "keep me")
        assert json.loads(said("runs", "--json", "--filter", "keep momentum=0.97"))["run"] == run
        assert said("runs", "--filter", "nowhere") == "None of the 2 runs has all of 'nowhere'.\n"

    def test_runs_of_sweeps_are_listed_only_if_asked_for(self) -> None:
        cells = Design(RunConfig(), seeds=(0, 1, 2)).cells()
        for cell in cells:
            keeper = StoreRecorder(run=cell.id, note="sweep sweep-1")
            keeper.close(state(3, phase=Phase.FINISHED, config=cell.config))
        more = (
            "runs are of sweeps: `bntui sweeps` lists sweeps, `bntui runs --filter sweep` lists their "
            "runs.\n"
        )
        assert said("runs") == f"3 {more}"
        with Store() as store:
            store.pin(cells[0].id)
        other = keep(store_path())
        listed = said("runs")
        assert [line.split()[0] for line in listed.splitlines()[1:]] == ["★", other, "2"]
        assert listed.endswith(f"\n2 more {more}")
        assert len(said("runs", "--filter", "sweep").splitlines()) == 4
        assert len(said("runs", "--json").splitlines()) == 4

    def test_an_unknown_column_is_refused(self) -> None:
        assert "'beauty' is unknown" in refusal("runs", "--sort", "beauty")

    def test_a_store_that_cant_be_read_is_one_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "list.txt").write_text("a shopping list\n" * 100)
        monkeypatch.setenv("BNTUI_STORE", str(tmp_path / "list.txt"))
        for command in (("runs",), ("show", "last"), ("export", "last", "--format", "csv")):
            assert "list.txt can't be used: file is not a database" in refusal(*command)


class TestShow:
    @pytest.mark.parametrize("name", ["last", "prefix", "whole"])
    def test_it_shows_all_about_a_run(self, run: str, name: str) -> None:
        note(run, "the first one")
        out = said("show", {"prefix": run[:5], "whole": run}.get(name, name))
        assert out.startswith(f"run {run} · finished\nthe first one\n")
        for part in (
            *(
                "momentum 0.97",
                "batch_size 64",
                "digits: 4,000 training, 1,000 validation",
            ),
            *("107,722 parameters", "40 updates, epoch 3, 4.0 s", "running 0.1140, fresh 0.9700"),
            *("update 7 momentum 0.97→0.9", "update 20: stale: start values", "torch "),
        ):
            assert part in re.sub(" +", " ", out)
        assert out.splitlines()[-1] == (
            "bntui run --width 0.25 --seed 3 --batch-size 64 --momentum 0.97 --steps 40"
            " --at 7:momentum=0.9 --at 20:recalibrate"
        )

    def test_the_verdict_that_stands_comes_before_those_that_stood(self) -> None:
        recorder = StoreRecorder()
        story = [(5, 0.114, 0.974), (30, 0.2, 0.975), (35, 0.97, 0.975), (40, 0.96, 0.97)]
        for update, running, fresh in story:
            recorder.record(state(update, validation=validation(running, fresh, update=update)), ())
        recorder.close(state(40, phase=Phase.FINISHED))
        out = said("show", recorder.run)
        standing, before = out.partition("\nverdict\n")[2].split("\nverdicts before\n")
        assert standing.startswith("update 40: validation does not suffer, since update 35\n")
        assert before.startswith("update 30: stale: start values, since update 5\n")
        assert "returns with fresh statistics: 0.200 → 0.975 (1,000 images)." in before

    def test_the_line_that_repeats_it_is_one_that_run_takes(self, run: str) -> None:
        words = shlex.split(said("show", "last").splitlines()[-1])
        assert words[:2] == ["bntui", "run"]
        assert cli.commands["run"].make_context("run", words[2:]).params["steps"] == 40

    def test_settings_of_a_newer_bntui_are_spoken_of(self, run: str) -> None:
        with Store() as store:
            store._file.edit(run, "config = json_set(config, '$.warmth', 3)")
        assert "does not know warmth of this run" in said("show", run)

    @pytest.mark.parametrize("command", ["show", "export"])
    def test_no_such_run(self, command: str) -> None:
        options = ("--format", "csv") if command == "export" else ()
        assert "'nope' is not in the store: `bntui runs`" in refusal(command, "nope", *options)


class TestHostileText:
    """Escapes, markup, line ends and NUL are shown as what they are, and do nothing."""

    @pytest.fixture
    def hostile(self) -> str:
        marks = (Mark(3, HOSTILE.replace("momentum", ""), ""),)
        config = RunConfig(data_dir=HOSTILE)
        run = keep(store_path(), marks=marks, config=config, end=Phase.FAILED, message=HOSTILE)
        note(run, HOSTILE)
        return run

    def test_on_the_terminal(self, hostile: str) -> None:
        for command in (("runs",), ("show", hostile), ("runs", "--json")):
            assert not CONTROL.search(said(*command))
        shown = said("show", hostile)
        assert shown.count(r"\x1b[31mred\x1b]0;title\x07 [bold]loud[/bold]\r\n\x00 \u202eback") >= 4
        assert len(said("runs").splitlines()) == 2

    def test_in_a_terminal_that_understands_colour(self, hostile: str) -> None:
        out = Console(file=io.StringIO(), force_terminal=True, width=100)
        with Store() as store:
            out.print(listing(store.runs()))
        assert isinstance(out.file, io.StringIO)
        text = re.sub(r"\x1b\[[0-9;]*m", "", out.file.getvalue())
        assert not CONTROL.search(text)
        assert "red" in text

    def test_in_files(self, hostile: str) -> None:
        for kind in ("csv", "jsonl", "svg"):
            said("export", hostile, "--format", kind, "--to", f"out.{kind}")
            assert not CONTROL.search(Path(f"out.{kind}").read_text())
        ElementTree.parse("out.svg")


class TestExport:
    def test_csv_has_every_value(self, run: str, tmp_path: Path) -> None:
        assert said("export", "last", "--format", "csv") == f"wrote bntui-{run}.csv\n"
        with (tmp_path / f"bntui-{run}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ["series", "update", "value"]
        losses = [(int(at), float(value)) for name, at, value in rows if name == "train_loss"]
        assert losses == [(update, loss(update)) for update in range(1, 41)]
        assert {name for name, _, _ in rows} == {"train_loss", "seconds", "val_acc"}

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "svg"])
    def test_a_dash_is_standard_output(self, run: str, kind: str) -> None:
        said("export", run, "--format", kind, "--to", "out")
        assert said("export", run, "--format", kind, "--to", "-") == Path("out").read_text()
        assert not Path("-").exists()

    @pytest.mark.parametrize("kind", ["tensorboard", "weights"])
    def test_what_is_no_text_goes_to_no_standard_output(self, run: str, kind: str) -> None:
        assert "no text" in refusal("export", run, "--format", kind, "--to", "-")

    def test_csv_has_what_is_not_finite(self) -> None:
        recorder = StoreRecorder()
        values = [math.nan, math.inf, -math.inf]
        recorder.record(state(3), [("train_loss", n, x) for n, x in enumerate(values, start=1)])
        recorder.close(state(3))
        said("export", "last", "--format", "csv", "--to", "out.csv")
        lines = Path("out.csv").read_text().splitlines()
        assert lines[1:] == ["train_loss,1,nan", "train_loss,2,inf", "train_loss,3,-inf"]

    def test_json_lines_tell_the_run_in_the_order_in_which_it_happened(self, run: str) -> None:
        note(run, "the first one")
        said("export", run, "--format", "jsonl", "--to", "out.jsonl")
        lines = Path("out.jsonl").read_text().splitlines()
        start, *events, end = (json.loads(line, parse_constant=pytest.fail) for line in lines)
        assert (start["event"], start["run"], start["note"]) == ("start", run, "the first one")
        assert start["schema"] == SCHEMA
        assert start["config"]["momentum"] == 0.97
        order: list[Any] = []
        for event in events:
            if event["event"] == "update":
                assert event["train_loss"] == loss(event["update"])
                assert ("val_acc" in event) == (event["update"] % 5 == 0)
            order.append((event["update"], event["event"]))
        expected: list[Any] = [(update, "update") for update in range(1, 41)]
        for update, what in ((7, "mark"), (16, "epoch"), (20, "verdict"), (32, "epoch")):
            expected.insert(expected.index((update, "update")) + 1, (update, what))
        expected.insert(expected.index((20, "verdict")) + 1, (20, "mark"))
        assert order == expected
        epoch = next(event for event in events if event["event"] == "epoch")
        assert epoch["hindsight"] == {"0.9": 0.8, "0.99": 0.114}
        assert epoch["layers"][0]["name"] == "conv1_bn"
        verdict = next(event for event in events if event["event"] == "verdict")
        assert verdict["remedies"] == [{"name": "recalibrate", "update": 10}]  # judged there
        assert "cure" not in verdict
        assert end == {"event": "end", "phase": "finished", "updates": 40, "seconds": 4.0}

    def test_svg_is_a_picture_of_both_curves(self, run: str) -> None:
        recorder = StoreRecorder()
        points = journal(range(1, 101))
        points += [("train_acc", n, math.nan if 50 <= n < 60 else n / 100) for n in range(1, 101)]
        recorder.record(state(100, marks=MARKS), points)
        recorder.close(state(100, marks=MARKS))
        said("export", "last", "--format", "svg", "--to", "out.svg")
        assert "http" not in re.sub("http://www.w3.org/2000/svg", "", Path("out.svg").read_text())
        space = "{http://www.w3.org/2000/svg}"
        tree = ElementTree.parse("out.svg")
        texts = [element.text for element in tree.iter(f"{space}text")]
        assert {"accuracy", "loss", "updates", "100"} <= set(texts)
        lines = [e.attrib for e in tree.iter(f"{space}path") if e.attrib.get("class") == "line"]
        train_acc, val_acc, train_loss = (
            line["d"] for line in lines if "h22" not in line["d"]
        )  # h22: the legend's
        assert train_acc.count("M") == 2  # broken where it is not finite
        assert val_acc.count("M") == train_loss.count("M") == 1
        heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", train_acc)]
        assert len(heights) == 90
        assert heights == sorted(heights, reverse=True)
        titles = [element.text for element in tree.iter(f"{space}title")]
        assert titles == 2 * ["update 7: momentum 0.97→0.9", "update 20: recalibrated"]

    def test_tensorboard_reads_the_same_values(self, run: str) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        recorder = StoreRecorder()
        recorder.record(state(3000), [*journal(range(1, 3001)), ("drift:conv1_bn", 5, -0.25)])
        recorder.close(state(3000))
        said("export", "last", "--format", "tensorboard", "--to", "events")
        events = EventAccumulator("events", size_guidance={"scalars": 0})
        events.Reload()
        assert set(events.Tags()["scalars"]) == {
            *("train_loss", "seconds", "val_acc", "drift/conv1_bn"),
        }
        scalars = events.Scalars("train_loss")
        assert [scalar.step for scalar in scalars] == list(range(1, 3001))
        for scalar in scalars:
            assert scalar.value == np.float32(loss(scalar.step))
        with Store() as store:
            begun = store.find("last").started.timestamp()
        assert scalars[-1].wall_time - begun == pytest.approx(300.0, abs=1e-3)
        (drift,) = events.Scalars("drift/conv1_bn")
        assert (drift.step, drift.value) == (5, -0.25)

    def test_without_tensorboard_the_way_out_is_named(
        self, run: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        sentence = refusal("export", run, "--format", "tensorboard", "--to", "events")
        assert "pip install 'bntui[tensorboard]'" in sentence
        assert not Path("events").exists()

    @pytest.mark.parametrize("kind", ["csv", "jsonl", "svg", "tensorboard"])
    def test_nothing_is_overwritten_without_force(self, run: str, kind: str) -> None:
        path = Path("out")
        if kind == "tensorboard":
            path.mkdir()
            (path / "events.out.tfevents.1.old").write_text("mine")
            (path / "notes").write_text("mine")
        else:
            path.write_text("mine")
        files = [path] if path.is_file() else sorted(path.iterdir())
        sentence = refusal("export", run, "--format", kind, "--to", "out")
        assert "out exists" in sentence
        assert "--force" in sentence
        assert [file.read_text() for file in files] == ["mine"] * len(files)
        said("export", run, "--format", kind, "--to", "out", "--force")
        if kind == "tensorboard":
            assert not files[0].exists()
            assert files[1].read_text() == "mine"
            assert len(list(path.iterdir())) == 2
        else:
            assert path.read_text() != "mine"

    def test_what_cant_be_written_is_one_sentence(self, run: str) -> None:
        sentence = refusal("export", run, "--format", "csv", "--to", "nowhere/out.csv")
        assert "nowhere/out.csv can't be written" in sentence

    def test_an_unknown_format_is_refused(self, run: str) -> None:
        assert "'png' is unknown" in refusal("export", run, "--format", "png")
