"""Python code in a process of its own, whose limits and environment can be changed, and what it kept."""

import os
import subprocess
import sys
from collections.abc import Sequence

from bntui.store.database import Store
from bntui.store.rows import StoredRun
from bntui.store.writing import ALIVE


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a child that imports what this process would."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | changes


def python(
    code: str, *arguments: str, encoding: str | None = None, **changes: str
) -> "subprocess.CompletedProcess[str]":
    """Run code to its end, its environment changed; what it writes is in an `encoding`."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=200, env=environment(**changes), encoding=encoding,
    )  # fmt: skip


def started(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start code that is talked to by its standard input and output."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip


def go_on(processes: Sequence["subprocess.Popen[str]"]) -> None:
    """Have processes that say "ready" and wait for a line go on at once, when all of them are."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def only_run() -> StoredRun:
    """Return the one run of the test's store, whose last checkpoint is the one it tells of."""
    with Store() as store:
        (run,) = store.runs()
        if run.state not in ALIVE:  # it may have kept one since
            assert (run.checkpoint is not None) == (store.last_checkpoint(run.id) is not None)
        return run
