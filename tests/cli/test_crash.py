"""A bug of ours ends with the terminal as it was, one line, and a report with nothing personal in it."""

import getpass
import pwd
import socket
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from benchmarks.driver import Terminal
from bntui.cli.doctor import anonymous
from bntui.machine import places
from bntui.store.writing import State
from tests.children import environment, only_run, python
from tools.faults import Fault

EXPLORER = """
import sys
import bntui.ui.explorer.screen as explorer
from bntui.__main__ import main

def bug(self, name):
    raise KeyError("of ours")

explorer.Explorer.action_command = bug
sys.argv = ["bntui", "--width", "0.1"]
main()
"""
COMMAND = """
import sys
import bntui.cli.perform
from bntui.__main__ import main

def bug(*_):
    raise KeyError("of ours")

bntui.cli.perform.listing = bug
sys.argv = ["bntui", "experiments"]
main()
"""
TRAINING = """
import sys
from bntui.__main__ import main
from bntui.train.trainer import Trainer

step = Trainer.step

def bug(self, knobs):
    if self.update == 3:
        raise KeyError("of ours")
    return step(self, knobs)

Trainer.step = bug
sys.argv = ["bntui", *sys.argv[1:]]
main()
"""
OTHER_THREAD = """
import sys, threading
from bntui.cli.crash import bugs_in_one_line

def bug():
    raise KeyError("of ours")

with bugs_in_one_line():
    thread = threading.Thread(target=bug)
    thread.start()
    thread.join()
    print("went on")
"""
LINE = "Error: bntui has a bug (KeyError: 'of ours'): please report it with the file "


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home of somebody"
    home.mkdir()
    return home


def lives_in(home: Path) -> dict[str, str]:
    """Return what a user of this home has in the environment."""
    return {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "share"),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }


def only_report(home: Path) -> str:
    (report,) = (home / "share/bntui/crashes").iterdir()
    return report.read_text()


@pytest.mark.fault("bug of bntui on the screen", injected="an exception when a key is pressed")
def test_a_bug_on_the_screen_leaves_the_terminal_as_it_was(home: Path, fault: Fault) -> None:
    with Terminal(
        [sys.executable, "-c", EXPLORER], environment(**lives_in(home)), (120, 40)
    ) as terminal:
        before = termios.tcgetattr(terminal._master)
        terminal.until(lambda text: "▶ running" in text)
        terminal.press("n")
        assert terminal.wait() == 1
        after = termios.tcgetattr(terminal._master)
        end = terminal.last.rpartition(b"\x1b[?1049l")[2].decode()
    assert after == before
    assert "Traceback" not in end
    assert "\x1b[?25h" in end  # the cursor shows
    told = end.rpartition("\x1b[0m")[2].strip()
    assert told.startswith(LINE)
    assert "\n" not in told
    report = only_report(home)
    assert report.startswith("versions\n  bntui ")
    assert report.endswith("KeyError: 'of ours'\n")
    assert "in bug" in report
    kept = only_run()
    assert kept.state is State.STOPPED
    assert kept.checkpoint is not None
    fault.saw = "the shell, and one line with the path of a report"
    fault.lost = "nothing"


def test_a_bug_of_a_command_is_told_in_one_line(home: Path) -> None:
    done = python(COMMAND, **lives_in(home))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(LINE)
    assert done.stderr.count("\n") == 1
    assert Path(done.stderr.removeprefix(LINE).rstrip("\n")).read_text() == only_report(home)


@pytest.mark.fault("bug of bntui in training", injected="an exception in the fourth update")
def test_a_bug_in_training_keeps_the_run_and_makes_a_report(home: Path, fault: Fault) -> None:
    done = python(TRAINING, "run", "--width", "0.1", "--device", "cpu", **lives_in(home))
    assert done.returncode == 1
    assert done.stderr.startswith(LINE)
    assert done.stderr.count("\n") == 1
    assert only_report(home).endswith("KeyError: 'of ours'\n")
    kept = only_run()
    assert (kept.state, kept.updates) == (State.FAILED, 3)
    fault.saw = "one line with the path of a report, exit 1"
    fault.lost = "nothing"


