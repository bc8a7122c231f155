"""Where a run computes: what is there, and whether it can."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bntui.core.config import Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.machine import device
from bntui.train.runner import Runner
from tools.faults import Fault

NO_KERNEL = """CUDA error: no kernel image is available for execution on the device
CUDA kernel errors might be asynchronously reported at some other API call."""
CPU = torch.device("cpu")
Present = Callable[..., None]


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> Present:
    """Return what has torch find so many CUDA devices, and Metal, of which none can compute."""
    zeros = torch.zeros

    def say(cuda: int = 0, *, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    def broken(*shape: Any, device: Any = None, **others: Any) -> torch.Tensor:
        if device is not None and torch.device(device).type != "cpu":
            raise RuntimeError(NO_KERNEL)
        return zeros(*shape, device=device, **others)

    monkeypatch.setattr(torch, "zeros", broken)
    return say


def refused(name: str) -> str:
    with pytest.raises(ConfigError) as error:
        device.resolve(name)
    return str(error.value)


def test_without_an_accelerator_auto_is_the_cpu_and_there_is_nothing_to_say(
    present: Present,
) -> None:
    present()
    assert device.resolve("auto") == (CPU, "")
    assert refused("cuda") == (
        "device 'cuda' is not there: torch finds no CUDA device; use --device auto."
    )


@pytest.mark.parametrize(
    ("cuda", "mps", "named"),
    [(1, False, "cuda"), (2, False, "cuda, cuda:1"), (0, True, "mps"), (1, True, "cuda, mps")],
)
def test_auto_passes_over_what_cant_compute_and_says_so(
    present: Present, cuda: int, mps: bool, named: str
) -> None:
    present(cuda, mps=mps)
    assert device.resolve("auto") == (
        CPU,
        f"this run trains on the CPU, since the GPU can't compute ({named}: CUDA error: no kernel "
        "image is available for execution on the device).",
    )


def test_auto_takes_the_first_that_can(present: Present, monkeypatch: pytest.MonkeyPatch) -> None:
    present(2)
    monkeypatch.setattr(device, "_why_not", lambda on: "" if on.index == 1 else "too old")
    assert device.resolve("auto") == (
        torch.device("cuda:1"),
        "this run trains on cuda:1, since the GPU can't compute (cuda: too old).",
    )


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_one_that_was_asked_for_is_refused_with_the_reason(present: Present, name: str) -> None:
    present(2, mps=True)
    assert refused(name) == (
        f"device {name!r} can't compute (CUDA error: no kernel image is available for execution on "
        "the device): use --device auto."
    )


@pytest.mark.parametrize("failure", [AssertionError("Torch not compiled"), OSError("libcuda.so")])
def test_a_driver_that_raises_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def broken() -> bool:
        raise failure

    monkeypatch.setattr(torch.cuda, "is_available", broken)
    on, said = device.resolve("auto")
    assert on == CPU
    assert str(failure) in said
    assert str(failure) in refused("cuda")


@pytest.mark.fault("a GPU that can't compute", injected="a kernel that is not there for the device")
def test_a_run_falls_back_to_the_cpu(present: Present, fault: Fault) -> None:
    present(1)
    said: list[str] = []
    for name in ("auto", "cuda"):
        config = RunConfig(train_size=64, width=0.0625, device=name, epochs=1)
        runner = Runner(
            RunRequest(config, Observation(live=False, epoch_ends=False, epoch_fresh=False))
        )
        runner.start()
        while runner.snapshot.phase in {Phase.LOADING, Phase.RUNNING}:
            runner.join(0.05)
        runner.stop()
        assert runner.join(30.0)
        assert not runner.snapshot.traceback
        said.append(runner.snapshot.message)
    assert "trains on the CPU" in said[0]
    assert said[1] == refused("cuda")
    fault.saw = "; ".join(f"“{one}”" for one in said)
    fault.lost = "nothing"
