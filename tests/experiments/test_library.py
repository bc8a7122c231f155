"""Finding experiments: the built-in experiments, and files of the user's own."""

from pathlib import Path

import pytest

from bntui.cli.main import cli
from bntui.experiments.experiment import Experiment
from bntui.experiments.library import built_in, config_of, find
from bntui.experiments.toml_file import FileError
from tests.experiments.test_reader import GOOD
from tests.no_files import NO_FILES
from tools.faults import Fault


def test_the_built_in_experiments_are_numbered_from_1() -> None:
    experiments = built_in()
    assert [experiment.number for experiment in experiments] == list(range(1, len(experiments) + 1))
    assert len({experiment.name for experiment in experiments}) == len(experiments)
    assert {experiment.post for experiment in experiments} <= set(range(6))


def test_one_is_found_by_name_and_by_number() -> None:
    assert find("large-batch") == find("1") == find("01") == built_in()[0]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(FileError, match="the nearest is large-batch"):
        find("larg-batch")


@pytest.mark.parametrize("experiment", built_in(), ids=lambda experiment: experiment.name)
def test_each_arm_is_a_command_that_bntui_run_understands(experiment: Experiment) -> None:
    for arm in experiment.arms:
        cli.commands["run"].make_context("run", list(arm.words))
        assert config_of(arm, {})


def test_files_that_cant_be_read(tmp_path: Path) -> None:
    def why(path: Path) -> str:
        with pytest.raises(FileError) as caught:
            find(str(path))
        return str(caught.value)

    path = tmp_path / "mine.toml"
    assert why(path) == f"{path} can't be read (No such file or directory)."
    assert why(tmp_path / "a\x00\x1b.toml").startswith(f"{tmp_path}/a\\x00\\x1b.toml can't be")
    path.mkdir()
    assert why(path) == f"{path} can't be read (Is a directory)."
    path.rmdir()
    path.write_bytes(b"title = 'x'\nwatch = '\xff'\n")
    assert why(path) == f"{path}, line 2: this is not UTF-8 text."
    path.write_bytes(b"#" * 100_001)
    assert why(path) == f"{path} is larger than 100,000 bytes: no experiment is."
    path.write_text(GOOD)
    assert find(str(path)).name == "mine"


@pytest.mark.fault(
    "an experiment that is no file", injected="a named pipe, a socket and a device as --experiment"
)
def test_only_files_are_opened(fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    said = []
    for kind, make in NO_FILES.items():
        make(path)
        with pytest.raises(FileError) as caught:
            find(str(path))
        said.append(str(caught.value))
        assert said[-1] == f"{path} can't be read (it is a {kind} and no file)."
        path.unlink()
    fault.saw = said[0].replace(str(tmp_path), "…")
    fault.lost = "nothing"


def test_a_byte_order_mark_is_read_over_and_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(GOOD, encoding=encoding)
        assert find(str(path)).title == "Two momenta"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        path.write_text(GOOD, encoding=encoding)
        with pytest.raises(FileError, match=r"is in UTF-16 or UTF-32: save it as UTF-8\.$"):
            find(str(path))


def test_a_number_of_more_digits_than_python_reads_is_no_experiment() -> None:
    with pytest.raises(FileError, match="there is no experiment"):
        find("9" * 5000)
    assert find("0001").number == 1