def test_a_bug_on_the_runs_thread_is_reported_when_the_explorer_is_left(home: Path) -> None:
    command = [sys.executable, "-c", TRAINING, "--width", "0.1", "--device", "cpu"]
    with Terminal(command, environment(**lives_in(home)), (120, 40)) as terminal:
        terminal.until(lambda text: "of ours" in text)
        terminal.press("q")
        assert terminal.wait() == 1
        assert LINE.encode() in terminal.last.replace(b"\r\n", b"")
    assert only_report(home).endswith("KeyError: 'of ours'\n")


def test_a_bug_of_another_thread_does_not_spill_over_the_terminal(home: Path) -> None:
    done = python(OTHER_THREAD, **lives_in(home))
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert done.stderr.startswith(LINE)
    assert done.stderr.count("\n") == 1
    assert "in bug" in only_report(home)


def test_a_report_goes_to_the_temporary_directory_where_there_is_no_home(
    home: Path, tmp_path: Path
) -> None:
    nowhere = {"XDG_DATA_HOME": "/proc/missing", "TMPDIR": str(tmp_path)}
    done = python(COMMAND, **lives_in(home) | nowhere)
    (report,) = tmp_path.glob("bntui-crash-*.txt")
    assert done.stderr == f"{LINE}{report}\n"


def test_without_a_place_for_a_report_it_is_printed(home: Path) -> None:
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    done = python(full + COMMAND, **lives_in(home))
    assert done.returncode == 1
    report, _, line = done.stderr.rstrip("\n").rpartition("\n")
    assert line.startswith("Error: bntui has a bug (KeyError: 'of ours'): please report it with")
    assert report.startswith("versions\n  bntui ")
    assert "in bug" in report


@pytest.mark.fault("standard output full", injected="/dev/full as standard output")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_is_full_is_no_bug(home: Path, fault: Fault) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bntui", "experiments"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=200, env=environment(**lives_in(home)),
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Error: nothing more can be written: No space left on device.\n"
    assert not (home / "share/bntui/crashes").exists()
    fault.saw = f"“{done.stderr.strip()}”"
    fault.lost = "nothing"


class TestAnonymous:
    def test_home_user_and_host_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/jane")
        monkeypatch.setattr(getpass, "getuser", lambda: "jane")
        monkeypatch.setattr(socket, "gethostname", lambda: "lab7.example.org")
        text = "/home/jane/runs /home/janet /srv/jane/x jane@lab7 lab7.example.org janes"
        assert anonymous(text) == "~/runs /home/janet /srv/USER/x USER@HOST HOST janes"

    def test_a_name_is_left_out_in_any_case_and_as_a_part_of_a_path(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jane = pwd.struct_passwd(
            ("jane", "x", 1000, 1000, "Jane Doe,,,", "/export/jane", "/bin/sh")
        )
        monkeypatch.setattr(pwd, "getpwuid", lambda _: jane)
        monkeypatch.setattr(socket, "gethostname", lambda: "lab7")
        monkeypatch.setenv("HOME", "/home/jane")
        monkeypatch.setenv("LOGNAME", "jdoe")
        monkeypatch.setenv("USER", "visitor")
        text = (
            "/srv/JANE/x /data/runs-jane.old/a_jane_b /export/jane/y Lab7 VISITOR /j/jdoe2 Jane Doe"
        )
        said = "/srv/USER/x /data/runs-USER.old/a_USER_b ~/y HOST USER /j/USER2 USER"
        assert anonymous(text) == said

    def test_a_name_that_says_nothing_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/root")
        for name in places.NAMES:
            monkeypatch.delenv(name, raising=False)
        root = pwd.struct_passwd(("root", "x", 0, 0, "root", "/root", "/bin/sh"))
        monkeypatch.setattr(pwd, "getpwuid", lambda _: root)
        monkeypatch.setattr(getpass, "getuser", lambda: "root")
        monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
        assert anonymous("square root of /root/x on localhost") == "square root of ~/x on localhost"
