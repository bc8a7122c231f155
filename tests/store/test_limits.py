"""No room, no home, no threads, a clock that jumps: runs go on, and are kept as soon as they can be.

Every fault is injected into a process of its own.
"""

import os
from datetime import datetime
from pathlib import Path

import pytest

from bntui.cli.export import FORMATS
from bntui.core.snapshot import Phase
from bntui.store import writing
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.writing import State
from tests.children import python
from tests.store.recorded import Clock, checkpoint, journal, keep, state
from tools.faults import Fault

OPTIONS = ("--width", "0.1", "--device", "cpu", "--threads", "1", "--epochs", "2")
FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
"""
RUN = """
import sys
from bntui.__main__ import main
sys.argv = ["bntui", "run", *sys.argv[1:]]
main()
"""
RECORDING = """
import resource, sys
from pathlib import Path
from bntui.core.snapshot import Phase
from bntui.store.recorder import StoreRecorder
from tests.store.recorded import Clock, journal, state

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

clock = Clock()
recorder = StoreRecorder(Path(sys.argv[1]), clock=clock)
recorder.record(state(1), journal([1]))
assert not recorder.problem
"""


def epochs(output: str) -> int:
    return sum(line.startswith("Epoch ") for line in output.splitlines())


@pytest.mark.fault("disk full", injected="files of 0 bytes at most (RLIMIT_FSIZE)")
def test_a_run_without_room_is_trained_to_its_end_and_says_once_that_it_is_not_kept(
    fault: Fault,
) -> None:
    done = python(FULL.format(size=0) + RUN, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert epochs(done.stdout) == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith(
        "this run is not being kept, which is tried again every second: the store"
    )
    fault.saw = "“this run is not being kept, which is tried again every second: …”, once"
    fault.lost = "what the run would have left, had the disk stayed full to its end"


@pytest.mark.fault(
    "disk full for a while", injected="files of 64 kB at most (RLIMIT_FSIZE), then the limit lifted"
)
def test_what_was_seen_while_the_disk_was_full_is_kept_afterwards(
    tmp_path: Path, fault: Fault
) -> None:
    path = tmp_path / "runs.sqlite"
    done = python(
        RECORDING
        + """
room(64 * 1024)
for second in range(1, 6):
    clock.now = float(second)
    some = range(1000 * second, 1000 * (second + 1))
    recorder.record(state(some[-1]), journal(some))
print(recorder.problem)
room(resource.RLIM_INFINITY)
clock.now = 6.0
recorder.record(state(5999), ())
print(repr(recorder.problem))
recorder.close(state(5999, phase=Phase.STOPPED))
""",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    during, after = done.stdout.splitlines()
    assert during.startswith("this run is not being kept, which is tried again every second: ")
    assert after == "''"
    with Store(path) as store:
        (run,) = store.runs()
        kept = store.points(run.id)["train_loss"].updates.tolist()
    assert kept == [1, *range(1000, 6000)]
    fault.saw = "“this run is not being kept, which is tried again every second: …”, until it is"
    fault.lost = "nothing"


@pytest.mark.fault(
    "no room for the weights",
    injected="files of 300 kB at most (RLIMIT_FSIZE), then the limit lifted",
)
def test_weights_that_could_not_be_kept_are_spoken_of_until_they_are(
    tmp_path: Path, fault: Fault
) -> None:
    path = tmp_path / "runs.sqlite"
    done = python(
        RECORDING
        + """
room(300_000)
recorder.weights(1, b"w" * 1_000_000)
print(recorder.problem)
clock.now = 1.0
recorder.record(state(2), journal([2]))
print(recorder.problem)
room(resource.RLIM_INFINITY)
clock.now = 2.0
recorder.record(state(3), journal([3]))
print(repr(recorder.problem))
recorder.close(state(3, phase=Phase.STOPPED))
""",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    said = "the weights are not kept, which is tried again every second: "
    assert first.startswith(said)
    assert second.startswith(said)  # although the flush itself had room
    assert third == "''"
    with Store(path) as store:
        (run,) = store.runs()
        assert store.weights(run.id) == (1, b"w" * 1_000_000)
        assert store.points(run.id)["train_loss"].updates.tolist() == [1, 2, 3]
    fault.saw = "“the weights are not kept, which is tried again every second: …”, until they are"
    fault.lost = "nothing"


@pytest.mark.fault("home missing", injected="a home below /proc, where nothing can be made")
def test_a_run_without_a_home_is_trained_to_its_end(fault: Fault) -> None:
    missing = "/proc/nobody"
    done = python(
        RUN.replace("import sys", "import os, sys\ndel os.environ['BNTUI_STORE']", 1),
        *OPTIONS, HOME=missing, XDG_DATA_HOME="", XDG_CACHE_HOME="",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert epochs(done.stdout) == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith("this run is not being kept")
    assert "name another file with BNTUI_STORE" in said
    fault.saw = "“this run is not being kept …: name another file with BNTUI_STORE”, once"
    fault.lost = "what the run would have left"


@pytest.mark.fault(
    "no temporary directory", injected="TMPDIR missing, and files of 0 bytes at most (RLIMIT_FSIZE)"
)
def test_a_run_needs_no_temporary_directory(tmp_path: Path, fault: Fault) -> None:
    without = """
