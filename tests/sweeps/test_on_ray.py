"""Sweeps on a Ray cluster: on two nodes, one of which dies, and without Ray what is said when it can't be."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from bntui.core.run_request import RunRequest
from bntui.core.sweep import Design
from bntui.core.text import ConfigError
from bntui.store.database import Store
from bntui.store.writing import State
from bntui.sweeps import on_ray, ray_nodes
from bntui.sweeps.driver import Driver
from bntui.sweeps.executor import Executor, Lost, Message
from bntui.sweeps.on_ray import RayCluster
from bntui.sweeps.processes import Processes
from bntui.sweeps.ray_protocol import Cluster
from tests.sweeps import tiny
from tests.sweeps.ray_cluster import Loopback, loopback, needs_ray
from tests.sweeps.tiny import SECONDS

GPUS = Cluster("auto", threads=2, gpus_per_run=0.4, environment={})


def node(cpus: float, gpus: float = 0.0) -> dict[str, Any]:
    resources = {"CPU": cpus} | ({"GPU": gpus} if gpus else {})
    return {"NodeManagerHostname": "n1", "NodeManagerAddress": "10.0.0.7", "Resources": resources}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ray seem to be installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())


def child(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Put a program of these lines in the place of the process that speaks with Ray; `pipe` is its end."""
    first = (
        "import os, sys, time, pickle; descriptor, *sys.path = sys.argv[1:]",
        "from multiprocessing.connection import Connection",
        "from bntui.sweeps.ray_protocol import *",
        "pipe = Connection(int(descriptor)); cluster = pipe.recv()",
    )
    monkeypatch.setattr(on_ray, "_CODE", "\n".join((*first, *lines)))


# Without Ray.


@pytest.mark.parametrize(
    "address", ["", "local", "10.0.0.7", "http://a:1", "ray://a", "a:b", "a b:1"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(
        ConfigError, match="no address of a Ray cluster: give auto, host:port, or ray"
    ):
        RayCluster(address, 1)


@pytest.mark.parametrize("share", [-1.0, 1.5, 2.0, float("nan"), float("inf")])
def test_a_share_of_several_gpus_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=r"--gpus-per-run \S+ can't be had: give at most 1"):
        RayCluster("auto", 1, share)


def test_without_ray_the_way_to_have_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"not installed: pip install 'bntui\[ray\]'\."):
        RayCluster("auto", 1)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("address", "way_out"),
    [("auto", "ray start --head"), ("ray://a:1", "client port"), ("a:1", "none of its nodes")],
)
def test_a_cluster_that_does_not_answer_is_not_waited_for(
    address: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, "time.sleep(600)")
    monkeypatch.setattr(on_ray, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(on_ray, "END_SECONDS", 0.1)
    with pytest.raises(ConfigError, match=f"no Ray cluster has answered .* {address}.*{way_out}"):
        RayCluster(address, 1)


@pytest.mark.usefixtures("installed")
def test_why_a_cluster_can_t_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "pipe.send(Connected()); pipe.send(Refused('no: go away.'))")
    with pytest.raises(ConfigError, match=r"^no: go away\.$"):
        RayCluster("auto", 1)


@pytest.mark.usefixtures("installed")
def test_a_process_that_can_t_load_ray_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import no_such_module")
    with pytest.raises(
        ConfigError, match="status 1: ModuleNotFoundError: No module named 'no_such"
    ):
        RayCluster("auto", 1)


