"""The process that speaks with Ray for `on_ray.RayCluster`, and what it has the cluster run: the only import of ray.

A cell is a task. What its run sends goes to a mailbox, an actor on the cluster's head, where this process
takes it: so it works in the same way from a node of the cluster and, as Ray's client, from elsewhere. Nothing
is retried by Ray: a task that is lost is told of, and the sweep's driver has the cell go on from what it has.
"""

import logging
import os
import pickle
import socket
import time
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NoReturn

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bntui.core.text import ConfigError, first_sentence
from bntui.sweeps import ray_nodes
from bntui.sweeps.executor import Ended, Message
from bntui.sweeps.ray_mailbox import Mailbox
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
    Tried,
    Try,
)

LOOK_SECONDS = 60.0
"""How long each node may take to start a process and tell its versions."""
WAIT_SECONDS = 0.25
"""How long it takes at most to notice that a task was lost."""
ROOM_SECONDS = 1.0
LEAVE_SECONDS = 2.0
"""How long it may take to leave the cluster."""
STOPPED_SECONDS = 30.0
"""After so long a task asks anew whether it is to stop."""
MOST_CALLS = 10_000
"""Of the mailbox at a time: each cell has two."""
HEAD = {"node:__internal_head__": 0.001}
"""Where the mailbox is: without its head nothing is left of a cluster."""


def lead(descriptor: int) -> None:
    """Use a cluster for the process at the other end of a pipe, until that is gone. Never returns."""
    os.set_inheritable(descriptor, False)
    pipe = Connection(descriptor)
    try:
        try:
            cluster: Cluster = pipe.recv()
            _connect(cluster)
            pipe.send(Connected())
            _look_at_nodes(cluster)
            _Lead(pipe, cluster, _new_mailbox(cluster.address)).run()
        except ConfigError as error:
            pipe.send(Refused(str(error)))
        except (ray.exceptions.RayError, ConnectionError) as error:
            pipe.send(Refused(first_sentence(error)))
    except (EOFError, OSError):  # nobody is there any more
        pass
    except Exception:
        traceback.print_exc()
        leave(1)
    leave()


def leave(status: int = 0) -> NoReturn:
    """Leave the cluster, which ends the tasks there, and end this process."""
    leaving = Thread(target=ray.shutdown, daemon=True)
    leaving.start()
    leaving.join(LEAVE_SECONDS)
    os._exit(status)


