"""Memory that runs out: foreseen, refused with what would fit, and survived where it was not."""

import subprocess
from pathlib import Path

import pytest

from bntui.core.config import NORMS, Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.machine import allocator, memory
from bntui.train.model import build, parameter_count
from bntui.train.session import Session
from tests.children import python
from tests.machine.containers import contained
from tools.faults import Fault

LIMITED = """
import resource, sys
import psutil, torch
import bntui.train.session

def limit(megabytes):
    "Let this process take so much more address space, as it stands."
    most = psutil.Process().memory_info().vms + megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
"""
SESSION = """
from dataclasses import replace
from bntui.machine import memory
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.train.session import Session
from bntui.core.snapshot import Phase

def session():
    config = RunConfig(width=0.25, device="cpu", threads=1, knobs=Knobs(batch_size=64))
    return Session(RunRequest(config, Observation(live=False, epoch_ends=False)))

def weights(one):
    return torch.cat([weight.detach().flatten() for weight in one.trainer.model.parameters()])
"""


def limited(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `code` in a process of its own, where it may call `limit`."""
    return python(LIMITED + code, *arguments)


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run `bntui run` where 0.8 GB are left."""
    code = 'limit(800)\nfrom bntui.__main__ import main\nsys.argv[0] = "bntui"\nmain()'
    common = ("--width", "0.5", "--device", "cpu", "--threads", "1", "--steps", "1")
    return limited(code, "run", *common, *options)


@pytest.mark.fault(
    "batch too large for memory", injected="an address space with 0.8 GB left (RLIMIT_AS)"
)
def test_a_batch_that_cannot_fit_is_refused_with_the_largest_that_does(fault: Fault) -> None:
    refused = run("--batch-size", "4000")
    assert refused.returncode == 2, refused.stderr
    assert refused.stdout == ""
    said = refused.stderr.strip().splitlines()[-1]
    assert "Traceback" not in refused.stderr
    most = int(said.partition("at most ")[2].split()[0])
    assert 500 < most < 4000
    # A second process is not laid out as the first: of 0.8 GB, a few MB more or less are free.
    fits = run("--batch-size", f"{0.95 * most:.0f}")
    assert fits.returncode == 0, fits.stderr
    fault.saw = "“batch size 4000 needs … GB of memory on cpu, and at most … would fit”, exit 2"
    fault.lost = "nothing"


def test_a_knob_is_not_turned_to_a_batch_that_cannot_fit() -> None:
    done = limited(
        SESSION
        + """
one = session()
one.train_once(None)
limit(400)
one.train_once(replace(one.knobs, batch_size=4000, momentum=0.5))
one.train_once(None)
print(one.trainer.update, one.knobs.batch_size, one.knobs.momentum, one.trainer.images)
print(one.snapshot(Phase.RUNNING).message)
"""
    )
    assert done.returncode == 0, done.stderr
    figures, message = done.stdout.splitlines()
    assert figures == "3 64 0.5 192"
    assert message.startswith("batch size 4000 needs 1.")
    assert "at most" in message
    assert message.endswith(": the run goes on with 64.")


@pytest.mark.fault(
    "memory runs out in an update",
    injected="an address space with 400 MB left (RLIMIT_AS), the forecast made a thousandth",
)
def test_a_run_survives_a_batch_that_was_thought_to_fit(fault: Fault) -> None:
    done = limited(
        SESSION
        + """
memory.PEAK /= 1000
one, other = session(), session()
one.train_once(None), other.train_once(None)
limit(400)
one.train_once(replace(one.knobs, batch_size=4000))
other.train_once(None)
for _ in range(3):
    one.train_once(None), other.train_once(None)
print(one.trainer.update, one.knobs.batch_size, torch.equal(weights(one), weights(other)))
print(one.snapshot(Phase.RUNNING).message)
print([mark.label for mark in one.snapshot(Phase.RUNNING).marks])
"""
    )
    assert done.returncode == 0, done.stderr
    figures, message, marks = done.stdout.splitlines()
    assert figures == "5 64 True"
    assert marks == "['batch 64→4000', 'batch 4000→64']"
    assert message == (
        "memory ran out on cpu at batch size 4000: the run keeps its weights and goes on with 64."
    )
    fault.saw = f"“{message}”"
    fault.lost = "nothing"


def test_a_first_batch_that_does_not_fit_after_all_ends_in_one_sentence() -> None:
    done = limited(
        SESSION
        + """
memory.PEAK /= 1000
from bntui.core.text import ConfigError
one = session()
limit(300)
try:
    one.train_once(replace(one.knobs, batch_size=4000))
except ConfigError as error:
    print(error)
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "batch size 4000 needs more memory than cpu has: give --batch-size 2000.\n"
    )


@pytest.mark.parametrize(
    ("line", "folder", "limit", "usage", "droppable"),
    [
        ("0::/a/b", "", "memory.max", "memory.current", "inactive_file"),
        (
            "7:cpu,memory:/a/b",
            "memory/",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "inactive_file 7\ntotal_inactive_file",
        ),
    ],
    ids=["v2", "v1"],
)
def test_a_containers_limit_counts_as_do_those_above_it(
    tmp_path: Path, line: str, folder: str, limit: str, usage: str, droppable: str
) -> None:
    files: dict[str, str] = {}
    for group, most, used in (("a/b", "9000000", 1000), ("a", "5000000", 2_000_000)):
        files |= {
            f"{folder}{group}/{limit}": most,
            f"{folder}{group}/{usage}": f"{used}",
            f"{folder}{group}/memory.stat": f"anon 5\n{droppable} 300000",
        }
    contained(tmp_path, f"3:pids:/other\n{line}", files)
    assert memory.free_on_host(tmp_path) == 5_000_000 - 2_000_000 + 300_000
    contained(tmp_path, line, {f"{folder}a/{limit}": "9223372036854771712"})
    assert memory.free_on_host(tmp_path) == 9_000_000 - 1000 + 300_000


@pytest.mark.parametrize(("times", "keeps"), [(1.5, False), (2.5, True)], ids=["tight", "ample"])
def test_freed_memory_is_kept_only_where_there_is_room_for_it(
    monkeypatch: pytest.MonkeyPatch, times: float, keeps: bool
) -> None:
    config = RunConfig(
        width=0.0625, train_size=100, device="cpu", threads=1, knobs=Knobs(batch_size=10)
    )
    session = Session(RunRequest(config, Observation(live=False, epoch_ends=False)))
    facts = session.snapshot(Phase.RUNNING).facts
    assert facts
    free = times * memory.needed(10, facts.activation_bytes)
    monkeypatch.setattr(memory, "free_on_host", lambda: free)
    monkeypatch.setattr(memory, "resident", lambda: 0)
    kept: list[bool] = []
    monkeypatch.setattr(allocator, "keep_freed", lambda *, keep: kept.append(keep))
    session.train_once(None)
    assert kept == [keeps]


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    assert memory.ran_out(MemoryError())
    assert memory.ran_out(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert memory.ran_out(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not memory.ran_out(RuntimeError("illegal memory access was encountered"))
    assert not memory.ran_out(ValueError("out of memory"))


@pytest.mark.parametrize("norm", NORMS)
def test_weights_that_cannot_fit_are_refused_before_they_are_made(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = parameter_count(build(norm="none", width=1 / 32))
    monkeypatch.setattr(memory, "free_on", lambda _: 16.0 * count - 1)
    config = RunConfig(train_size=64, norm=norm, width=1 / 32)
    with pytest.raises(ConfigError, match=f"has {count:,} weights, .* give a smaller --width"):
        Session(RunRequest(config, Observation()))
