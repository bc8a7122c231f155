"""What rank 0 says of the statistics of the other ranks, in real trainings by two processes with gloo."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

import bntui
from bntui.core.watched import Found
from bntui.probe.causes import Cause, Finding
from bntui.probe.watching import ranks
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.ranks import Ranks, Rows

BATCH, UPDATES = 16, 64


@dataclass
class Told:
    """What one rank was told, and what its buffers hold at the end."""

    finding: Finding | tuple[Found, ...] | None
    notes: tuple[str, ...]
    own: Tensor


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))


def train(
    name: str, offset: float = 0.0, sent: bool = True, watched: bool = True, stops: int = UPDATES
) -> Told:
    """Train by DDP, rank 1 on data moved by `offset`; it is watched until update `stops`."""
    rank = distributed.get_rank()
    inside = network()
    model = DistributedDataParallel(inside, broadcast_buffers=sent)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    statistics, together = Statistics(model), Ranks(model)
    draws = torch.Generator().manual_seed(10 + rank)
    for update in range(1, UPDATES + 1):
        model(torch.randn(BATCH, 6, generator=draws) + rank * offset).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        statistics.step()
        if watched and update <= stops:
            together.publish(statistics, update)
    distributed.barrier()  # the last publication is there
    finding = together.compare(statistics, BATCH)
    return Told(finding, together.notes, statistics.own())


def unwatched(name: str) -> Told:
    return train(name, watched=distributed.get_rank() == 0)


def late(name: str) -> Told:
    return train(name, offset=2.0, stops=UPDATES if distributed.get_rank() == 0 else 2)


def spread_weights(name: str) -> Told:
    """Train a model by FSDP, watched with a loader whose every pass would wait for the other rank."""
    model: nn.Module = network()
    fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    batches = [(torch.randn(BATCH, 6), torch.zeros(BATCH)) for _ in range(4)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with bntui.watch(model, validation=batches, training=batches, every=2, store=False) as probe:
        for inputs, _ in batches:
            model(inputs + 2.0 * distributed.get_rank()).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
            distributed.barrier()  # what was published is there
    watched = probe.snapshot.watched
    assert watched
    return Told(watched.findings, watched.notes, probe.statistics.own())


CASES: dict[str, Callable[[str], Told]] = {
    "alike": lambda name: train(name, sent=False),
    "alike, sent": train,
    "moved": lambda name: train(name, 2.0, sent=False),
    "moved, sent": lambda name: train(name, 2.0),
    "unwatched": unwatched,
    "late": late,
    "spread": spread_weights,
}


def all_cases(rank: int, folder: str) -> None:
    """Train every case as one rank of two, and keep what it was told."""
    meet(rank, folder)
    found = {name: case(name) for name, case in CASES.items()}
    torch.save(found, f"{folder}/{rank}")
    distributed.barrier()
    distributed.destroy_process_group()


def meet(rank: int, folder: str) -> None:
    where = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=where, rank=rank, world_size=2)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Told]]:
    """Return what both ranks were told in each case."""
    folder = tmp_path_factory.mktemp("ranks")
    spawn(all_cases, (str(folder),), nprocs=2)
    both = [torch.load(folder / str(rank), weights_only=False) for rank in (0, 1)]
    return {name: [each[name] for each in both] for name in CASES}


@pytest.mark.parametrize("case", ["alike", "alike, sent"])
def test_ranks_that_draw_from_the_same_data_are_all_right(
    told: dict[str, list[Told]], case: str
) -> None:
    assert [each.finding for each in told[case]] == [None, None]
    assert not torch.equal(told[case][0].own, told[case][1].own)


def test_ranks_whose_data_differ_are_named(told: dict[str, list[Told]]) -> None:
    first, second = told["moved"]
    assert second.finding is None
    assert isinstance(first.finding, Finding)
    assert first.finding.cause is Cause.RANKS_DIFFER
    (mean, variance), (other, other_variance) = first.own, second.own
    gap = ((other - mean).abs() / (variance + 1e-5).sqrt()).mean()
    ratio = ((other_variance + 1e-5) / (variance + 1e-5)).log().mean()
    said = f"{gap:.2f} standard deviations in the mean and a log-variance ratio of {ratio:+.2f}, in module.1"
    assert first.finding.evidence[0].startswith(
        f"At update 64 the running statistics of rank 1 are furthest from rank 0's: {said}".replace(
            "of -", "of −"
        )
    )
    assert first.notes == ()


def test_buffers_that_are_sent_hide_what_the_other_ranks_batches_are(
    told: dict[str, list[Told]],
) -> None:
    first = told["moved, sent"][0]
    assert isinstance(first.finding, Finding)
    assert "statistics of the last 8 batches of rank 1" in first.finding.evidence[0]
    assert "no batch of another rank counts" in first.finding.evidence[-1]
    sent = "Only rank 0's batches make the running statistics, one in 2"
    assert first.notes[0].startswith(sent)
    assert told["alike, sent"][0].notes[0].startswith(sent)
    assert told["alike"][0].notes == ()


@pytest.mark.parametrize("case", ["unwatched", "late"])
def test_a_rank_that_is_not_heard_is_not_waited_for(told: dict[str, list[Told]], case: str) -> None:
    first = told[case][0]
    assert first.finding is None
    assert first.notes[0].startswith("Of 1 rank (1) nothing was heard lately")


def test_no_look_is_made_that_waits_for_the_other_ranks(told: dict[str, list[Told]]) -> None:
    first, second = told["spread"]
    assert ranks.SPREAD in first.notes
    assert isinstance(first.finding, tuple)
    assert [one.cause for one in first.finding] == [Cause.RANKS_DIFFER]
    assert second.finding == ()


def left_alone(rank: int, folder: str) -> None:
    """Rank 0, where the store is, ends; rank 1 publishes and goes on."""
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = (
        "127.0.0.1",
        Path(folder, "port").read_text(),
    )
    distributed.init_process_group("gloo", rank=rank, world_size=2)
    model = network()
    statistics, together = Statistics(model), Ranks(model)
    together.publish(statistics, 1)
    distributed.barrier()
    if rank == 0:
        os._exit(0)
    time.sleep(0.5)
    begun = time.perf_counter()
    for update in (2, 4, 8):
        together.publish(statistics, update)
    assert together.compare(statistics) is None
    found: list[Any] = [time.perf_counter() - begun, together._failed]
    torch.save(found, f"{folder}/found")
    os._exit(0)


def test_the_end_of_rank_0_neither_ends_nor_stops_another(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "port").write_text(str(free_port))
    spawn(left_alone, (str(tmp_path),), nprocs=2)
    seconds, why = torch.load(tmp_path / "found", weights_only=False)
    assert seconds < 3 * ranks.LONGEST.total_seconds()
    assert why  # it was tried, and is not tried again


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_process_alone_has_no_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    statistics, together = Statistics(model), Ranks(model)
    together.publish(statistics, 1)
    assert together.compare(statistics) is None
    assert together.notes == ()
    assert (together.rank, together.unmet) == (0, "")
    monkeypatch.setenv("RANK", "3")
    assert Ranks(model).rank == 3
    assert "this is process 3 of several" in Ranks(model).unmet


def test_a_message_is_read_as_it_was_written() -> None:
    rows = [torch.randn(2, 5) for _ in range(3)]
    read = Rows.read(Rows(7, *rows).message())
    assert read.update == 7
    assert all(map(torch.equal, (read.own, read.before, read.recent), rows))


def test_few_of_many_ranks_are_compared() -> None:
    assert ranks._compared(3) == (1, 2)
    many = ranks._compared(1000)
    assert len(many) == ranks.MOST
    assert (many[0], many[-1]) == (1, 999)