class _Lead:
    """Begins tasks, and tells of them."""

    def __init__(self, pipe: "Connection[Any, Any]", cluster: Cluster, mailbox: Any) -> None:
        self._pipe = pipe
        self._cluster = cluster
        self._mailbox = mailbox
        self._turn = Lock()
        """Held while something is sent, or the next four are looked at."""
        self._runs: dict[int, str] = {}
        """The runs' ids by the numbers of their tasks, until their last letter: no two tasks have one number."""
        self._tasks: dict[Any, int] = {}
        """The tasks' numbers by their references, until they end."""
        self._begun: set[int] = set()
        """Those of which something has come."""
        self._number = 0
        """Of the last task."""
        self._versions = ray_nodes.versions_teller()()
        self._orders: SimpleQueue[Order] = SimpleQueue()
        gpus = {"num_gpus": cluster.gpus_per_run} if cluster.gpus_per_run else {}
        of_a_cell: dict[str, Any] = {"num_cpus": cluster.threads, "max_retries": 0, **gpus}
        self._task = ray.remote(run_task).options(scheduling_strategy="SPREAD", **of_a_cell)
        self._trial = ray.remote(try_task).options(**of_a_cell)

    def run(self) -> None:
        """Tell of the tasks and of the cluster's room for ever. Raises OSError if nobody listens."""
        for work in (self._read, self._obey):
            Thread(target=work, daemon=True).start()
        taking, room_due, look_due = self._mailbox.take.remote(), 0.0, 0.0
        while True:
            if time.monotonic() >= room_due:
                self._tell_room()
                room_due = time.monotonic() + ROOM_SECONDS
            if time.monotonic() >= look_due:
                self._look_for_ends()
                look_due = time.monotonic() + WAIT_SECONDS
            if not ray.wait([taking], timeout=WAIT_SECONDS)[0]:
                continue
            letters = ray.get(taking)
            taking = self._mailbox.take.remote()
            for letter in letters:
                self._deliver(*letter)

    def _read(self) -> None:
        """Take orders as they come; leave with the process that gives them."""
        try:
            while True:
                self._orders.put(self._pipe.recv())
        except (EOFError, OSError):
            leave()

    def _obey(self) -> None:
        while True:
            order = self._orders.get()
            if isinstance(order, Begin):
                self._begin(order)
            elif isinstance(order, Try):
                self._say(Tried(self._try(order)))
            else:
                self._stop()

    def _begin(self, order: Begin) -> None:
        with self._turn:
            self._number += 1
            task = self._task.remote(
                self._mailbox,
                self._number,
                order.run,
                order.request,
                self._cluster.threads,
                self._versions,
            )
            self._tasks[task] = self._number
            self._runs[self._number] = order.run

    def _try(self, order: Try) -> bytes:
        """Return what a trial has found; nothing where none came to an end."""
        with suppress(Exception):
            task = self._trial.remote(order.pairs, self._cluster.threads)
            if ray.wait([task], timeout=ray_nodes.TRIAL_SECONDS)[0]:
                found: bytes = ray.get(task)
                return found
            ray.cancel(task, force=True)
        return pickle.dumps([])

    def _stop(self) -> None:
        self._mailbox.stop.remote()
        with self._turn:
            waiting = [task for task, number in self._tasks.items() if number not in self._begun]
        for task in waiting:
            ray.cancel(task)
            self._end(task, "its task was stopped before it began")

    def _look_for_ends(self) -> None:
        """Notice tasks that have ended, in whatever way."""
        with self._turn:
            tasks = list(self._tasks)
        for task in ray.wait(tasks, num_returns=len(tasks), timeout=0)[0] if tasks else []:
            try:
                ray.get(task)
                why = "its task has ended without a word"
            except Exception as error:
                why = _loss(error)
            self._end(task, why)

    def _end(self, task: Any, why: str) -> None:
        """Say in a letter of one's own why a task's last one is missing: it comes after all of the task's."""
        with self._turn:
            number = self._tasks.pop(task, None)
        if number is not None:
            self._mailbox.put.remote(number, why)

    def _deliver(self, number: int, content: bytes | str, last: bool) -> None:
        with self._turn:
            run = self._runs.get(number, "")
            self._begun.add(number)
            if last:
                self._runs.pop(number, None)
                self._begun.discard(number)
        if run:
            self._say(Letter(run, content) if isinstance(content, bytes) else Died(run, content))

    def _tell_room(self) -> None:
        nodes = _nodes()
        with self._turn:
            running = len(self._begun)
        runs = ray_nodes.at_once(nodes, ray.available_resources(), running, self._cluster)
        self._say(Room(runs + ray_nodes.QUEUED, runs, ray_nodes.words(nodes)))

    def _say(self, reply: Reply) -> None:
        with self._turn:
            self._pipe.send(reply)


def run_task(
    mailbox: Any, number: int, run: str, request: bytes, threads: int, versions: dict[str, str]
) -> None:
    """Run a cell on a node: the task. Raises ConfigError for a node of other versions that has joined since."""
    from bntui.sweeps.worker import run_cell
    from bntui.sweeps.worker_process import load

    here = {
        "NodeManagerHostname": socket.gethostname(),
        "NodeManagerAddress": ray.util.get_node_ip_address(),
    }
    ray_nodes.check_versions(here, ray_nodes.versions_teller()(), versions)
    load(threads)
    line = _Line(mailbox, number)
    ended = run_cell(run, pickle.loads(request), line.send, line.stopping)
    line.flush()
    if not ended:
        os._exit(0)  # all is sent; Python would end the run's thread in the middle of torch