import tempfile
try:
    tempfile.gettempdir()
    sys.exit("there is one")
except FileNotFoundError:
    pass
"""
    done = python(
        FULL.format(size=0) + without + RUN, *OPTIONS, "--no-store", TMPDIR=str(tmp_path / "gone")
    )
    assert done.returncode == 0, done.stderr
    assert (epochs(done.stdout), done.stderr) == (2, "")
    fault.saw = "nothing: training needs none"
    fault.lost = "nothing"


@pytest.mark.fault("no more threads", injected="no new thread for an ordinary user (RLIMIT_NPROC)")
def test_a_run_whose_thread_cannot_start_says_so(fault: Fault) -> None:
    done = python(
        """
import encodings.idna, os, resource, traceback
from bntui.core.config import RunConfig
from bntui.core.run_request import RunRequest
from bntui.train.runner import Runner
if os.geteuid() == 0:  # whom the limit does not bind
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
runner = Runner(RunRequest(RunConfig()))
runner.start()
print(runner.snapshot.phase.value, runner.join(1.0))
print(runner.snapshot.message)
"""
    )
    assert done.returncode == 0, done.stderr
    phase, message = done.stdout.splitlines()
    assert phase == "failed True"
    assert (
        message == "no thread can be started to train on: end other programs, or raise `ulimit -u`."
    )
    fault.saw = f"“{message}”"
    fault.lost = "nothing: no run had begun"


@pytest.mark.fault("clock set back", injected="the wall clock jumps by years between two runs")
def test_the_last_run_is_the_last_one_begun_whatever_the_clock_said(
    tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.sqlite"
    years = {year: f"{year}-01-01T00:00:00.000+00:00" for year in (1970, 2026, 2099)}
    made = []
    for year in (2026, 2099, 1970):
        monkeypatch.setattr(writing, "now", lambda year=year: years[year])
        made.append(keep(path))
    with Store(path) as store:
        assert store.find("last").id == made[-1]
        assert len(store.runs()) == 3
    fault.saw = "`last` is the run begun last"
    fault.lost = "nothing"


def test_a_clock_that_jumps_during_a_run_neither_stops_nor_floods_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.sqlite"
    moments = iter([2099, 1970, 2050] * 100)
    monkeypatch.setattr(writing, "now", lambda: f"{next(moments)}-01-01T00:00:00.000+00:00")
    clock = Clock()
    recorder = StoreRecorder(path, clock=clock)
    for update in range(1, 6):
        clock.now += 1.0
        recorder.record(state(update), journal([update]))
        with Store(path) as store:
            run = store.run(recorder.run)
            assert (run.state, run.updates) == (State.RUNNING, update)
            assert isinstance(run.ended, datetime)
    recorder.close(state(5, phase=Phase.FINISHED))


@pytest.mark.fault("export to a full disk", injected="/dev/full as the file to write")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind in {"csv", "svg"}])
def test_an_export_without_room_ends_in_one_sentence(kind: str, fault: Fault) -> None:
    keep(Path(os.environ["BNTUI_STORE"]))
    code = RUN.replace('"run", ', "")
    done = python(code, "export", "last", "--format", kind, "--to", "/dev/full", "--force")
    assert done.returncode == 2
    assert done.stderr == "Error: /dev/full can't be written: No space left on device.\n"
    fault.saw = f"“{done.stderr.strip()}”, exit 2"
    fault.lost = "nothing"


def test_a_checkpoint_waits_for_room_as_well(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    done = python(
        RECORDING.replace("import Clock,", "import Clock, checkpoint,")
        + """
room(300_000)
clock.now = 1.0
kept = (checkpoint(2, b"c" * 1_000_000),)
recorder.record(state(2, checkpoints=kept), journal([2]))
print(bool(recorder.problem))
room(resource.RLIM_INFINITY)
clock.now = 2.0
recorder.record(state(3, checkpoints=kept), journal([3]))
print(bool(recorder.problem))
recorder.close(state(3, phase=Phase.STOPPED, checkpoints=kept))
""",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False"]
    with Store(path) as store:
        (run,) = store.runs()
        found = store.last_checkpoint(run.id)
    assert found is not None
    assert found.state == checkpoint(2, b"c" * 1_000_000).state
