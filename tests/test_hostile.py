"""What users and files say is shown literally, numbers at every edge are judged, nothing is overwritten."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bntui.cli.main import cli
from bntui.core.parsers import parse_update
from bntui.core.settings import SETTINGS
from bntui.core.text import ConfigError
from bntui.data.arrays import DataError
from bntui.experiments.reader import parse
from bntui.machine.places import store_path
from bntui.store.database import Store
from bntui.ui.dialogs import saving
from tests.hostile import CONTROL, HOSTILE
from tests.store.recorded import keep
from tools.faults import Fault

SCENARIO = """
title = "T"
hypothesis = "H"
watch = "W"
[question]
text = "Q"
choices = [{ text = "a", right = "one.acc > 0.5" }, { text = "b" }]
[arm.one]
epochs = 1
%s
[[claim]]
holds = "one.acc > 0.5"
text = "t"
"""


def bntui(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments, prog_name="bntui")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def sentence(*arguments: str) -> str:
    """Return the one sentence on standard error with which a command refuses."""
    result = bntui(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    return line


REFUSED = (
    *(("run", f"--{option}", HOSTILE) for option in ("momentum", "batch-size", "lr", "norm")),
    *(("run", f"--{option}", HOSTILE) for option in ("at", "twin", "device", "dataset", "pace")),
    *(("run", "--experiment", HOSTILE), ("run", "--resume", HOSTILE), ("experiments", HOSTILE)),
    *(("check", HOSTILE), ("check", "a:b", "--ignore", HOSTILE), ("check", "--example", HOSTILE)),
    *(("show", HOSTILE), ("runs", "--sort", HOSTILE), ("export", HOSTILE, "--format", "csv")),
)


@pytest.mark.fault(
    "hostile text in an option",
    injected="escape sequences, markup, newlines, NUL, right-to-left marks, 10,000 characters",
)
def test_hostile_options_are_refused_in_one_sentence(fault: Fault) -> None:
    for arguments in REFUSED:
        said = sentence(*arguments)
        assert not CONTROL.search(said), arguments
        assert len(said) < 1500, arguments
    fault.saw = "one sentence that shows them as escapes, shortened"
    fault.lost = "nothing"


def test_hostile_notes_stay_on_their_line() -> None:
    run = keep(store_path(), updates=1)
    with Store() as store:
        store.set_note(run, HOSTILE)
    assert len(bntui("runs").stdout.splitlines()) == 2
    for command in (("runs",), ("show", run), ("runs", "--json"), ("runs", "--filter", HOSTILE)):
        assert not CONTROL.search(bntui(*command).output)


@pytest.mark.fault("a path that would control the terminal", injected="escape sequences in --to")
def test_a_hostile_path_is_shown_literally(
    fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = keep(store_path(), updates=1)
    name = "\x1b[31mred\n\u202e.csv"
    said = bntui("export", run, "--format", "csv", "--to", name).stdout
    assert said == "wrote \\x1b[31mred\\n\\u202e.csv\n"
    assert (tmp_path / name).exists()
    assert not CONTROL.search(sentence("export", run, "--format", "csv", "--to", name))
    assert "can't be written" in sentence("export", run, "--format", "csv", "--to", "a\0b")
    fault.saw = said
    fault.lost = "nothing"


class TestExports:
    def test_keys_never_overwrite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(saving, "exports_folder", lambda: tmp_path)
        paths = [saving.save(f"{number}", "csv") for number in range(5)]
        assert len(set(paths)) == 5
        assert [path.read_text() for path in paths] == ["0", "1", "2", "3", "4"]
        assert {path.parent for path in paths} == {tmp_path}

    def test_an_export_does_not_follow_a_dangling_link(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = keep(store_path(), updates=1)
        (tmp_path / "inside").mkdir()
        monkeypatch.chdir(tmp_path / "inside")
        Path(f"bntui-{run}.csv").symlink_to(tmp_path / "outside.csv")
        assert "exists" in sentence("export", run, "--format", "csv")
        assert not (tmp_path / "outside.csv").exists()


PARSERS = {"update": parse_update} | {
    name: row.parse for name, row in SETTINGS.items() if row.parse
}
NUMBERS = (
    *("1e308", "-1e308", "1e309", "-0", "-0.0", "5e-324", "2.2e-308", "1_000", "１２", "٣", "nan"),
    *("inf", "-inf", "infinity", "0x10", "1e400", "+1", " 7 ", "1.", ".5", "", " ", "--1", "1,5"),
    *(str(10**30), "9" * 400, "9" * 10_000, "0.99999999999999999999", "1e-400", "½", "1\n", "1\0"),
)


def judged(parser: Callable[[str], object], text: str) -> tuple[object, str]:
    """Return the value of `text`, or the sentence with which it is refused."""
    try:
        return parser(text), ""
    except ConfigError as error:
        return None, str(error)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: ascii(number[:12]))
def test_a_number_at_the_edge_is_taken_as_it_is_or_refused(number: str) -> None:
    for name, parser in PARSERS.items():
        for text in (number, f"{number}:momentum=0.9", f"1:lr={number}", f"lr={number}"):
            taken, said = judged(parser, text)
            if said:
                assert said.endswith("."), name
                assert not CONTROL.search(said)
                assert len(said) < 1000
            if isinstance(taken, int | float):
                assert taken == float(text), name
                assert math.copysign(1.0, taken) == 1.0, f"{name}: there is but one zero"
                assert math.isfinite(taken) or text.strip() == "max"


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("batch-size = 1_000", 1000),
        ("batch-size = 0x10", 16),
        ("batch-size = 1e3", 1000),
        ("seed = -0", 0),
    ],
)
def test_numbers_of_toml_are_what_toml_says(line: str, taken: int) -> None:
    name = line.partition(" ")[0].replace("-", "_")
    (arm,) = parse(SCENARIO % line, name="n", file="f.toml").arms
    assert arm.options[name] == taken


@pytest.mark.parametrize(
    "line",
    [
        *(
            "batch-size = 1e308",
            "momentum = nan",
            "momentum = inf",
            "lr = -0.0",
            "batch-size = 0.5",
        ),
        *(
            "ghost-batch = 0",
            "ghost-batch = 0.4",
            "width = 1e-9",
            "width = 0.031",
            "width = -1",
            "base-batch = 0",
            "train-size = 0",
            "norm-layers = -1",
            'twin = "ghost-batch=0"',
            'twin = "width=1e-9"',
            'at = "1:batch=0"',
            'batch-schedule = "1:0"',
            'batch-schedule = "x0.001/1"',
            'batch-schedule = "x2/0"',
        ),
        f"seed = {10**30}",
        f"seed = {'9' * 5000}",
        f"seed = 0x{'f' * 5000}",
        f"label = 0x{'f' * 5000}",
        'batch-size = "１２"',
        'batch-size = "1_000"',
        'momentum = "\\u0000\\u001b[31m"',
        f'momentum = "{"x" * 10_000}"',
    ],
    ids=lambda line: line[:24],
)
def test_others_of_toml_are_refused_in_one_sentence(line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(SCENARIO % line, name="n", file="f.toml")
    said = str(refused.value)
    assert said.startswith("f.toml")
    assert not CONTROL.search(said)
    assert len(said) < 1000


def test_errors_about_data_are_shown_literally_too() -> None:
    assert not CONTROL.search(str(DataError(HOSTILE)))
