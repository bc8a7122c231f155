"""torch that can't be loaded: one sentence with the reason and the way out, in a process of its own."""

from pathlib import Path

import pytest

from bntui.machine.libraries import why_not_loaded
from tests.children import python
from tools.faults import Fault

MAIN = "from bntui.__main__ import main; main()"
SCARCE = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9)); {MAIN}"
TINY = ("run", "--width", "0.0625", "--train-size", "64", "--steps", "1", "--device", "cpu")


@pytest.fixture(autouse=True)
def _as_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what a library sets that other tests of this process load: it would be named as a suspect."""
    monkeypatch.delenv("PYTORCH_NVML_BASED_CUDA_CHECK", raising=False)


def refusal(code: str = MAIN, *options: str, **environment: str) -> str:
    """Return the one sentence with which a run ends."""
    done = python(code, *TINY, *options, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.endswith(".")
    return line.removeprefix("Error: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TORCH_LOGS", "nonsense"),
        ("TORCH_LOGS_FORMAT", "%z"),
        ("TORCH_LOGS_OUT", "/nowhere/log"),
        ("PYTORCH_ALLOC_CONF", "nonsense"),  # which aborts the process
    ],
)
@pytest.mark.fault(
    "nonsense in a variable of torch's",
    injected="TORCH_LOGS, PYTORCH_ALLOC_CONF",
)
def test_a_variable_that_torch_cant_read_is_named(name: str, value: str, fault: Fault) -> None:
    said = refusal(**{name: value})
    assert said.startswith("torch can't be loaded (")
    assert said.endswith(f": unset {name}, or correct what it says.")
    fault.saw, fault.lost = "torch can't be loaded (…): unset TORCH_LOGS, or correct …", "nothing"


def test_a_variable_that_torch_s_compiler_cant_read_is_named() -> None:
    said = refusal(MAIN, "--compile", TORCH_COMPILE_DEBUG="nonsense")
    assert said.startswith("torch's compiler can't be loaded (ValueError")
    assert said.endswith(": unset TORCH_COMPILE_DEBUG, or correct what it says.")


@pytest.mark.fault("no room for torch", injected="an address space of 1 GB (RLIMIT_AS)")
def test_an_address_space_that_is_too_small_is_named(fault: Fault) -> None:
    said = refusal(SCARCE)
    assert "failed to map segment" in said
    assert said.endswith("raise `ulimit -v`, or end other programs.")
    fault.saw, fault.lost = said, "nothing"


@pytest.mark.parametrize(
    "statement",
    [
        "raise OSError('libcublas.so.12: cannot open shared object file: No such file')",
        "from nowhere import _C",
        "raise RuntimeError('module was compiled against another API version')",
        "raise SyntaxError('of a damaged file')",
    ],
)
def test_an_installation_that_is_broken_is_to_be_repeated(tmp_path: Path, statement: str) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(statement)
    first = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {MAIN}"
    said = refusal(first)
    assert said.startswith("torch can't be loaded (")
    assert said.endswith("install it again with `pip install --force-reinstall torch torchvision`.")


def test_a_torchvision_that_does_not_fit_torch_is_named(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    broken = "raise RuntimeError('operator torchvision::nms does not exist')"
    (tmp_path / "torchvision" / "__init__.py").write_text(broken)
    first = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {MAIN}"
    said = refusal(first, "--dataset", "kmnist", XDG_DATA_HOME=str(tmp_path), BNTUI_DATA="")
    assert said.startswith("torchvision can't be loaded (RuntimeError: operator torchvision::nms")


def test_numbers_of_threads_that_are_none_are_named(tmp_path: Path) -> None:
    words = [*TINY, "--no-store", "--batch-size", "64"]
    done = python(MAIN, *words, OMP_NUM_THREADS="abc", MKL_NUM_THREADS="99999999")
    assert done.returncode == 0
    assert done.stderr == (
        "OMP_NUM_THREADS=abc is not followed: give a whole number from 1 to 1,024, or unset it. "
        "MKL_NUM_THREADS=99999999 is not followed: give a whole number from 1 to 1,024, or unset "
        "it.\n"
    )


def test_what_is_said_of_a_library_is_short() -> None:
    said = why_not_loaded("torch", ImportError("\n\nfirst. second\nthird" + "long" * 1000))
    assert said == (
        "torch can't be loaded (ImportError: first): install it again with `pip install "
        "--force-reinstall torch torchvision`."
    )
    assert "(MemoryError): it needs more memory" in why_not_loaded("torch", MemoryError())