@pytest.mark.usefixtures("installed")
def test_all_is_lost_with_the_process_that_speaks_with_ray(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child(
        monkeypatch,
        "pipe.send(Connected()); pipe.send(Room(3, 1, 'Ray: 1 CPU on 1 node'))",
        "runs = [pipe.recv().run for _ in range(2)]",
        "pipe.send(Died(runs[0], 'its node died')); pipe.recv(); os._exit(3)",
    )
    cluster = RayCluster("auto", 1)
    try:
        assert (cluster.workers, cluster.free()) == ("Ray: 1 CPU on 1 node", 3)
        first, second = tiny.design(tmp_path).cells()
        for cell in (first, second):
            cluster.begin(cell.id, RunRequest(cell.config))
        assert cluster.free() == 1
        assert cluster.receive(SECONDS) == [(first.id, Lost("its node died"))]
        assert cluster.free() == 2
        cluster.stop()
        assert cluster.receive(SECONDS) == [(second.id, Lost("the Ray cluster is gone"))]
        with pytest.raises(ConfigError, match=r"is gone \(.*status 3\): once it runs again"):
            cluster.free()
        with pytest.raises(ConfigError, match="is gone"):
            cluster.begin(first.id, RunRequest(first.config))
    finally:
        cluster.close()


@pytest.mark.usefixtures("installed")
def test_a_trial_s_answer_is_returned_or_raised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child(
        monkeypatch,
        "pipe.send(Connected()); pipe.send(Room(6, 4, 'Ray: 4 CPUs on 1 node'))",
        "from bntui.core.text import ConfigError",
        "from bntui.experiments.duration import Took",
        "for found in ([Took(None, None, 1, 8, 2.5)], [], ConfigError('no data set there.')):",
        "    asked = pickle.loads(pipe.recv().pairs)",
        "    assert [type(one).__name__ for one in asked[0]] == ['RunConfig'] * 2",
        "    pipe.send(Room(6, 4, 'Ray: 4 CPUs on 1 node')); pipe.send(Tried(pickle.dumps(found)))",
    )
    cluster = RayCluster("auto", 1)
    try:
        assert cluster.at_once == 4
        small, large = tiny.design(tmp_path).cells()
        pairs = [(small.config, large.config)]
        assert [one.seconds for one in cluster.try_runs(pairs)] == [2.5]
        assert cluster.try_runs(pairs) == []
        with pytest.raises(ConfigError, match=r"^no data set there\.$"):
            cluster.try_runs(pairs)
        with pytest.raises(ConfigError, match="is gone"):
            cluster.try_runs(pairs)
    finally:
        cluster.close()


def test_what_numbers_depend_on_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BNTUI_DATA", "sets")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    passed = on_ray.environment(3)
    assert passed["BNTUI_DATA"] == str(tmp_path / "sets")
    assert passed["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert passed["OMP_NUM_THREADS"] == "3"
    assert not {"BNTUI_STORE", "PATH", "HOME"} & set(passed)


def test_cells_fit_by_cpus_and_by_shares_of_one_gpu() -> None:
    fit = ray_nodes.fitting
    assert fit({"CPU": 7.0}, replace(GPUS, gpus_per_run=0.0)) == 3
    assert fit({"CPU": 7.0}, GPUS) == 0
    assert fit({"CPU": 64.0, "GPU": 3.0}, GPUS) == 6  # two on each; the rest of each is too small
    assert fit({"CPU": 64.0, "GPU": 1.0}, replace(GPUS, gpus_per_run=0.1)) == 10
    assert fit({"CPU": 64.0, "GPU": 5.0}, replace(GPUS, gpus_per_run=1.0)) == 5
    assert fit({"CPU": 4.0, "GPU": 8.0}, GPUS) == 2


def test_room_leaves_to_others_what_they_use() -> None:
    two = [node(8), node(8)]
    small = replace(GPUS, gpus_per_run=0.0)
    assert ray_nodes.at_once(two, {"CPU": 16.0}, 0, small) == 8
    assert ray_nodes.at_once(two, {"CPU": 4.0}, 2, small) == 4
    assert ray_nodes.at_once(two, {"CPU": 16.0}, 8, small) == 8  # told a second ago


def test_a_cluster_in_words() -> None:
    assert ray_nodes.words([node(1)]) == "Ray: 1 CPU on 1 node"
    assert ray_nodes.words([node(8, 1), node(0.5, 1)]) == "Ray: 8.5 CPUs and 2 GPUs on 2 nodes"


def test_nodes_that_are_too_small_are_refused() -> None:
    ray_nodes.check_sizes([node(1), node(2, 1)], GPUS)
    with pytest.raises(
        ConfigError, match="has 2 CPUs for a run, the largest has 1: give --threads 1"
    ):
        ray_nodes.check_sizes([node(1)], GPUS)
    with pytest.raises(ConfigError, match=r"has 0\.4 of a GPU for a run: leave --gpus-per-run out"):
        ray_nodes.check_sizes([node(2)], GPUS)


def test_a_node_has_the_same_versions() -> None:
    here = {"bntui": "0.1.0", "torch": "2.9.0+cpu", "numpy": "2.4.6"}
    ray_nodes.check_versions(node(1), here | {"torch": "2.9.0+cu130"}, here)
    with pytest.raises(
        ConfigError, match=r"n1 \(10\.0\.0\.7\) .* has no bntui: install bntui 0\.1\.0"
    ):
        ray_nodes.check_versions(node(1), here | {"bntui": ""}, here)
    with pytest.raises(
        ConfigError, match=r"has torch 2\.8, and this machine 2\.9\.0\+cpu: install"
    ):
        ray_nodes.check_versions(node(1), here | {"torch": "2.8"}, here)
    assert set(ray_nodes.versions_teller()()) == set(here)


def test_why_ray_refuses_is_one_sentence() -> None:
    def said(error: Exception) -> str:
        return ray_nodes.refusal("a:1", error, "2.60.0")

    mismatch = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.50.0\n    Python: 3.12.1\n"
        "This process on node 10.0.0.7 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )
    both = r"(Ray: 2.50.0 Python: 3.12.1 there, Ray 2.60.0 and Python "
    assert both in said(RuntimeError(mismatch))
    assert "RAY_AUTH_MODE=token" in said(RuntimeError("Authentication failed: no token"))
    assert "answers at --address a:1: start it, give ray" in said(ConnectionError("nothing"))
    assert "bntui[ray]" in said(ImportError("`grpcio` is needed"))
    assert "(KeyError: 'a'): look at `ray status`" in said(KeyError("a"))


# With a cluster of two nodes.


class Watched:
    """An executor, and what it has lost."""

    def __init__(self, executor: Executor) -> None:
        self.workers = executor.workers
        self.lost: list[str] = []
        self.free, self.begin = executor.free, executor.begin
        self.stop, self.close = executor.stop, executor.close
        self._executor = executor

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        messages = self._executor.receive(timeout)
        self.lost += [message.why for _, message in messages if isinstance(message, Lost)]
        return messages


@pytest.fixture(scope="module")
def cluster() -> Iterator[Loopback]:
    with loopback() as started:
        started.add()
        yield started


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Design:
    """Return cells that train for some seconds, whatever the machine: they can be met in the middle."""
    made = tiny.design(tmp_path_factory.mktemp("data"), epochs=6, batches=(8, 12))
    base = replace(made.base, knobs=replace(made.base.knobs, pace=16.0))
    return replace(made, base=base)


@pytest.fixture(scope="module")
def local(design: Design, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """Return what a store has of the cells that processes of this machine have run."""
    path = tmp_path_factory.mktemp("local") / "runs.sqlite"
    led = Driver(path, "s-1", design, Processes(2, 1))
    led.start()
    assert led.join(SECONDS)
    return kept(path, design)


def kept(path: Path, design: Design) -> list[object]:
    return [tiny.kept(path, cell.id) for cell in design.cells()]


def wait_until_one_trains(path: Path, design: Design) -> None:
    until = monotonic() + SECONDS
    while True:
        with Store(path) as store:
            found = [store.sound(cell.id) for cell in design.cells()]
        if any(one and one.state is State.RUNNING and one.updates for one in found):
            return
        assert monotonic() < until
        sleep(0.05)


@needs_ray
@pytest.mark.system
def test_a_node_dies_and_the_cells_are_those_of_processes_bit_for_bit(
    cluster: Loopback, design: Design, local: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "runs.sqlite"
    executor = Watched(RayCluster(cluster.address, 1))
    assert executor.workers == "Ray: 1 CPU on 2 nodes"
    led = Driver(path, "s-1", design, executor)
    led.start()
    try:
        wait_until_one_trains(path, design)
        cluster.kill()
        cluster.add()
        assert led.join(SECONDS)
    finally:
        led.leave(SECONDS)
    assert (led.failure, led.failures) == ("", ())
    assert executor.lost == ["its node died"]
    assert kept(path, design) == local


@needs_ray
@pytest.mark.system
def test_a_sweep_that_was_left_goes_on_bit_for_bit_from_ray_s_client(
    cluster: Loopback, design: Design, local: list[object], tmp_path: Path
) -> None:
    path = tmp_path / "runs.sqlite"
    led = Driver(path, "s-1", design, RayCluster(cluster.address, 1))
    led.start()
    try:
        wait_until_one_trains(path, design)
    finally:
        assert led.leave(SECONDS)
    with Store(path) as store:
        first = store.run(design.cells()[0].id)
    assert (first.state, first.checkpoint is not None) == (State.INTERRUPTED, True)

    cluster.add()
    led = Driver(path, "s-1", design, RayCluster(cluster.client, 1))
    assert led.workers == "Ray: 2 CPUs on 3 nodes"
    led.start()
    try:
        assert led.join(SECONDS)
    finally:
        led.leave(SECONDS)
    assert (led.failure, led.failures) == ("", ())
    assert kept(path, design) == local


@needs_ray
@pytest.mark.system
def test_a_node_tries_runs_as_it_would_make_them(cluster: Loopback, design: Design) -> None:
    small, large = (cell.config for cell in design.cells())
    executor = RayCluster(cluster.address, 1)
    try:
        assert executor.at_once >= 1
        found = executor.try_runs([(small, large)])
        missing = replace(small, dataset="/nowhere/at/all")
        with pytest.raises(ConfigError, match="/nowhere/at/all"):
            executor.try_runs([(missing, missing)])
    finally:
        executor.close()
    assert {one.config.knobs.batch_size for one in found} >= {8}
    assert all(one.facts.train == 96 and one.facts.threads == 1 for one in found)
    assert all(one.seconds > 0.0 for one in found)
