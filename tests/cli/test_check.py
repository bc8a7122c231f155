"""`bntui check`: its options, the status that it ends with, the example, and what the real check refuses."""

import json
from pathlib import Path

import pytest

import bntui
from bntui.cli import output
from bntui.cli.check import EXAMPLE
from bntui.probe.causes import Cause, Finding, Severity
from tests.children import python
from tests.cli.checking import (
    LAG,
    MODULE,
    PADDING,
    SOUND,
    UNDECIDED,
    WARNED,
    Fake,
    check,
    refused,
    write,
)
from tests.hostile import HOSTILE

pytestmark = pytest.mark.usefixtures("here")


# Options


@pytest.mark.parametrize(
    ("option", "value"),
    [("samples", "0"), ("samples", "x"), ("fresh-batches", "-1"), ("seed", "-1"), ("seed", "1e3"), ("seed", "9" * 99)],
)  # fmt: skip
def test_numbers_are_judged(option: str, value: str) -> None:
    assert f"{option} {value[:9]}" in refused("mine:parts", f"--{option}", value).replace("'", "")


def test_unknown_causes_are_refused_with_the_known_ones() -> None:
    said = refused("mine:parts", "--ignore", "tiredness")
    assert all(cause in said for cause in Cause)
    assert "is unknown" in refused("mine:parts", "--ignore", HOSTILE)


# The exit status


@pytest.mark.parametrize(
    ("verdicts", "ignore", "status"),
    [
        ((SOUND,), (), 0),
        ((LAG, WARNED), (), 1),
        ((LAG, UNDECIDED), (), 1),
        ((UNDECIDED,), (), 3),
        ((WARNED,), (), 0),
        ((LAG,), ("lag",), 0),
        ((LAG, PADDING), ("lag",), 1),
        ((LAG, PADDING), ("lag", "PADDING"), 0),
        ((LAG, UNDECIDED), ("lag",), 3),
        ((UNDECIDED,), ("undecided",), 0),
        ((LAG,), ("start_values", "undecided"), 1),
    ],
)  # fmt: skip
def test_the_status_tells_what_was_found(
    fake: Fake, verdicts: tuple[Finding, ...], ignore: tuple[str, ...], status: int
) -> None:
    fake.verdicts = verdicts
    options = [word for cause in ignore for word in ("--ignore", cause)]
    result = check("mine:parts", *options)
    assert (result.exit_code, result.stderr) == (status, "")
    assert all(one.cause in result.stdout for one in verdicts)
    assert check("mine:parts", "--json", *options).exit_code == status


def test_json_is_all_that_is_on_standard_output(fake: Fake) -> None:
    fake.verdicts = (LAG,)
    fake.act = lambda: print("from forward")
    write("noisy.py", f"print('from import')\n{MODULE}\nold = parts\ndef parts():\n    print('from parts')\n    return old()\n")  # fmt: skip
    result = check("noisy:parts", "--json")
    assert json.loads(result.stdout)["verdicts"][0]["cause"] == "lag"
    assert result.stderr.splitlines() == ["from import", "from parts", "from forward"]


def test_a_terminal_gets_lines_of_its_width(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.verdicts = (Finding(Cause.LAG, Severity.UNSOUND, ("word " * 60,)),)
    monkeypatch.setattr(output, "width", lambda: 64)
    assert max(map(len, check("mine:parts").stdout.splitlines())) in range(50, 65)


# The example


def test_the_example_is_written_once_and_overwrites_nothing(here: Path) -> None:
    result = check("--example")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"wrote {EXAMPLE}; now: bntui check {EXAMPLE}:parts\n"
    (here / EXAMPLE).write_text("mine")
    assert f"{EXAMPLE} exists already" in refused("--example")
    assert (here / EXAMPLE).read_text() == "mine"
    assert check("--example", "other.py").exit_code == 0
    printed = check("--example", "-").stdout
    assert (here / "other.py").read_text() == printed
    assert "def parts()" in printed


def test_the_example_goes_where_it_can() -> None:
    assert "can't be written: No such file or directory" in refused("--example", "no/where.py")
    assert "leave out mine:parts" in refused("mine:parts", "--example")
    refused("--example", HOSTILE)


def test_the_example_is_found_unsound_as_it_is(here: Path) -> None:
    assert check("--example").exit_code == 0
    result = check(f"{EXAMPLE}:parts", "--json")
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    assert (result.exit_code, report["exit_status"]) == (1, 1)
    assert report["verdicts"][0]["cause"] == "start-values"
    assert report["running"]["score"] < report["fresh"]["score"] - 0.2
    assert check(f"{EXAMPLE}:parts", "--ignore", "start-values").exit_code == 0


# The real bntui.check: what it refuses, and what the user's functions do wrong


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{'forward': lambda model: 1}", "can't be called as forward(model, batch)"),
        ("{'metric': lambda outputs: 1}", "can't be called as metric(outputs, targets)"),
        ("{'forward': 5}", "forward of given() is an int, not a function"),
        ("{'validation': []}", "validation loader is empty"),
        ("{'training': (x for x in [])}", "once only"),
        ("{'model': nn.Linear(2, 3)}", ""),
        ("{'forward': lambda model, batch: batch[7]}", "IndexError"),
    ],
)  # fmt: skip
def test_nothing_that_a_user_returns_is_a_bug_of_ours(given: str, said: str) -> None:
    write("odd.py", f"""{MODULE}
import torch
from torch import nn
def given():
    batch = (torch.zeros(8, 2), torch.arange(8) % 3)
    return {{"model": network(), "validation": [batch], "training": [batch] * 4, **{given}}}
""")  # fmt: skip
    result = check("odd:given")
    assert said in result.stderr, result.stderr
    assert result.exit_code in ((2,) if said else (2, 3))
    assert "bntui/" not in result.stderr


def test_every_public_name_leads_somewhere() -> None:
    for name in bntui.__all__:
        assert getattr(bntui, name) is not None, name


# Its cost to other commands


def test_the_command_line_imports_none_of_it() -> None:
    run = python(
        "import sys, bntui.cli.main\n"
        "print([name for name in sys.modules if name.startswith(('bntui.probe', 'torch', 'rich'))"
        " or name in ('bntui.cli.user_code', 'bntui.cli.weights_file')])"
    )
    assert run.stdout.strip() == "[]", run.stderr
