"""`bntui sweep` and `bntui sweeps`: what is listed, refused, run and written; with a scripted driver."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from rich.progress import ProgressColumn

from bntui.cli import ending, sweep_plan, sweep_report
from bntui.cli.main import cli
from bntui.cli.sweep_lines import (
    SweepJson,
    SweepLines,
    axes_in_words,
    listing,
    progress_in_words,
    results,
    standings_in_words,
    values_of_run,
)
from bntui.core.snapshot import RunFacts
from bntui.core.sweep import Design, Standing, SweepView
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took
from bntui.machine.places import store_path
from bntui.store.checksum import write_checksums
from bntui.store.database import Store
from bntui.store.follow_sweep import FollowedSweep
from bntui.sweeps import on_ray
from bntui.sweeps.driver import Driver
from bntui.sweeps.forecast import Workers
from tests.sweeps.made_up import TRAIN, design, outcome, view, waiting, with_cell

FACTS = RunFacts(
    device="cpu",
    dataset="digits",
    train=1000,
    validation=100,
    parameters=1000,
    class_names=("0", "1"),
    activation_bytes=1000,
    threads=1,
)
TINY = (
    *("--dataset", "digits", "--train-size", "64", "--width", "0.03125", "--device", "cpu"),
    *("--epochs", "1", "--batch-size", "16,64"),
)


@pytest.fixture(autouse=True)
def _tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a trial that takes no time, by which each run takes ten minutes."""

    def trial(pairs: list[Any], workers: Workers, *_: object) -> list[Took]:
        facts = replace(FACTS, threads=workers.threads)
        return [Took(one, facts, 100, 1000, 600.0) for pair in pairs for one in pair]

    monkeypatch.setattr(sweep_plan, "trial", trial)
    monkeypatch.setattr(sweep_plan, "granted_cores", lambda: 2)


def sweep(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sweep", *words], prog_name="bntui")


def said(result: Result) -> str:
    """Return the one sentence that a refused command says."""
    assert result.exit_code == 2, result.output
    *before, sentence = result.stderr.splitlines()
    assert before in ([], ["A short trial tells how long they take …"])
    return sentence


def test_a_dry_run_lists_every_run_and_keeps_nothing() -> None:
    result = sweep("--batch-size", "16,64", "--lr", "0.01", "--seeds", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    first, time, *rest = result.stdout.splitlines()
    assert first == "sweep-1: 4 runs of batch-size 16, 64 × 2 seeds: 4 waiting"
    assert time.endswith("with 2 jobs of 1 thread")
    assert [line.split("  ", 1)[1] for line in rest] == [
        "batch-size 16  seed 0  waiting",
        "batch-size 64  seed 0  waiting",
        "batch-size 16  seed 1  waiting",
        "batch-size 64  seed 1  waiting",
    ]
    assert not store_path().exists()


def test_on_a_gpu_runs_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def trial(pairs: list[Any], workers: Workers, *_: object) -> list[Took]:
        facts = replace(FACTS, device="cuda", threads=workers.threads)
        return [Took(one, facts, 100, 1000, 600.0) for pair in pairs for one in pair]

    monkeypatch.setattr(sweep_plan, "trial", trial)
    for given, jobs in (((), "1 job"), (("--jobs", "2"), "2 jobs")):
        result = sweep("--batch-size", "16,64", *given, "--dry-run")
        assert f"with {jobs} of 1 thread on a GPU (how many fit" in result.stdout


def test_a_dry_run_as_json_is_one_object_a_run() -> None:
    result = sweep("--norm", "batch,none", "--json", "--dry-run")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["settings"] for line in lines] == [{"norm": "batch"}, {"norm": "none"}]
    assert result.stderr.splitlines()[1] == "A short trial tells how long they take …"
    assert "2 jobs of 1 thread" in result.stderr


def test_a_design_may_be_a_file_under_options(tmp_path: Path) -> None:
    file = tmp_path / "depths.toml"
    file.write_text('name = "depths"\nseeds = 2\n[settings]\ndepth = "0..2+1"\nlr = 0.01\n')
    result = sweep(str(file), "--depth", "0,1", "--dry-run")
    assert result.stdout.startswith("depths: 4 runs of depth 0, 1 × 2 seeds: 4 waiting\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--batch-size", "64..1x2"), "range '64..1x2' is empty"),
        (("--momentum", "0.9,0.99"), "--momentum 0.9 and 0.99 need no run each"),
        (("--bn", "--norm", "none"), "--bn and --norm none contradict each other"),
        (("--seeds", "0"), "seeds '0' is no number of them"),
        (("--name", "abc"), "a sweep can't be called 'abc', it could be a run's"),
        (("--name", "a b"), "it has a space"),
        (("--jobs", "0"), "jobs 0 is out of range: give a whole number from 1 to 1,024"),
        (("--gpus-per-run", "0.5"), "--gpus-per-run is for a cluster: add --address."),
        (("--address", "auto", "--gpus-per-run", "2"), "GPUs per run 2 is out of range"),
        (("--address", "auto", "--jobs", "2"), "--jobs is for this machine"),
        (
            ("--dataset", "mnist", "--data-dir", "/no", "--lr", "1,2"),
            "the data folder /no does not exist",
        ),
        (("nowhere.toml",), "nowhere.toml can't be read (No such file or directory)."),
        (("--resume", "mine", "--lr", "0.1"), "leave out --lr."),
        (("--resume", "mine", "--no-bn"), "leave out --no-bn."),
        (("--resume", "mine", "--seeds", "3"), "leave out --seeds."),
        (("--resume", "mine"), "sweep 'mine' is not in the store: `bntui sweeps` lists what is."),
    ],
)
def test_what_can_not_be_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in said(sweep(*words))


