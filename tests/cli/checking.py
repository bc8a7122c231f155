"""`bntui check` called as a user does, with a stand-in for the check itself."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from torch import nn

from bntui.cli.main import cli
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.report import Report
from tests.hostile import CONTROL

SOUND = Finding(Cause.SOUND, Severity.REMARK, ("All is well.",))
LAG = Finding(Cause.LAG, Severity.UNSOUND, ("They lag.",))
PADDING = Finding(Cause.PADDING, Severity.UNSOUND, ("Zeros count.",))
WARNED = Finding(Cause.NOT_FROZEN, Severity.WARNING, ("They move.",))
UNDECIDED = Finding(Cause.UNDECIDED, Severity.UNDECIDED, ("Nobody can tell.",))
MODULE = """
from torch import nn

def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))

def parts():
    return {"model": network(), "validation": [1], "training": [2]}
"""


class Fake:
    """Stands for bntui.check: keeps what it is called with, and finds what it is told to."""

    def __init__(self) -> None:
        self.verdicts: tuple[Finding, ...] = (SOUND,)
        self.calls: list[tuple[Any, ...]] = []
        self.options: dict[str, Any] = {}
        self.act: Callable[[], None] = lambda: None

    def __call__(self, *parts: Any, **options: Any) -> Report:
        self.calls.append(parts)
        self.options = options
        self.act()
        return Report(self.verdicts, None, None, None, (), ())

    @property
    def model(self) -> nn.Module:
        """The model of the last call."""
        model = self.calls[-1][0]
        assert isinstance(model, nn.Module)
        return model


def check(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["check", *arguments], prog_name="bntui")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(*arguments: str) -> str:
    """Return the one sentence with which a check is refused."""
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert not CONTROL.search(line)
    return line


def raised(*arguments: str) -> str:
    """Return what is told of an exception of the user's code."""
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not re.search(r"bntui/(cli|probe|measure)|importlib|click", result.stderr)
    assert result.stderr.endswith(
        "Error: your own code raised this, so that nothing was checked.\n"
    )
    return result.stderr


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
