"""A Ray cluster on loopback, in a process of its own that obeys a test: `python -m tests.sweeps.ray_cluster`."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.children import environment
from tests.sweeps.led import words

HOST = "127.0.0.1"
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Has Ray use the loopback address, as it does on systems whose firewall would ask, for all of its nodes."""
WITHOUT_TOKENS = {"RAY_AUTH_MODE": "disabled"}
STORE_BYTES = 100_000_000
END_SECONDS = 20.0
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed (pip install 'bntui[ray]')",
)


class Loopback:
    """A cluster whose head runs no cells, and each further node one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.address, self.client = self._told().split()
        """For a program on one of its nodes, and for one that is not."""

    def add(self) -> None:
        """Start a node."""
        self._order("add")

    def kill(self) -> None:
        """Kill the node that was started last."""
        self._order("kill")

    def workers(self) -> list[psutil.Process]:
        """Return the processes of its nodes that run cells at the moment."""
        family = psutil.Process(self._process.pid).children(recursive=True)
        return [one for one in family if words(one).startswith("ray::run_task")]

    def _order(self, what: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._told() == "done"

    def _told(self) -> str:
        assert self._process.stdout
        while not (line := self._process.stdout.readline()).startswith("told "):
            assert line, "the cluster has ended"
        return line.removeprefix("told ").strip()


@contextmanager
def loopback() -> Iterator[Loopback]:
    """Have a cluster, which this process and its children can use; leave no process of it behind."""
    own = environment(RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
    own |= WITHOUT_TOKENS | ON_LOOPBACK
    # Not a test's folder: the path of a socket has 107 characters at most.
    with (
        TemporaryDirectory(prefix="bntui-ray-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in (WITHOUT_TOKENS | ON_LOOPBACK).items():
            patch.setenv(name, value)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.sweeps.ray_cluster", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=own, start_new_session=True,
        )  # fmt: skip
        assert process.stdin
        try:
            yield Loopback(process)
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            process.stdin.close()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            _, alive = psutil.wait_procs(family, END_SECONDS)
            for one in alive:
                one.kill()


def _free_port() -> int:
    """Return a port of the loopback address that nothing has."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        port: int = bound.getsockname()[1]
        return port


def main(folder: str) -> None:
    from ray.cluster_utils import Cluster

    given = {"object_store_memory": STORE_BYTES}
    port = _free_port()
    head = {
        "num_cpus": 0,
        "include_dashboard": False,
        "ray_client_server_port": port,
        "temp_dir": folder,
    }
    cluster = Cluster(initialize_head=True, head_node_args=given | head)
    assert cluster.address.startswith(HOST), cluster.address
    nodes = []
    print(f"told {cluster.address} ray://{HOST}:{port}", flush=True)
    for order in sys.stdin:
        if order == "add\n":
            nodes.append(cluster.add_node(num_cpus=1, **given))
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print("told done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