def keep(of: Design, name: str) -> None:
    with Store() as store:
        store.put_sweep(name, of)


def test_the_same_runs_go_on_under_their_name() -> None:
    keep(design(("batch_size", (16, 64)), seeds=2), "mine")
    same = ("--dataset", "digits", "--width", "0.25", "--epochs", "3", "--seeds", "2", "--dry-run")
    result = sweep("--batch-size", "64,16", *same)
    assert result.stdout.startswith("mine: 4 runs")
    result = sweep("--batch-size", "64,16,32", *same)
    assert result.stdout.startswith("sweep-1: 6 runs")
    result = sweep("--batch-size", "64,16", "--name", "again", *same)
    assert result.stdout.startswith("again: 4 runs")


def test_a_name_is_of_one_design() -> None:
    keep(design(("batch_size", (16, 64))), "mine")
    result = sweep("--batch-size", "16,32", "--name", "mine", "--dry-run")
    assert "sweep 'mine' is there already and runs something else" in said(result)


@pytest.mark.parametrize("named", [False, True])
def test_a_name_that_was_free_and_is_taken_meanwhile(
    monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    def trial(*_: object) -> list[Took]:
        """Take as long as another `bntui sweep` needs to be kept."""
        keep(design(("depth", (0, 1))), "sweep-1")
        return []

    monkeypatch.setattr(sweep_plan, "trial", trial)
    given = ("--name", "sweep-1") if named else ()
    result = sweep(*TINY, "--jobs", "1", "--no-screen", *given)
    if named:
        assert "sweep 'sweep-1' is there already and runs something else" in said(result)
        return
    assert result.exit_code == 0, result.output
    assert "this sweep is sweep-2: another has taken the name sweep-1 since.\n" in result.stderr
    with Store() as store:
        assert [one.name for one in store.sweeps()] == ["sweep-2", "sweep-1"]
        assert store.sweep("sweep-2").design.count() == 2


def test_a_name_of_a_row_that_can_not_be_read_is_not_free() -> None:
    keep(design(), "sweep-1")
    with Store() as store:
        store._file.connection.execute("UPDATE sweeps SET begun = 'x'")
        write_checksums(store._file.connection, "sweeps")
    assert sweep("--batch-size", "16,64", "--dry-run").stdout.startswith("sweep-2: 2 runs")


def test_a_sweep_is_resumed_by_name_alone() -> None:
    keep(design(("batch_size", (16, 64)), seeds=3), "mine")
    result = sweep("--resume", "mine", "--dry-run")
    assert result.stdout.startswith("mine: 6 runs of batch-size 16, 64 × 3 seeds: 6 waiting\n")


def test_failed_runs_are_left_only_if_they_are_tried_again() -> None:
    made = view(design(("batch_size", (8, 16, 32, 64))))
    for place, standing in enumerate((Standing.FAILED, Standing.INTERRUPTED, Standing.RUNNING)):
        made = with_cell(made, place, standing=standing)
    batches = [one.cell.values[0] for one in sweep_plan.left(made, retry_failed=False)]
    assert batches == [16, 32]
    again = sweep_plan.left(made, retry_failed=True)
    assert [one.cell.values[0] for one in again] == [8, 16, 32]
    assert again[0].standing is Standing.WAITING


def test_runs_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_plan, "free_on_host", lambda: 1e8)
    assert "and 0.1 GB are free" in said(sweep("--batch-size", "16,64", "--dry-run"))


def test_a_store_that_can_not_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNTUI_STORE", f"/{'x' * 300}/runs.sqlite")  # a name that no folder can have
    assert "can't be" in said(sweep("--batch-size", "16,64", "--dry-run"))


