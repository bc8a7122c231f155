"""Settings that cost speed are named with the reason; threads suit the machine."""

from pathlib import Path

import pytest

from bntui.engine.environment import MOST_THREADS, costly, worthwhile_threads


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
    file = tmp_path / "cpu.max"
    if cpu_max is not None:
        file.write_text(f"{cpu_max}\n")
    assert worthwhile_threads({}, default, file) == threads
    assert worthwhile_threads({"OMP_NUM_THREADS": "64"}, default, file) == default
