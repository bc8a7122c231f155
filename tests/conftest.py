"""Settings that hold before anything imports torch."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tools.faults import PASSED, Faults, fault

__all__ = ["fault"]

# The networks of the tests are small: on a shared machine two threads mostly wait for one another,
# and the same tests take five times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a test's store can be made."""
    return tmp_path / "runs.sqlite"


@pytest.fixture(autouse=True)
def _store_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test, and the processes it starts, out of the user's store and choices."""
    monkeypatch.setenv("BNTUI_STORE", str(tmp_path / "runs.sqlite"))
    monkeypatch.setenv("BNTUI_CONFIG", os.devnull)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, default=3, help="seeds of guided experiments [3]")
    parser.addoption("--faults", type=Path, metavar="FILE", help="write the table of faults there")
    for what, number in (("actions", 100_000), ("command-lines", 10_000), ("files", 20_000)):
        parser.addoption(
            f"--{what}",
            type=int,
            default=number,
            help=f"how many of them make fuzz tries [{number}]",
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test's fixtures know whether it has passed."""
    report = yield
    if report.when != "teardown":
        item.stash[PASSED] = report.passed
    return report


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--faults")
    if file and not hasattr(config, "workerinput"):  # a worker of xdist reports to the session
        config.pluginmanager.register(Faults(file, config), "faults")