def test_sizes_that_are_all_clipped_are_refused() -> None:
    result = sweep("--batch-size", "64,2000,4000", "--dry-run")
    assert "--batch-size 2000 and 4000 need no run each" in said(result)


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


class Scripted:
    """A sweep's lead and source in one, that goes one view further at each look."""

    message = failure = ""
    workers = "a script"
    retrying: frozenset[str] = frozenset()

    def __init__(self, *views: SweepView, failure: str = "") -> None:
        self._views = list(views)
        self._failure = failure
        self.left: list[bool] = []

    @property
    def over(self) -> bool:
        if len(self._views) == 1:
            self.failure = self._failure
        return len(self._views) == 1

    @property
    def view(self) -> SweepView:
        return self._views.pop(0) if len(self._views) > 1 else self._views[0]

    def read(self) -> SweepView:
        return self._views[-1]

    def start(self) -> None:
        pass

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        self.left.append(interrupted)
        return True


def follow(script: Scripted, writer: Callable[[], SweepJson | SweepLines] = SweepLines) -> int:
    return sweep_report.follow(script, script, script.read, writer())  # type: ignore[arg-type]


def some_views() -> Iterator[SweepView]:
    made = view(design(("batch_size", (16, 64))))
    yield waiting(made.design)
    yield with_cell(made, 1, standing=Standing.RUNNING, epochs=())
    yield made


def test_a_sweep_that_finishes_ends_with_0_and_its_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert follow(Scripted(*some_views())) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        *("64", "0.400", "0.500", "0.900", "3", "1", "–")
    ]


def test_each_run_is_written_once_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(Scripted(*some_views()), SweepJson) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["settings"]["batch-size"] for line in lines] == [16, 64]


def test_a_run_that_is_tried_again_is_written_when_it_ends_this_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, message="memory ran out.")
    running = with_cell(made, 1, standing=Standing.RUNNING)
    for last, standings in ((made, ["finished", "finished"]), (broken, ["finished", "failed"])):
        writer = SweepJson([broken.cells[1]])
        for moment in (broken, running, last):
            writer.progress(moment)
        writer.end(last)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["standing"] for line in lines] == standings


def test_failed_runs_that_are_tried_again_wait_beside_the_bar() -> None:
    shown: list[str] = []

    class Lines(SweepLines):
        def progress(self, view: SweepView) -> None:
            super().progress(view)
            shown.append(f"{progress_in_words(view)}: {self._bar.tasks[0].completed:g}")

    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, images=3 * TRAIN)
    script = Scripted(broken)
    script.retrying = frozenset({made.cells[1].cell.id})
    assert follow(script, Lines) == 1
    assert shown == ["1 of 2 runs finished, 0 running: 1"]


def test_a_failed_run_is_named_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, message="memory ran out.")
    assert follow(Scripted(made, broken)) == 1
    out = capsys.readouterr().out
    run = made.cells[1].cell.id
    assert f"run {run} (batch-size 64, seed 0) failed: memory ran out." in out
    assert "`bntui sweep --resume made up --retry-failed` tries them again." in out


def test_a_driver_that_gives_up_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(Scripted(*some_views(), failure="no process can be started.")) == 2
    assert "Error: no process can be started." in capsys.readouterr().err


def test_a_signal_ends_it_and_keeps_what_is_under_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ending, "end_anyway", lambda *_: None)  # it would end the tests
    _, running, _ = some_views()

    class Ending(Scripted):
        """Asks for the end at its first look, and would never be over."""

        over = False

        @property
        def view(self) -> SweepView:
            os.kill(os.getpid(), signal.SIGTERM)
            return running

    script = Ending(running)
    with pytest.raises(SystemExit) as ended:
        follow(script)
    assert ended.value.code == 128 + signal.SIGTERM
    assert script.left[0]
    assert capsys.readouterr().out.endswith("`bntui sweep --resume made up` goes on.\n")


class ClusterOfFour:
    """A cluster whose trial says that each run takes ten minutes."""

    made: ClassVar[list[object]] = []

    def __init__(self, *words: object) -> None:
        self.made.append(words)
        self.workers, self.at_once = "Ray: 4 CPUs on 2 nodes", 4

    def try_runs(self, pairs: list[Any]) -> list[Took]:
        return [Took(one, FACTS, 100, 1000, 600.0) for pair in pairs for one in pair]

    def close(self) -> None:
        self.made.append("closed")


