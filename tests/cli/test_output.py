"""Standard output of every kind: poor encodings, files, and variables that lie about the terminal."""

import json
import os
from collections.abc import Mapping

import pytest

from bntui.core.snapshot import Mark
from bntui.core.text import literal
from bntui.machine import environment
from bntui.machine.places import store_path
from bntui.machine.times import is_zone
from bntui.store.database import Store
from tests.children import python
from tests.store.recorded import keep
from tests.ui.scripted import validation
from tools.faults import Fault

COMMANDS = """
import json, sys
from bntui.__main__ import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["bntui", *words]
    try:
        main()
    except SystemExit as end:
        assert end.code in {0, None, 2}, (words, end.code)
"""
WORDS = (
    *(["--help"], ["run", "--help"], ["experiments"], ["experiments", "2"], ["doctor"], ["runs"]),
    *(["show", "last"], ["run", "--momentum", "1…數"], ["…"], ["export", "no…", "--format", "csv"]),
)
RUN = """
import sys
from bntui.cli import output
from bntui.machine import environment
from bntui.cli.lines import Lines
from tests.store.recorded import report, state

environment.settle()
output.prepare()
lines = Lines()
lines.start(state(1), "a1")
lines.progress(state(8))
lines.epoch(report(1), state(16))
lines.end(state(16))
"""
NOTE = "é – 数字 σ … ★"


@pytest.fixture
def _kept() -> None:
    marks = (Mark(7, "momentum 0.97→0.9"),)
    run = keep(store_path(), marks=marks, validation=validation(update=20))
    with Store() as store:
        store.set_note(run, NOTE)


@pytest.mark.usefixtures("_kept")
@pytest.mark.fault(
    "an output that can't write all characters",
    injected="PYTHONIOENCODING=ascii, cp437, shift_jis, utf-16, for every command",
)
def test_every_command_writes_what_every_encoding_can(fault: Fault) -> None:
    for encoding in ("ascii", "cp437", "shift_jis", "utf-16"):
        done = python(COMMANDS, json.dumps(WORDS), PYTHONIOENCODING=encoding, encoding=encoding)
        assert done.returncode == 0, done.stderr
        assert "bug" not in done.stderr
        assert "Traceback" not in done.stderr
        assert "momentum 0.97" in done.stdout
        run = python(RUN, PYTHONIOENCODING=encoding, encoding=encoding)
        assert run.stdout.startswith("digits: 4,000 training and 1,000 validation images")
        assert run.stderr == ""
    fault.saw, fault.lost = "ASCII forms of those characters: - for –, ? for 数", "nothing"


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("ascii", "e - ???? s . ?"),
        ("latin-1", "é - ???? s . ?"),
        ("cp437", "é - ???? σ . ?"),
        ("shift_jis", "e - 数字 σ … ★"),
        ("ascii:replace", "? ? ?? ? ? ?"),
        ("utf-8", NOTE),
    ],
)
@pytest.mark.usefixtures("_kept")
def test_what_cant_be_written_has_an_ascii_form(encoding: str, note: str) -> None:
    words = json.dumps([["show", "last"]])
    name = encoding.partition(":")[0]
    shown = python(COMMANDS, words, PYTHONIOENCODING=encoding, encoding=name).stdout
    assert shown.splitlines()[1] == note


@pytest.mark.parametrize(
    "lies",
    [
        {"FORCE_COLOR": "1"},
        {"TTY_COMPATIBLE": "1"},
        {"TTY_INTERACTIVE": "1"},
        {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "FORCE_COLOR": "3", "CLICOLOR_FORCE": "1"},
    ],
    ids=lambda lies: "+".join(lies),
)
def test_a_file_gets_no_bar_whatever_variables_say(lies: Mapping[str, str]) -> None:
    assert python(RUN, **lies).stdout == python(RUN).stdout


@pytest.mark.parametrize(
    "zone", ["Nowhere/Land", "ABC-200", "UTC+25:99", "/etc/passwd", "/dev/null", "..", "\x1b[31m"]
)
@pytest.mark.usefixtures("_kept")
def test_a_time_zone_that_is_not_known_is_named_and_times_are_told_in_utc(zone: str) -> None:
    there, utc = (python(COMMANDS, '[["runs"]]', TZ=name) for name in (zone, "UTC"))
    assert there.stdout == utc.stdout
    assert there.stderr == (
        f"TZ={literal(zone)} is not followed: no such time zone is known here, so that times are "
        "told in UTC; name another one.\n"
    )


@pytest.mark.parametrize("zone", ["UTC", "UTC0", ":UTC", "EST5EDT", "<+0330>-3:30", "CET-1CEST,M3"])
def test_a_time_zone_that_is_known_needs_no_word(zone: str) -> None:
    assert is_zone(zone)


def test_empty_variables_and_another_terminals_size_are_unset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "NO_COLOR": "",
        "TERM": "",
        "COLUMNS": "60",
        "LINES": "16",
        "CUDA_VISIBLE_DEVICES": "",
        "SSH_CONNECTION": "10.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    environment.settle()
    assert not {"NO_COLOR", "TERM", "COLUMNS", "LINES"} & os.environ.keys()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""  # no GPU, please
    assert environment.variable("SSH_CONNECTION") == "10.0.0.1"
    assert environment.variable("NO_COLOR") == ""
    environment.suggest("TERM", "linux")
    environment.suggest("SSH_CONNECTION", "nobody")
    assert (os.environ["TERM"], os.environ["SSH_CONNECTION"]) == ("linux", "10.0.0.1")
