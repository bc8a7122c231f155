"""Where nothing can be looked up or made, no command ends with a traceback; what is made is private."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.driver import Terminal
from bntui.machine import places
from tests.children import environment, python
from tools.faults import Fault

NAMELESS = """
import os, pwd, resource, sys
for name in ("HOME", "XDG_DATA_HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "BNTUI_STORE", "BNTUI_DATA"):
    os.environ.pop(name, None)

def unknown(_):
    raise KeyError("getpwuid(): uid not found: 54321")

pwd.getpwuid = unknown
"""
NO_FILES = "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
COMMAND = "from bntui.__main__ import main\nsys.argv = ['bntui', *sys.argv[1:]]\nmain()\n"
BUG = """
import bntui.cli.perform
def bug(*_):
    raise KeyError("of ours")
bntui.cli.perform.listing = bug
"""
TINY = ("--width", "0.05", "--train-size", "64", "--batch-size", "32", "--epochs", "1")
UNKEPT = "no run is kept, since this user has no home directory: name a file with BNTUI_STORE."


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("runs",), 2, UNKEPT),
        (("show", "last"), 2, UNKEPT),
        (("export", "last", "--format", "csv"), 2, UNKEPT),
        (("run", "--resume", "last"), 2, UNKEPT),
        (("doctor",), 0, ""),
        (("experiments",), 0, ""),
        (("run", *TINY, "--no-store"), 0, ""),
        (("run", *TINY), 0, "this run is not being kept: this user has no home directory; name a"),
        (
            ("run", "--dataset", "mnist", "--no-store"),
            2,
            "MNIST has no place, since this user has no home",
        ),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else None,
)
def test_nobody_can_run_every_command(
    words: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    done = python(NAMELESS + NO_FILES + COMMAND, *words, TMPDIR=str(tmp_path / "missing"))
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(
    "a user without a name and a home", injected="no HOME, no entry in the password file"
)
def test_a_bug_is_reported_for_nobody_too(tmp_path: Path, fault: Fault) -> None:
    done = python(NAMELESS + BUG + COMMAND, "experiments", TMPDIR=str(tmp_path))
    (report,) = tmp_path.glob("bntui-crash-*.txt")
    assert done.stderr == (
        f"Error: bntui has a bug (KeyError: 'of ours'): please report it with the file {report}\n"
    )
    done = python(NAMELESS + NO_FILES + BUG + COMMAND, "experiments", TMPDIR=str(tmp_path))
    assert done.stderr.startswith("versions\n  bntui ")
    assert "please report it with what stands above" in done.stderr.splitlines()[-1]
    done = python(NAMELESS + COMMAND, "run", *TINY)
    fault.saw = f"“{done.stderr.strip()}”; reports of bugs go to the temporary directory"
    fault.lost = "what the run would have left"


def test_nobody_can_use_the_explorer(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NAMELESS + COMMAND, "--width", "0.05", "--device", "cpu"]
    with Terminal(command, environment(TERM="xterm-256color"), (120, 40)) as terminal:
        terminal.until(lambda text: "not being kept" in text)
        terminal.press("S")
        terminal.until(lambda text: "nothing was saved: this user has no home" in text)
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be somebody else"
)
def test_a_real_user_without_a_name() -> None:
    # Who may read everything, for this program may lie where others can't look.
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    may = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    kept = {name: value for name, value in environment().items() if name in {"PATH", "PYTHONPATH"}}
    done = subprocess.run(
        [*user, *may, sys.executable, "-B", "-c", "import sys\n" + COMMAND, "run", *TINY],
        env=kept, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    if "setpriv:" in done.stderr:
        pytest.skip("not allowed here")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("this run is not being kept: this user has no home directory")


class TestNewFile:
    def test_it_has_its_name_only_when_it_is_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a"

        def fail() -> None:
            with places.new_file(path) as file:
                file.write(b"half")
                assert not path.exists()
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert list(tmp_path.iterdir()) == []
        with places.new_file(path) as file:
            file.write(b"whole")
        assert path.read_bytes() == b"whole"
        assert list(tmp_path.iterdir()) == [path]

    def test_it_replaces_only_what_it_may(self, tmp_path: Path) -> None:
        (path := tmp_path / "a").write_bytes(b"old")
        with pytest.raises(FileExistsError), places.new_file(path):
            pass
        (link := tmp_path / "link").symlink_to(path)
        with places.new_file(link, over=True) as file:
            file.write(b"new")
            assert path.read_bytes() == b"old"
        assert link.is_symlink()
        assert path.read_bytes() == b"new"

    def test_what_comes_to_be_meanwhile_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"

        def write_late() -> None:
            with places.new_file(path) as file:
                file.write(b"late")
                path.write_bytes(b"there")

        def unable(*_: object) -> None:
            raise OSError("a file system without links")

        for link in (os.link, unable):
            monkeypatch.setattr(os, "link", link)
            with pytest.raises(FileExistsError):
                write_late()
            assert path.read_bytes() == b"there"
            assert list(tmp_path.iterdir()) == [path]
            path.unlink()


def test_the_folder_one_is_in_may_be_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    leave = f"import os, sys\nos.chdir({str(gone)!r})\nos.rmdir({str(gone)!r})\n"
    for words in (
        ("run", "--dataset", "./images"),
        ("run", "--dataset", "mnist", "--data-dir", "here"),
        ("export", "last", "--format", "csv"),
        ("runs",),
    ):
        gone.mkdir()
        # Safe path, as for the console script: else Python 3.13.0 looks up the folder that is gone at
        # every missing attribute of a module, and ends in a SystemError.
        done = python(leave + COMMAND, *words, BNTUI_STORE="runs.sqlite", PYTHONSAFEPATH="1")
        assert done.returncode == 2
        assert done.stderr.startswith("Error: ")
        assert "bug" not in done.stderr


PRIVATE = """
import os, sys
os.umask(int(sys.argv.pop(1)))
from pathlib import Path
from bntui.__main__ import main
from bntui.store.database import Store
from bntui.ui.dialogs.saving import save

def bntui(*words):
    sys.argv = ["bntui", *words]
    try:
        main()
    except SystemExit as error:
        assert not error.code, words

save("a picture", "svg")
bntui("run", *sys.argv[1:], "--keep-weights", "--epochs", "2", "--steps", "3")
for kind in ("csv", "jsonl", "svg", "weights"):
    bntui("export", "last", "--format", kind, "--to", f"out.{kind}")
    bntui("export", "last", "--format", kind, "--to", f"out.{kind}", "--force")
with Store() as store:
    store.set_note(store.find("last").id, "in the log")
    for path in Path("share").rglob("*"):
        print(oct(path.stat().st_mode)[-3:], path)
for path in Path().rglob("*"):
    print(oct(path.stat().st_mode)[-3:], path)
"""


@pytest.mark.fault("a umask that lets everybody write", injected="umask 000, and 277")
@pytest.mark.parametrize("umask", [0, 0o277])
def test_what_commands_make_is_its_owner_s_alone(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BNTUI_STORE")
    before = {path.name for path in tmp_path.iterdir()}
    done = python(PRIVATE, str(umask), *TINY, XDG_DATA_HOME=str(tmp_path / "share"))
    assert done.returncode == 0, done.stderr
    made = [line.split(" ", 1) for line in done.stdout.splitlines() if line[:1] in "0123467"]
    names = {Path(path).name for _, path in made} - before
    assert names >= {"share", "bntui", "exports", "runs.sqlite", "runs.sqlite-wal", "out.weights"}
    for mode, path in made:
        assert mode == ("700" if Path(path).is_dir() else "600") or path.endswith("-shm"), path
    fault.saw = "files that only their owner can read"
    fault.lost = "nothing"


@pytest.mark.parametrize("umask", [0, 0o777])
def test_what_is_made_is_its_owner_s_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        places.make_folder(tmp_path / "a/b")
        places.make_file(tmp_path / "a/b/c")
        with places.new_file(tmp_path / "a/b/d") as file:
            file.write(b"d")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "c": 0o600, "d": 0o600}