def test_on_a_cluster_a_trial_there_tells_how_long_runs_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trial(*_: object) -> list[Took]:
        raise AssertionError("a trial on this machine tells nothing of a cluster")

    monkeypatch.setattr(on_ray, "RayCluster", ClusterOfFour)
    monkeypatch.setattr(ClusterOfFour, "made", [])
    monkeypatch.setattr(sweep_plan, "trial", trial)
    words = ("--address", "ray://there:1", "--gpus-per-run", "0.25", "--depth", "0,1")
    many = sweep(*words, "--seeds", "4", "--dry-run")
    assert many.exit_code == 0, many.output
    assert "with 4 runs at once on Ray: 4 CPUs on 2 nodes" in many.stdout.splitlines()[1]
    assert many.stderr == "A short trial on the cluster tells how long they take …\n"
    few = sweep(*words, "--dry-run")
    assert "with 2 runs at once on Ray: 4 CPUs on 2 nodes" in few.stdout.splitlines()[1]
    assert ClusterOfFour.made == [("ray://there:1", 1, 0.25), "closed"] * 2
    assert not store_path().exists()


def test_a_sweep_whose_cluster_is_refused_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ConfigError("no Ray cluster answers.")

    monkeypatch.setattr(on_ray, "RayCluster", refused)
    done = CliRunner().invoke(cli, ["sweep", *TINY, "--address", "auto", "--threads", "3"])
    assert (done.exit_code, done.stderr) == (2, "Error: no Ray cluster answers.\n")
    with Store() as store:
        assert not store.sweeps()


@pytest.mark.parametrize(("code", "status"), [(0, 1), (130, 130)])
def test_a_screen_ends_with_1_where_a_run_has_failed(
    monkeypatch: pytest.MonkeyPatch, code: int, status: int
) -> None:
    shown: list[dict[str, object]] = []

    def show(source: FollowedSweep, lead: Driver, **how: object) -> int:
        shown.append(how)
        return code

    def failed(path: Path, name: str) -> SweepView:
        return with_cell(waiting(design()), 0, standing=Standing.FAILED)

    monkeypatch.setattr(sweep_report, "has_terminal", lambda: True)
    monkeypatch.setattr("bntui.ui.sweeps.app.show", show)
    monkeypatch.setattr(sweep_report, "read_sweep", failed)
    result = sweep("--batch-size", "16,64", "--theme", "nord", "--ascii")
    assert result.exit_code == status, result.output
    assert (shown[0]["plain"], shown[0]["theme"]) == (True, "nord")
    assert "no theme 'nonsense'" in said(sweep("--batch-size", "16,64", "--theme", "nonsense"))


def test_sweeps_are_listed() -> None:
    runner = CliRunner()
    assert "No sweep is kept yet" in runner.invoke(cli, ["sweeps"]).stdout
    keep(design(("batch_size", (16, 64)), seeds=2), "mine")
    keep(design(("depth", (0, 1))), "depths")
    head, first, second = runner.invoke(cli, ["sweeps"]).stdout.splitlines()
    assert head.split() == ["sweep", "begun", "runs", "varies", "standing"]
    assert first.split()[0] == "depths"
    assert second.endswith("batch-size 16, 64 × 2 seeds  4 waiting")
    lines = map(json.loads, runner.invoke(cli, ["sweeps", "--json"]).stdout.splitlines())
    assert [(line["sweep"], line["axes"], line["waiting"]) for line in lines] == [
        ("depths", {"depth": [0, 1]}, 2),
        ("mine", {"batch-size": [16, 64]}, 4),
    ]


WITHOUT_TORCH = """
import sys
from bntui.cli.main import cli
try:
    cli(sys.argv[1:])
finally:
    assert not [name for name in ("torch", "textual", "ray") if name in sys.modules]
"""


def test_a_sweep_is_run_once_and_then_told_without_torch() -> None:
    first = sweep(*TINY, "--seeds", "2", "--jobs", "1", "--json")
    assert first.exit_code == 0, first.output
    lines = [json.loads(line) for line in first.stdout.splitlines()]
    assert sorted((line["settings"]["batch-size"], line["seed"]) for line in lines) == [
        *((16, 0), (16, 1), (64, 0), (64, 1))
    ]
    assert {line["standing"] for line in lines} == {"finished"}
    assert all(line["hindsight"] and line["val_acc_fresh"] is not None for line in lines)
    again = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "sweep", *TINY, "--seeds", "2", "--no-screen"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    head, *table = again.stdout.splitlines()
    assert head == "sweep-1: 4 runs of batch-size 16, 64 × 2 seeds: 4 finished"
    assert [line.split()[0] for line in table] == ["batch-size", "16", "64"]
    with Store() as store:
        assert [one.name for one in store.sweeps()] == ["sweep-1"]
        assert len(store.runs()) == 4
