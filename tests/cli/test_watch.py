"""`bntui watch` as it is typed: its options, what it refuses, and what it tells at a script's end."""

import os
import pty
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bntui.cli.main import cli
from bntui.store.database import Store
from bntui.store.stored_snapshot import repeating
from tests.probe.watching.processes import WATCH, alike, environment, run

TRAINING = """
import os, sys
import torch
from torch import nn

class Net(nn.Sequential):
    pass

torch.manual_seed(0)
model = Net(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(int(sys.argv[1]) if sys.argv[1:] else 5):
    loss = model(torch.randn(16, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a script."""
    (tmp_path / "train.py").write_text(TRAINING)
    return tmp_path


def asked(*words: str) -> Result:
    return CliRunner().invoke(cli, ["watch", *words], prog_name="bntui")


# What is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a script to watch"),
        (("--every", "0", "a.py"), "every '0' is not possible"),
        (("--every", "1.5", "a.py"), "every '1.5' is not possible"),
        (("--every", "9" * 40, "a.py"), "is not possible"),
        (("--share", "2", "a.py"), "share '2' is not possible"),
        (("--share", "nan", "a.py"), "share 'nan' is not possible"),
        (("--no-store", "--store", "a.sqlite", "a.py"), "--no-store keeps nothing"),
        (("there-is-none.py",), "there-is-none.py can't be read (No such file or directory)"),
        (("-m", "there_is.none"), "there is no module 'there_is'"),
        (("-m", ""), "there is no module ''"),
        (("-m", ".relative"), "there is no module '.relative'"),
        (("a\0b",), "can't be read"),
        (("x" * 5000,), "can't be read"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(words: tuple[str, ...], said: str) -> None:
    result = asked(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert said in line
    assert line.endswith(".")


@pytest.mark.parametrize("words", [(), ("--every", "x", "train.py"), ("none.py",), ("-m", "none")])
def test_a_mistake_ends_the_program_with_2(folder: Path, words: tuple[str, ...]) -> None:
    done = run(folder, *WATCH, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_in_front_of_the_script_is_ours_and_behind_it_the_scripts(
    folder: Path, option: str
) -> None:
    (folder / "own.py").write_text("import argparse; argparse.ArgumentParser().parse_args()")
    done = run(folder, *WATCH, option, "own.py")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: bntui watch [OPTIONS] SCRIPT [ARGS]…")
    assert alike(folder, "own.py", option).stdout.startswith("usage: own.py [-h]")


def test_options_behind_the_script_are_the_scripts(folder: Path) -> None:
    (folder / "own.py").write_text("import sys; print(sys.argv)")
    words = ("--every", "3", "--", "-m", "--store", "x", "--version", "")
    assert alike(folder, "own.py", *words, options=["--every", "2"]).stdout.count("--every") == 1
    alike(folder, "own.py", *words, options=["--"])


# What is told and kept


def test_what_was_found_is_told_on_standard_error_behind_everything(folder: Path) -> None:
    done = alike(folder, "train.py")
    assert len(done.stdout.splitlines()) == 5
    both = "exec 2>&1; " + " ".join(WATCH) + " train.py"
    lines = run(folder, "bash", "-c", both).stdout.splitlines()
    assert lines[:5] == done.stdout.splitlines()
    assert lines[5] == ""
    assert lines[6].startswith("bntui watched 5 updates of Net")


def test_a_run_is_kept_with_its_script_where_the_user_says(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.sqlite"
    change = "import os; os.chdir('/')\n"
    (folder / "train.py").write_text(change + TRAINING)
    done = run(
        folder, *WATCH, "--store", "own.sqlite", "--name", "mine", "--every", "2", "train.py", "6"
    )
    assert done.returncode == 0
    with Store(file) as store:
        (kept,) = store.runs()
    assert kept.updates == 6
    assert not Path(environment()["BNTUI_STORE"]).exists()


def test_nothing_is_kept_if_the_user_says_so(folder: Path) -> None:
    assert run(folder, *WATCH, "--no-store", "train.py").returncode == 0
    assert not Path(environment()["BNTUI_STORE"]).exists()


def test_an_exception_and_ctrl_c_are_followed_by_what_was_found(folder: Path) -> None:
    for end in ("raise ValueError('diverged')", "raise KeyboardInterrupt"):
        (folder / "train.py").write_text(f"{TRAINING}\n{end}\n")
        done = run(folder, *WATCH, "train.py")
        error, _, told = done.stderr.partition("\n\n")
        assert error.startswith("Traceback (most recent call last):\n  File ")
        assert told.startswith("bntui watched 5 updates of Net")
    with Store() as store:
        assert {one.state for one in store.runs()} == {"stopped", "failed"}


@pytest.mark.parametrize("words", [
    ("lib/train.py", "3", "--lr", "1 e"), ("-m", "lib.train", "3"), ("-m", "lib"), ("lib",),
])  # fmt: skip
@pytest.mark.parametrize("start", [WATCH, (sys.executable,)], ids=["watch", "python"])
def test_the_line_that_watches_it_anew_runs_from_the_same_folder(
    folder: Path, start: tuple[str, ...], words: tuple[str, ...]
) -> None:
    begin = "import bntui" if start == WATCH else "import bntui; bntui.watch(model)"
    (folder / "lib").mkdir()
    for name in ("train.py", "__main__.py"):
        (folder / "lib" / name).write_text(TRAINING.replace("for ", f"{begin}\nfor ", 1))
    done = run(folder, *start, *words)
    assert done.returncode == 0, done.stderr
    with Store() as store:
        (kept,) = store.runs()
        assert kept.watched
        assert repeating(store, kept) == f"bntui watch {shlex.join(words)}"


def test_a_script_without_torch_is_told_of(folder: Path) -> None:
    (folder / "plain.py").write_text("import sys; print('torch' in sys.modules)")
    done = run(folder, *WATCH, "plain.py")
    assert done.stdout == "False\n"
    assert done.stderr == "\nbntui: no BN layer was built, since the script did not import torch.\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import torch", "no optimiser of torch was made in this process"),
        (
            "import torch.nn as nn, torch.optim as o; o.SGD(nn.Linear(1, 1).parameters())",
            "no model with BN",
        ),
        (
            "import sys, torch; sys.modules['fastai'] = torch",
            "fastai's own optimisers are not seen",
        ),
    ],
)
def test_why_nothing_was_watched_is_told(folder: Path, script: str, said: str) -> None:
    (folder / "plain.py").write_text(script)
    done = run(folder, *WATCH, "plain.py")
    assert done.returncode == 0
    assert done.stderr.startswith(f"\nbntui: {said}")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("rank", ["0", "1"])
def test_of_several_ranks_the_first_alone_tells_and_keeps(folder: Path, rank: str) -> None:
    done = (
        alike(folder, "train.py", RANK=rank)
        if rank == "0"
        else run(folder, *WATCH, "train.py", RANK=rank)
    )
    assert done.returncode == 0
    assert rank == "0" or done.stderr == ""
    assert Path(environment()["BNTUI_STORE"]).exists() == (rank == "0")


def test_torchrun_starts_it_for_every_rank(folder: Path) -> None:
    file, script = folder / "end", Path(__file__).parents[1] / "probe/watching/scripts/ddp.py"
    start = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = run(folder, *start, "-m", "bntui", "watch", str(script), str(file))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("bntui watched 20 updates of Sequential") == 1
    with Store() as store:
        (kept,) = store.runs()
    assert (kept.updates, kept.state) == (20, "finished")


FORKED = """
child = os.fork()
if not child:
    for _ in range(3):
        model(torch.randn(16, 4)).sum().backward()
        optimizer.step()
    other = Net(nn.BatchNorm1d(4))
    own = torch.optim.SGD(other.parameters(), 0.1)
    other(torch.randn(16, 4)).sum().backward()
    own.step()
    print("child", flush=True)
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_trains_on_unwatched_and_ends_as_it_would(folder: Path) -> None:
    (folder / "train.py").write_text(TRAINING + FORKED)
    done = alike(folder, "train.py")
    assert done.stdout.splitlines()[-1] == "3"
    with Store() as store:
        (kept,) = store.runs()
    assert (kept.updates, kept.state) == (5, "finished")


def test_it_is_wrapped_to_the_terminal_and_no_line_of_a_bar_is_lost(folder: Path) -> None:
    bar = "sys.stderr.write('\\r 100 %'); sys.stderr.flush()"
    (folder / "train.py").write_text(f"{TRAINING}\n{bar}")
    size = "import fcntl, struct, termios; fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('4H', 24, 40, 0, 0)); "
    code = f"{size}import sys; sys.argv[1:] = ['watch', 'train.py']; from bntui.__main__ import main; main()"
    said = b""

    def read(terminal: int) -> bytes:
        nonlocal said
        found = os.read(terminal, 4096)
        said += found
        return found

    here = Path.cwd()
    os.chdir(folder)
    try:
        pty.spawn([sys.executable, "-c", code], read)
    finally:
        os.chdir(here)
    lines = said.decode().splitlines()
    (bar_at,) = (at for at, line in enumerate(lines) if "100 %" in line)
    assert lines[bar_at + 1].startswith("bntui watched 5 updates")
    assert all(len(line) <= 40 for line in lines[bar_at + 1 :])


def test_a_stream_that_writes_ascii_gets_ascii(folder: Path) -> None:
    done = run(folder, *WATCH, "train.py", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0
    assert done.stderr.isascii()
    assert not re.search(r"\\[xu]", done.stderr)


def test_streams_that_are_closed_change_no_status(folder: Path) -> None:
    command = f"{' '.join(WATCH)} train.py >/dev/null 2>&-; echo $?"
    assert run(folder, "bash", "-c", command).stdout == "0\n"
    piped = f"({' '.join(WATCH)} train.py 3>&1 1>/dev/null 2>&3; echo $? >&2) | true"
    assert run(folder, "bash", "-c", piped).stderr == "0\n"
