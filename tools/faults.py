"""The table of faults in docs/reliability.md: a row for every injected fault whose test has passed.

A test is marked `@pytest.mark.fault("name", injected="what was done")` and tells the fixture `fault`
what the user saw and what was lost. `pytest -m fault --faults=docs/reliability.md` replaces the table
between the two comments there; where only some of the tests were chosen, or one did not pass, it leaves the
file alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest

COLUMNS = ("fault", "injected", "what the user saw", "lost")
PASSED = pytest.StashKey[bool]()
"""Whether a test has passed, which the fixture can't see by itself."""
BEGIN, END = "<!-- made by make faults -->", "<!-- end of what make faults made -->"


@dataclass(slots=True)
class Fault:
    """One row: the test of it fills in the last two."""

    name: str
    injected: str
    saw: str = ""
    lost: str = ""


class Faults:
    """Collects the rows of a session of pytest, also from its workers, in the order of names."""

    def __init__(self, file: Path, config: pytest.Config) -> None:
        self.file = file
        self.rows: list[Fault] = []
        self._passed: set[str] = set()
        chosen = (config.getoption(name, None) for name in ("keyword", "deselect", "lf"))
        self._whole = not any(chosen) and config.args_source is not config.ArgsSource.ARGS

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._whole &= not report.skipped
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)
        if report.when == "teardown" and report.passed and report.nodeid in self._passed:
            self.rows += [
                Fault(*row)
                for name, row in report.user_properties
                if name == "fault" and isinstance(row, list | tuple)
            ]

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK and self._whole:
            written = with_table(self.file.read_text(), self.rows)
            self.file.write_text(written)


def with_table(text: str, rows: Iterable[Fault]) -> str:
    """Return `text` with the table of `rows` between the two comments. Raises ValueError without them."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *sorted({astuple(row) for row in rows})]
    table = "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not between.search(text):
        raise ValueError(f"there is no place for the table: {BEGIN} … {END}")
    return between.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Iterator[Fault]:
    """Return the row of a test that is marked `fault`, to be filled in."""
    mark = request.node.get_closest_marker("fault")
    if mark is None:
        raise LookupError("a test that uses `fault` needs the mark `fault`")
    row = Fault(*mark.args, **mark.kwargs)
    yield row
    if not request.node.stash.get(PASSED, True):
        return
    assert row.saw, f"the test of {row.name!r} does not tell what the user saw"
    assert row.lost, f"the test of {row.name!r} does not tell what was lost"
    request.node.user_properties.append(("fault", list(astuple(row))))
