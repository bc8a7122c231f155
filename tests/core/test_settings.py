"""One row more in the table is a setting everywhere: a copy of the program gets one, and shows it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bntui
from bntui.core.settings import OPTIONS, SETTINGS
from tests.children import environment

ROW = '    haste: int = setting(3, Whole("haste", 0, 9, "4"), "Made up", "N", steps=(1, 3, 5))\n'
PLACES = {
    "live": "\n\n@dataclass(frozen=True, slots=True)\nclass Change:",
    "new run": "    knobs: Knobs",
}
"""What the row is put in front of, to be a knob of the explorer or a setting of a new run."""


def with_the_row(folder: Path, before: str) -> None:
    """Lay out the program in `folder`, its files links but for the table, which has a row more."""
    source = Path(bntui.__file__).parent
    (folder / "bntui" / "core").mkdir(parents=True)
    for room, leave_out in (("", "core"), ("core", "config.py")):
        for path in (source / room).iterdir():
            if path.name not in {leave_out, "__pycache__"}:
                (folder / "bntui" / room / path.name).symlink_to(path)
    table = (source / "core" / "config.py").read_text(encoding="utf-8")
    assert table.count(before) == 1
    text = table.replace(before, ROW + before)
    (folder / "bntui" / "core" / "config.py").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module", params=PLACES)
def live(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "live")


@pytest.fixture(scope="module")
def found(live: bool, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("copy")
    with_the_row(folder, PLACES["live" if live else "new run"])
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.made_up", "haste"],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=folder,  # which `-m` puts in front of all other paths
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_help_shows_it_with_its_default(found: dict[str, Any]) -> None:
    assert found["help"] == [["--haste", "N", "Made", "up", "[3]."]]


def test_the_command_line_takes_it_within_its_bounds(found: dict[str, Any]) -> None:
    assert found["command line"] == 7
    way_out = "give a whole number from 0 to 9, such as 4."
    assert found["refusal"] == f"Error: haste 70 is out of range: {way_out}\n"


def test_an_experiment_s_file_sets_it(found: dict[str, Any]) -> None:
    assert found["experiment"] == 7


def test_it_has_a_knob(found: dict[str, Any]) -> None:
    assert found["knob"] == 5


def test_a_planned_change_sets_it_if_it_can_change_while_a_run_trains(
    found: dict[str, Any], live: bool
) -> None:
    if live:
        assert found["at"] == 7
    else:
        assert "change '97:haste=7' is not understood" in found["at"]


def test_a_twin_can_differ_in_it(found: dict[str, Any]) -> None:
    assert found["twin"] == 7


def test_the_line_that_repeats_a_run_has_it(found: dict[str, Any]) -> None:
    assert found["repeat"] == "bntui run --haste 7 --steps 1"


def test_the_store_keeps_it_and_finds_runs_by_it(found: dict[str, Any]) -> None:
    assert found["store"] == 7
    assert found["search"] == [True]


def test_two_runs_are_said_to_differ_in_it(found: dict[str, Any]) -> None:
    assert found["differences"] == [["haste", "7", "3"]]


def test_it_is_made_up() -> None:
    assert "haste" not in SETTINGS
    assert len({row.flag for row in SETTINGS.values()}) == len(SETTINGS) == len(OPTIONS) - 1
