"""What a Ray cluster and its nodes are to have, how many cells they take, and why not. Imports no ray."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bntui.core.text import ConfigError, first_sentence
from bntui.sweeps.ray_protocol import Cluster

QUEUED = 2
"""Cells that wait in the cluster for room, beside those that run."""
TRIAL_SECONDS = 60.0
"""How long a trial may take, with the time in which it waits for room."""
_STATUS = "look at `ray status` there."
Node = Mapping[str, Any]
"""As `ray.nodes()` has it."""


def versions_teller() -> Callable[[], dict[str, str]]:
    """Return a function that tells the versions of what a run's numbers depend on, empty for what is missing.

    Ray sends it as a whole, since it is a local one: bntui may be missing where it is called.
    """

    def versions() -> dict[str, str]:
        from importlib import metadata

        found = {}
        for name in ("bntui", "torch", "numpy"):
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = ""
        return found

    return versions


def name(node: Node) -> str:
    """Return what messages call a node."""
    return f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']}) of the Ray cluster"


def check_versions(node: Node, there: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raise ConfigError where a node lacks a library, or has another version. A build for CUDA is none."""
    for library, version in here.items():
        found = there[library]
        if not found:
            raise ConfigError(f"{name(node)} has no {library}: install {library} {version} there.")
        if found.partition("+")[0] != version.partition("+")[0]:
            raise ConfigError(
                f"{name(node)} has {library} {found}, and this machine {version}: install the same version "
                "in both places."
            )


def late(node: Node, seconds: float) -> str:
    """Say that a node does not answer."""
    return f"{name(node)} has not started a process within {seconds:.0f} s: {_STATUS}"


def unable(node: Node, error: Exception) -> str:
    """Say that nothing runs on a node."""
    return f"{name(node)} can't run anything ({first_sentence(error)}): {_STATUS}"


def no_actor(address: str, error: Exception) -> str:
    """Say that an actor does not start, as where one side wants a token and the other does not."""
    token = ""
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "token":
        token = " set RAY_AUTH_MODE=disabled if it was started without a token, or"
    return (
        f"the Ray cluster at --address {address} can't start an actor ({first_sentence(error)}):{token} "
        f"{_STATUS}"
    )


def check_sizes(nodes: Sequence[Node], cluster: Cluster) -> None:
    """Raise ConfigError where no node is large enough for a cell."""
    if any(fitting(node["Resources"], cluster) for node in nodes):
        return
    most = max((node["Resources"].get("CPU", 0.0) for node in nodes), default=0.0)
    if most < cluster.threads:
        raise ConfigError(
            f"no node of the Ray cluster has {cluster.threads} CPUs for a run, the largest has {most:g}: give "
            f"--threads {max(1, int(most))}, or start a larger node."
        )
    raise ConfigError(
        f"no node of the Ray cluster has {cluster.gpus_per_run:g} of a GPU for a run: leave --gpus-per-run "
        "out, or start a node that has."
    )


def fitting(resources: Mapping[str, float], cluster: Cluster) -> int:
    """Return how many cells a node with such resources can run at once."""
    by_cpus = int(resources.get("CPU", 0.0) // cluster.threads)
    share = cluster.gpus_per_run
    if not share:
        return by_cpus
    gpus = resources.get("GPU", 0.0)
    return min(by_cpus, int(gpus) * int(1.0 / share + 1e-6))


def at_once(
    nodes: Sequence[Node], available: Mapping[str, float], running: int, cluster: Cluster
) -> int:
    """Return how many cells can run, of which so many run already.

    `available` is what nobody uses at the moment, others who share the cluster among them.
    """
    capacity = sum(fitting(node["Resources"], cluster) for node in nodes)
    return min(capacity, running + fitting(available, cluster))


def words(nodes: Sequence[Node]) -> str:
    """Return what the cluster has."""
    cpus, gpus = (
        sum(node["Resources"].get(kind, 0.0) for node in nodes) for kind in ("CPU", "GPU")
    )
    machines = _counted(cpus, "CPU") + (f" and {_counted(gpus, 'GPU')}" if gpus else "")
    return f"Ray: {machines} on {_counted(len(nodes), 'node')}"


def refusal(address: str, error: Exception, ray_version: str) -> str:
    """Say why Ray does not connect, and the way out."""
    said, at = str(error), f"the Ray cluster at --address {address}"
    if "ersion mismatch" in said:
        return f"{at} has other versions than this machine ({_versions(said, ray_version)}): install the same ones."
    if "uthentication" in f"{type(error).__name__} {said}":
        return f"{at} wants its token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH to the file that has it."
    if "grpcio" in said or "ray[client]" in said:
        return "a ray:// address needs Ray's client: pip install 'bntui[ray]'."
    if isinstance(error, ConnectionError):
        return unreachable(address)
    return f"{at} can't be used ({type(error).__name__}: {first_sentence(said)}): {_STATUS}"


def unreachable(address: str, seconds: float = 0.0) -> str:
    """Say that nothing answers, or has not within so many seconds, and the ways out."""
    said = f"has answered within {seconds:.0f} s" if seconds else "answers"
    if address == "auto":
        ways = ["start one with `ray start --head`", "give its ray://host:10001"]
    elif address.startswith("ray://"):
        ways = ["start it", "open its client port to this machine"]
    else:
        ways = ["start it", "give ray://host:10001 if this machine is none of its nodes"]
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        ways.append("set RAY_AUTH_MODE=token if it wants one")
    return f"no Ray cluster {said} at --address {address}: {', '.join(ways[:-1])}, or {ways[-1]}."


def _versions(said: str, ray_version: str) -> str:
    """Return both sides' versions, from what Ray says of a mismatch."""
    here = f"Ray {ray_version} and Python {platform.python_version()} here"
    there = " ".join(said.split()).partition("started with: ")[2].partition(" This process")[0]
    return f"{there or first_sentence(said)} there, {here}"


def _counted(number: float, what: str) -> str:
    return f"{number:,g} {what}{'' if number == 1 else 's'}"
