"""Which files of which control groups are read, in a folder that stands for the root."""

from pathlib import Path

import pytest

from bntui.machine import cgroups
from tests.machine.containers import contained


def found(root: Path, controller: str = "cpu") -> list[list[str]]:
    return list(cgroups.words(controller, root, v1=("old",), v2=("new",)))


@pytest.mark.parametrize(
    ("line", "top", "file"), [("0::/a/b", ".", "new"), ("4:cpu,cpuacct:/a/b", "cpu", "old")]
)
def test_from_the_innermost_group_to_the_top_and_no_farther(
    tmp_path: Path, line: str, top: str, file: str
) -> None:
    places = ("a/b/c", "a/b", "a/x", "a", ".", "..")
    contained(tmp_path, line, {f"{top}/{place}/{file}": place for place in places})
    assert found(tmp_path) == [["a/b"], ["a"], ["."]]


def test_a_group_without_one_of_the_files_says_nothing(tmp_path: Path) -> None:
    contained(tmp_path, "0::/a", {"a/one": "1", "one": "2", "two": "3 4"})
    assert list(cgroups.words("cpu", tmp_path, v1=(), v2=("one", "two"))) == [["2", "3", "4"]]


def test_groups_of_other_controllers_do_not_count(tmp_path: Path) -> None:
    contained(tmp_path, "5:cpuset:/\n4:memory:/", {"cpu/old": "1", "memory/old": "2"})
    assert found(tmp_path) == []
    assert found(tmp_path, "memory") == [["2"]]


def test_a_path_that_is_not_seen_from_inside_leads_to_the_top(tmp_path: Path) -> None:
    contained(tmp_path, "0::/docker/0123", {"new": "7"})
    assert found(tmp_path) == [["7"]]


def test_there_may_be_no_groups(tmp_path: Path) -> None:
    assert found(tmp_path) == []
