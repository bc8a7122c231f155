"""Runs cells on a Ray cluster, one task a cell. Imports no ray: a process of its own does, see `ray_process.py`.

Ray takes over the process that it is loaded in: it handles SIGTERM, from C++ too, writes to standard error,
waits for minutes, deaf to signals, where nothing answers, and ends the process when the cluster's head is gone.
"""

import importlib.util
import os
import pickle
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.text import ConfigError
from bntui.experiments.duration import Took
from bntui.machine.places import temporary_folder
from bntui.sweeps import ray_nodes
from bntui.sweeps.executor import Ended, Lost, Message, received
from bntui.sweeps.processes import portable
from bntui.sweeps.ray_protocol import (
    Begin,
    Cluster,
    Connected,
    Died,
    Letter,
    Order,
    Refused,
    Reply,
    Room,
    Stop,
    Tried,
    Try,
)
from bntui.sweeps.worker_process import THREADS_TOLD

CONNECT_SECONDS = 60.0
"""How long a cluster may take to answer at first."""
LOOK_SECONDS = 90.0
"""How long it may then take to start a process on each of its nodes."""
WAIT_SECONDS = 0.25
"""How often a trial is waited for anew."""
SILENT_SECONDS = 30.0
"""After so long without a word the cluster counts as gone: Ray itself would end the process after 60."""
END_SECONDS = 5.0
"""How long `close` waits for the process before it kills it."""
_OF_THE_NUMBERS = (
    "ATEN_", "CUBLAS_", "CUDNN_", "DNNL_", "MKL_", "NVIDIA_TF32_", "ONEDNN_", "PYTORCH_", "TORCH_",
)  # fmt: skip
"""How variables begin that a run's numbers may depend on: a cell is to have them as if it ran here."""
_CODE = (
    "import sys; descriptor, *sys.path = sys.argv[1:]; "
    "from bntui.sweeps.ray_process import lead; lead(int(descriptor))"
)
_TOLD = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else a call after the cluster is left would start another, on this machine.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
_ADDRESS = re.compile(r"auto|(ray://)?([^\s/:]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
_SAID_BYTES = 4000


class RayCluster:
    """The `Executor` of a Ray cluster."""

    workers: str
    """The CPUs, GPUs and nodes that the cluster has at the moment."""
    at_once: int
    """The cells that can run there at once, at the moment; 0 while others use the whole cluster."""

    def __init__(self, address: str, threads: int, gpus_per_run: float = 0.0) -> None:
        """Connect to the cluster at an address; a cell takes so many CPUs, and so much of a GPU.

        Raises ConfigError where it can't be used: Ray is missing here or of another version there, nothing
        answers, a node has no bntui or another one, or none is large enough for a cell.
        """
        _check(address, gpus_per_run)
        self.workers, self.at_once = "", 1
        self._address = address
        self._under_way: set[str] = set()
        self._messages: deque[tuple[str, Message]] = deque()
        self._runs = 0
        """How many may be under way."""
        self._tried: list[Took] | ConfigError | None = None
        """What a trial has found that is under way."""
        self._gone = ""
        """Why the cluster can't be used any more, in one sentence."""
        self._process = _RayProcess()
        try:
            self._connect(Cluster(address, threads, gpus_per_run, environment(threads)))
        except BaseException:
            self.close()
            raise
        self._heard = time.monotonic()

    def try_runs(self, pairs: Sequence[tuple[RunConfig, RunConfig]]) -> list[Took]:
        """Return what runs take on a node, as `trial.try_runs` tells; nothing where none has room in time.

        Raises ConfigError for a run that can't be there, such as one whose data set is missing, and where
        the cluster is gone.
        """
        self._process.send(Try(pickle.dumps(list(pairs))))
        until = time.monotonic() + ray_nodes.TRIAL_SECONDS + LOOK_SECONDS
        while self._tried is None and not self._gone and time.monotonic() < until:
            self._take(WAIT_SECONDS)
        found, self._tried = self._tried, None
        if isinstance(found, ConfigError):
            raise found
        if found is None and self._gone:
            raise ConfigError(self._gone)
        return found or []

    def free(self) -> int:
        """Return how many more cells the cluster has room for, and two that wait for some.

        By those that wait a cluster that can grow sees that it should. Raises ConfigError where the
        cluster is gone.
        """
        if self._gone and not self._messages:
            raise ConfigError(self._gone)
        return 0 if self._gone else max(0, self._runs - len(self._under_way))

    def begin(self, run: str, request: RunRequest) -> None:
        """Begin a cell, whose run has this id. Raises ConfigError where the cluster is gone."""
        if self._gone:
            raise ConfigError(self._gone)
        self._under_way.add(run)
        self._process.send(Begin(run, pickle.dumps(portable(request))))

    def receive(self, timeout: float) -> list[tuple[str, Message]]:
        """Return what came from the cells' runs, in order; waits so many seconds at most for the first."""
        return received(self._messages, self._take, timeout)

    def stop(self) -> None:
        """Ask all that is under way to stop after its update: each then sends `Ended`.

        What has not begun is `Lost`.
        """
        self._process.send(Stop())

    def close(self) -> None:
        """Leave the cluster, which ends what is under way there."""
        self._process.end(END_SECONDS)

    def _connect(self, cluster: Cluster) -> None:
        self._process.send(cluster)
        try:
            told = self._process.reply(CONNECT_SECONDS)
            if told is None:
                raise ConfigError(ray_nodes.unreachable(cluster.address, CONNECT_SECONDS))
            if isinstance(told, Connected):
                told = self._process.reply(LOOK_SECONDS)
        except EOFError:
            raise ConfigError(
                f"the process that speaks with Ray {self._process.end(END_SECONDS)}: install it again with "
                "pip install --force-reinstall 'bntui[ray]'."
            ) from None
        if told is None:
            raise ConfigError(
                f"the Ray cluster at --address {cluster.address} has not started a process on each of its "
                f"nodes within {LOOK_SECONDS:.0f} s: look at `ray status` there."
            )
        if isinstance(told, Refused):
            raise ConfigError(told.why)
        self._take_reply(told)

    def _take(self, seconds: float) -> None:
        """Take all that has come, or the first that comes."""
        if self._gone:
            time.sleep(seconds)
            return
        try:
            while (reply := self._process.reply(seconds)) is not None:
                self._heard, seconds = time.monotonic(), 0.0
                self._take_reply(reply)
        except EOFError:
            self._lose(f"the process that speaks with Ray {self._process.end(END_SECONDS)}")
        if time.monotonic() - self._heard > SILENT_SECONDS:
            self._lose(f"it has not answered for {SILENT_SECONDS:.0f} s")

    def _take_reply(self, reply: Reply) -> None:
        if isinstance(reply, Room):
            self._runs, self.at_once, self.workers = reply.runs, reply.at_once, reply.workers
        elif isinstance(reply, Refused):
            self._lose(reply.why)
        elif isinstance(reply, Tried):
            self._tried = pickle.loads(reply.content)
        elif isinstance(reply, Letter) and reply.run in self._under_way:
            self._deliver(reply.run, pickle.loads(reply.content))
        elif isinstance(reply, Died) and reply.run in self._under_way:
            self._deliver(reply.run, Lost(reply.why))

    def _deliver(self, run: str, message: Message) -> None:
        self._messages.append((run, message))
        if isinstance(message, Ended | Lost):
            self._under_way.discard(run)

    def _lose(self, why: str) -> None:
        """Give up the cluster and all that runs there."""
        if not self._gone:
            self._gone = (
                f"the Ray cluster at --address {self._address} is gone ({why}): once it runs again, "
                "`bntui sweep --resume` goes on."
            )
            self._process.end(0.0)
            for run in sorted(self._under_way):
                self._deliver(run, Lost("the Ray cluster is gone"))


class _RayProcess:
    """The process that speaks with Ray."""

    def __init__(self) -> None:
        self._said: IO[bytes] = TemporaryFile(dir=temporary_folder())  # noqa: SIM115 - closed at the end
        self._pipe: Connection[Any, Any]
        self._pipe, other = Pipe()
        self._how = ""
        """How it has ended."""
        path = [str(Path(one).absolute()) for one in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE, str(other.fileno()), *path],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                # Of its own: Ray has its tasks look for modules in the folder of the one that begins them.
                cwd="/",
                env=os.environ | _TOLD,
                pass_fds=[other.fileno()],
                start_new_session=True,  # ctrl+c is for this process alone
            )
        except OSError as error:
            self._pipe.close()
            self._said.close()
            raise ConfigError(
                f"no process can be started to speak with Ray ({error.strerror}): end other programs."
            ) from error
        finally:
            other.close()

    def send(self, order: Cluster | Order) -> None:
        """Send something, unless it is gone, which `reply` tells."""
        with suppress(OSError):
            self._pipe.send(order)

    def reply(self, timeout: float) -> Reply | None:
        """Return the next thing that it says; None if nothing comes in time. Raises EOFError if it is gone."""
        try:
            reply: Reply | None = self._pipe.recv() if self._pipe.poll(timeout) else None
        except OSError as error:
            raise EOFError from error
        return reply

    def end(self, timeout: float) -> str:
        """Have it leave the cluster, and kill it if it does not; return how it ended."""
        if self._how:
            return self._how
        self._pipe.close()
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _SAID_BYTES))
        lines = self._said.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        self._said.close()
        self._how = f"ended with status {status}{f': {last}' if last else ''}"
        return self._how


def environment(threads: int) -> dict[str, str]:
    """Return the variables that processes on the cluster's nodes are to have.

    Ray passes none on by itself.
    """
    passed = {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_NUMBERS)}
    if data := os.environ.get("BNTUI_DATA"):
        passed["BNTUI_DATA"] = str(Path(os.path.expanduser(data)).absolute())  # noqa: PTH111 - raises nothing
    return passed | dict.fromkeys(THREADS_TOLD, str(threads))


def _check(address: str, gpus_per_run: float) -> None:
    """Raise ConfigError for what no cluster could do."""
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(
            f"--address {address!r} is no address of a Ray cluster: give auto, host:port, or "
            "ray://host:10001."
        )
    if not 0.0 <= gpus_per_run <= 1.0:
        raise ConfigError(
            f"--gpus-per-run {gpus_per_run:g} can't be had: give at most 1, for a run computes on one GPU, "
            "such as 0.25 for four runs on each."
        )
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(
            "a sweep on a cluster needs Ray, which is not installed: pip install 'bntui[ray]'."
        )
