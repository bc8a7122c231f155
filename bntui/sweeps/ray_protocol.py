"""What `on_ray.RayCluster` and the process that speaks with Ray for it say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster to be used, and what a cell takes of it: the first thing that is sent."""

    address: str
    """As Ray has it: `auto`, host:port, or ray://host:port."""
    threads: int
    """CPUs of a cell."""
    gpus_per_run: float
    environment: Mapping[str, str]
    """Variables of the processes that run cells."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Run a cell."""

    run: str
    request: bytes
    """A pickled `RunRequest`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop all cells after their updates."""


@dataclass(frozen=True, slots=True)
class Try:
    """Try runs on one of the nodes, with what a cell takes, to tell how long they take."""

    pairs: bytes
    """Pickled, as `trial.try_runs` takes them."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The cluster has answered; its nodes are looked at next."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The cluster can't be used, or no more."""

    why: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Room:
    """How the cluster stands; comes about once a second, which also tells that Ray still answers."""

    runs: int
    """Cells that may be under way in all, those that wait for room in the cluster too."""
    at_once: int
    """Cells that may run in all; 0 while others use the whole cluster."""
    workers: str
    """In words."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial has found."""

    content: bytes
    """Pickled, as `trial.try_runs` returns it; or the ConfigError that it has raised."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that a cell's run has sent."""

    run: str
    content: bytes
    """A pickled `executor.Message`."""


@dataclass(frozen=True, slots=True)
class Died:
    """A cell's task has ended without a last message."""

    run: str
    why: str
    """How, as a sentence has it: "its node died"."""


Order = Begin | Stop | Try
Reply = Connected | Refused | Room | Tried | Letter | Died
