"""Scripts of users: run by `python`, and by `bntui watch`, which must not make a difference."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

WATCH = (sys.executable, "-m", "bntui", "watch")
PYTHON = (sys.executable,)

Done = subprocess.CompletedProcess[str]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a child that finds bntui, wherever it runs, and uses one thread."""
    root = str(Path(__file__).parents[3])
    return os.environ | {"PYTHONPATH": root} | changes


def run(folder: Path, *words: str, text_in: str = "", **changes: str) -> Done:
    """Run a command line in a folder to its end."""
    return subprocess.run(
        words, cwd=folder, input=text_in, capture_output=True, text=True, timeout=200,
        env=environment(**changes), errors="surrogateescape",
    )  # fmt: skip


def both(folder: Path, *words: str, options: Sequence[str] = (), **how: str) -> tuple[Done, Done]:
    """Run `python WORDS` and `bntui watch WORDS` in a folder: what each printed, and how it ended."""
    return run(folder, *PYTHON, *words, **how), run(folder, *WATCH, *options, *words, **how)


def own_errors(done: Done) -> str:
    """Return what a watched script itself wrote to standard error."""
    said, found, _ = done.stderr.partition("\nbntui")
    assert found, done.stderr
    return said


def alike(folder: Path, *words: str, options: Sequence[str] = (), **how: str) -> Done:
    """Return what `python WORDS` did, of which `bntui watch WORDS` must not differ but at its very end."""
    plain, watched = both(folder, *words, options=options, **how)
    assert watched.stdout == plain.stdout
    assert watched.returncode == plain.returncode, watched.stderr
    assert own_errors(watched) == plain.stderr
    return plain
