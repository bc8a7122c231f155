"""`bntui` called as a user does, with runs of a second."""

import json
import re
from typing import Any, NoReturn

from click.testing import CliRunner, Result

from bntui.cli.main import cli

TINY = ("--train-size", "300", "--width", "0.0625", "--epochs", "2", "--device", "cpu")
"""Two updates an epoch."""


def bntui(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="bntui")


def said(*arguments: str) -> str:
    """Return what a command prints, which has to succeed."""
    result = bntui(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def trained(*options: str) -> Result:
    """Return the result of a tiny run, which has to succeed."""
    result = bntui("run", *TINY, *options)
    assert result.exit_code == 0, result.output
    return result


def events(text: str) -> list[dict[str, Any]]:
    """Read one JSON object a line: strictly, without NaN and Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def plain(text: str) -> list[dict[str, Any]]:
    """Read all but what is said in between: start, epochs and end."""
    return [event for event in events(text) if event["event"] not in {"mark", "verdict"}]


def refusal(*arguments: str) -> str:
    """Return the one sentence on standard error with which the program refuses to start."""
    result = bntui(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert re.fullmatch(r"Error: .+\.", line)
    return line
