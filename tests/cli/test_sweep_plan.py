"""What `bntui sweep` finds out before a run begins: what the sweep is called, what is left of it, how long it takes."""

from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from bntui.cli import sweep_plan, sweep_report
from bntui.cli.main import cli
from bntui.core.sweep import Standing
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took
from bntui.machine.places import store_path
from bntui.store.checksum import write_checksums
from bntui.store.database import Store
from bntui.sweeps import on_ray
from tests.cli.sweeping import FACTS, TINY, keep, quick_trial, said, sweep
from tests.sweeps.made_up import design, view, with_cell

pytestmark = pytest.mark.usefixtures("tried")


def test_on_a_gpu_runs_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_plan, "trial", quick_trial("cuda"))
    for given, jobs in (((), "1 job"), (("--jobs", "2"), "2 jobs")):
        result = sweep("--batch-size", "16,64", *given, "--dry-run")
        assert f"with {jobs} of 1 thread on a GPU (how many fit" in result.stdout


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


def test_on_a_cluster_that_others_use_no_trial_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(ClusterOfFour):
        def __init__(self, *words: object) -> None:
            super().__init__(*words)
            self.at_once = 0

        def try_runs(self, pairs: list[Any]) -> list[Took]:
            raise AssertionError("there is no room for it")

    monkeypatch.setattr(on_ray, "RayCluster", Full)
    result = sweep("--address", "auto", "--depth", "0,1", "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1] == "how long it takes is not known yet"


def test_what_is_said_to_nobody_leaves_no_cluster_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(on_ray, "RayCluster", ClusterOfFour)
    monkeypatch.setattr(ClusterOfFour, "made", [])
    monkeypatch.setattr(sweep_report, "keep", unread)
    assert isinstance(sweep("--address", "auto", "--depth", "0,1").exception, BrokenPipeError)
    assert ClusterOfFour.made[-1] == "closed"


def test_a_sweep_whose_cluster_is_refused_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ConfigError("no Ray cluster answers.")

    monkeypatch.setattr(on_ray, "RayCluster", refused)
    done = CliRunner().invoke(cli, ["sweep", *TINY, "--address", "auto", "--threads", "3"])
    assert (done.exit_code, done.stderr) == (2, "Error: no Ray cluster answers.\n")
    with Store() as store:
        assert not store.sweeps()


def test_jobs_that_would_be_idle_are_not_counted_nor_their_memory() -> None:
    result = sweep(*TINY, "--jobs", "1024", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "with 2 jobs of 1 thread" in result.stdout
