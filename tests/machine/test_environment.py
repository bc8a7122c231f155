"""Settings that cost speed are named with the reason; threads suit the machine."""

from pathlib import Path

import pytest

from bntui.core.config import MOST_THREADS
from bntui.machine.environment import costly, worthwhile_threads
from tests.machine.containers import contained


def test_an_ordinary_environment_needs_no_word() -> None:
    ordinary = {"PATH": "/bin", "OMP_NUM_THREADS": "8", "CUDA_LAUNCH_BLOCKING": "0"}
    assert costly(ordinary, 8, 8) == []


def test_a_costly_setting_is_named_with_its_value_and_the_reason() -> None:
    (said,) = costly({"CUDA_LAUNCH_BLOCKING": "1"}, 8, 8)
    assert said == (
        "CUDA_LAUNCH_BLOCKING=1 costs speed, since the program waits for the GPU at every "
        "operation: unset it."
    )


@pytest.mark.parametrize(
    ("threads", "cores", "named"), [(1, 8, True), (4, 8, False), (1, 2, False)]
)
def test_idle_cores_are_named_where_the_user_left_most_of_them(
    threads: int, cores: int, named: bool
) -> None:
    said = costly({"OMP_NUM_THREADS": str(threads)}, threads, cores)
    assert bool(said) is named
    assert not named or f"{threads} of {cores} cores" in said[0]


@pytest.mark.parametrize("value", ["", "0", "many"])
def test_a_number_of_threads_that_sets_none_is_not_named(value: str) -> None:
    assert costly({"OMP_NUM_THREADS": value}, 1, 8) == []
    (said,) = costly({"OMP_NUM_THREADS": value, "MKL_NUM_THREADS": "2"}, 2, 8)
    assert said.startswith("MKL_NUM_THREADS=2 costs speed")


@pytest.mark.parametrize(
    ("cpu_max", "default", "threads"),
    [
        ("max 100000", 8, 8),
        ("200000 100000", 64, 2),
        ("150000 100000", 64, 2),
        ("10000 100000", 64, 1),
        ("max 100000", 128, MOST_THREADS),
        ("nonsense", 4, 4),
        (None, 4, 4),
    ],
)
def test_threads_suit_the_container(
    tmp_path: Path, cpu_max: str | None, default: int, threads: int
) -> None:
    contained(tmp_path, "0::/", {"cpu.max": cpu_max} if cpu_max else {})
    assert worthwhile_threads({}, default, tmp_path) == threads
    assert worthwhile_threads({"OMP_NUM_THREADS": "64"}, default, tmp_path) == default


def quota(version: int, group: str, quota: str) -> dict[str, str]:
    """Return the files that grant a group so many microseconds of 100,000."""
    if version == 2:
        return {f"{group}/cpu.max": f"{quota} 100000"}
    return {f"cpu/{group}/cpu.cfs_quota_us": quota, f"cpu/{group}/cpu.cfs_period_us": "100000"}


@pytest.mark.parametrize(
    ("version", "line", "unlimited"), [(2, "0::/a/b", "max"), (1, "4:cpu,cpuacct:/a/b", "-1")]
)
@pytest.mark.parametrize(
    ("inner", "outer", "threads"),
    [(3, 5, 3), (5, 3, 3), (3, None, 3), (None, 3, 3), (None, None, 8)],
)
def test_the_tightest_of_nested_groups_counts(
    tmp_path: Path,
    version: int,
    line: str,
    unlimited: str,
    inner: int | None,
    outer: int | None,
    threads: int,
) -> None:
    files: dict[str, str] = {}
    for group, cores in (("a/b", inner), ("a", outer), (".", None)):
        files |= quota(version, group, f"{cores}00000" if cores else unlimited)
    contained(tmp_path, line, files)
    assert worthwhile_threads({}, 8, tmp_path) == threads