def try_task(pairs: bytes, threads: int) -> bytes:
    """Try runs on a node: the task of a trial."""
    from bntui.sweeps.trial import try_runs
    from bntui.sweeps.worker_process import load

    load(threads)
    try:
        return pickle.dumps(try_runs(pickle.loads(pairs), threads))
    except ConfigError as error:
        return pickle.dumps(ConfigError(str(error)))


class _Line:
    """A task's line to the mailbox."""

    def __init__(self, mailbox: Any, number: int) -> None:
        self._mailbox = mailbox
        self._number = number
        self._sent: Any = None
        self._stopped: Any = mailbox.stopped.remote(STOPPED_SECONDS)

    def send(self, message: Message) -> None:
        """Send, once the message before has arrived: they are to stay in order."""
        self.flush()
        last = isinstance(message, Ended)
        self._sent = self._mailbox.put.remote(self._number, pickle.dumps(message), last)

    def flush(self) -> None:
        """Wait until all has arrived."""
        if self._sent is not None:
            ray.get(self._sent)
            self._sent = None

    def stopping(self) -> bool:
        """Return whether the run is to stop."""
        if not ray.wait([self._stopped], timeout=0)[0]:
            return False
        if ray.get(self._stopped):
            return True
        self._stopped = self._mailbox.stopped.remote(STOPPED_SECONDS)
        return False


def _connect(cluster: Cluster) -> None:
    """Connect to a cluster. Raises ConfigError."""
    logging.disable()
    quiet = {} if cluster.address.startswith("ray://") else {"log_to_driver": False}
    try:
        ray.init(cluster.address, runtime_env={"env_vars": dict(cluster.environment)}, **quiet)
    except Exception as error:
        raise ConfigError(ray_nodes.refusal(cluster.address, error, ray.__version__)) from error


def _look_at_nodes(cluster: Cluster) -> None:
    """Raise ConfigError unless cells can run on the cluster's nodes, and have there what they have here."""
    nodes = _nodes()
    ray_nodes.check_sizes(nodes, cluster)
    versions = ray_nodes.versions_teller()
    ask = ray.remote(versions)
    asked = [
        ask.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
        ).remote()
        for node in nodes
    ]
    _, late = ray.wait(asked, num_returns=len(asked), timeout=LOOK_SECONDS)
    there = {node["NodeID"] for node in _nodes()}
    for node, answer in zip(nodes, asked, strict=True):
        if node["NodeID"] not in there:  # it has died since; the cluster goes on without it
            continue
        if answer in late:
            raise ConfigError(ray_nodes.late(node, LOOK_SECONDS))
        try:
            found = ray.get(answer)
        except ray.exceptions.RayError as error:
            raise ConfigError(ray_nodes.unable(node, error)) from error
        ray_nodes.check_versions(node, found, versions())


def _new_mailbox(address: str) -> Any:
    """Return a mailbox that works. Raises ConfigError."""
    mailbox = (
        ray.remote(Mailbox).options(num_cpus=0, resources=HEAD, max_concurrency=MOST_CALLS).remote()
    )
    try:
        ray.get(mailbox.stopped.remote(0.0), timeout=LOOK_SECONDS)
    except ray.exceptions.RayError as error:
        raise ConfigError(ray_nodes.no_actor(address, error)) from error
    return mailbox


def _nodes() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _loss(error: Exception) -> str:
    """Say how a task was lost."""
    if isinstance(error, ray.exceptions.OutOfMemoryError):
        return "its node ran out of memory"
    if isinstance(error, ray.exceptions.NodeDiedError | ray.exceptions.LocalRayletDiedError):
        return "its node died"
    if isinstance(error, ray.exceptions.WorkerCrashedError):
        return "the process that ran it was killed"
    if isinstance(error, ray.exceptions.RayTaskError):
        return f"its task failed ({type(error.cause).__name__}: {first_sentence(error.cause)})"
    return f"its task was lost ({type(error).__name__}: {first_sentence(error)})"
