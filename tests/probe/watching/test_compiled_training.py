"""Trainings in compiled code, which runs no hooks that it was not compiled with."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.utils import counters

from bntui.probe.watching import tracked_layer
from bntui.probe.watching.batch_statistics import Statistics
from tests.probe.watching.trainings import close, convolutional, images, norms, once, trained

UPDATES = 10
Compile = Callable[[nn.Module, str], Callable[[Tensor], Tensor]]


def function(model: nn.Module, backend: str) -> Callable[[Tensor], Tensor]:
    return torch.compile(lambda batch: model(batch), backend=backend)


def wrapped(model: nn.Module, backend: str) -> Any:
    return torch.compile(model, backend=backend)


def in_place(model: nn.Module, backend: str) -> nn.Module:
    model.compile(backend=backend)
    return model


def in_parts(model: nn.Module, backend: str) -> nn.Module:
    for layer in norms(model):
        layer.compile(backend=backend)
    return model


WAYS: tuple[Compile, ...] = (function, wrapped, in_place, in_parts)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def run(
    way: Compile,
    backend: str,
    *,
    watch: bool = True,
    late: bool = False,
    passes: int = 1,
) -> tuple[Statistics, nn.Module]:
    """Train; `late`: watched only after the first update."""
    torch.manual_seed(0)
    model = convolutional()
    watched = nn.Sequential() if late or not watch else model
    statistics = Statistics(watched)
    compiled = way(model, backend)
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for number in range(UPDATES):
        optimiser.zero_grad()
        for again in range(passes):
            compiled(images(number + 100 * again)).square().mean().backward()
        optimiser.step()
        statistics.step()
        if late and watch and not number:
            statistics = Statistics(model)
    return statistics, model


COMPILER = pytest.mark.skipif(shutil.which("c++") is None, reason="there is no compiler here")


@pytest.mark.parametrize(
    "backend",
    ["eager", "aot_eager", pytest.param("inductor", marks=[pytest.mark.long, COMPILER])],
)
@pytest.mark.parametrize("way", WAYS)
def test_what_compiled_code_does_is_what_code_does(way: Compile, backend: str) -> None:
    statistics, _ = run(way, backend)
    plain = trained(convolutional, 0.1, watch=True)[1]
    for name in ("0", "0.9", "0.999", "bias-corrected", "cumulative"):
        close(statistics.row(name), plain.row(name))
    assert statistics.calls == (1, 1)
    assert statistics.notes == ()
    assert statistics.last_move


@pytest.mark.parametrize("way", WAYS)
def test_compiling_makes_the_same_graphs_as_unwatched(way: Compile) -> None:
    found: list[Counter[str]] = []
    weights = []
    for watch in (False, True):
        torch._dynamo.reset()
        counters.clear()
        _, model = run(way, "eager", watch=watch)
        found.append(counters["stats"] + counters["frames"] + counters["graph_break"])
        weights.append(model.state_dict())
    assert found[0] == found[1]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_a_model_that_is_compiled_already_is_polled() -> None:
    statistics, _ = run(wrapped, "eager", late=True)
    assert statistics.calls == (1, 1)
    recent = trained(convolutional, 0.1, watch=True)[1].recent()
    found = statistics.recent()
    assert found is not None
    assert recent is not None
    close(found, recent)


def test_several_calls_in_compiled_code_are_told_and_taken_for_their_mean() -> None:
    statistics, _ = run(wrapped, "eager", passes=2)

    def twice(model: nn.Module, number: int) -> Tensor:
        model(images(number)).square().mean().backward()
        loss: Tensor = model(images(number + 100)).square().mean()
        return loss

    plain = trained(convolutional, 0.1, twice, watch=True)[1]
    assert statistics.calls == (2, 2)
    assert statistics.start_left == pytest.approx(plain.start_left)
    torch.testing.assert_close(statistics.row("0.95"), plain.row("0.95"), rtol=2e-3, atol=2e-3)
    (note,) = statistics.notes
    assert note.startswith("1, 4: called 2 times an update in compiled code")


def test_cumulative_averages_are_polled_too() -> None:
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(3, momentum=None)
    statistics = Statistics(layer)
    compiled = torch.compile(layer, backend="eager")
    for number in range(6):
        compiled(images(2 * number))
        compiled(images(2 * number + 1))
        statistics.step()
    assert statistics.calls == (2,)
    close(statistics.row("cumulative"), statistics.own(), 1 / 12)


def test_eager_calls_beside_compiled_ones_are_all_seen() -> None:
    layer = nn.BatchNorm2d(3)
    statistics = Statistics(layer)
    compiled = torch.compile(layer, backend="eager")
    expected = Statistics(plain := nn.BatchNorm2d(3))
    for number in range(6):
        for call in (compiled, layer) if number % 2 else (layer, compiled):
            call(images(number))
        statistics.step()
        for _ in range(2):
            plain(images(number))
        expected.step()
    for name in ("0.9", "cumulative"):
        close(statistics.row(name), expected.row(name))


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("passes", [1, 2])
def test_where_reading_waits_the_count_is_read_at_the_first_updates_only(
    backend: str, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = run(wrapped, backend, passes=passes)
    reads = []

    def read(tensor: Tensor) -> int:
        reads.append(1)
        return int(tensor.item())

    monkeypatch.setattr(tracked_layer, "waits", lambda _: True)
    monkeypatch.setattr(Tensor, "__int__", read)
    statistics, _ = run(wrapped, backend, passes=passes)
    assert len(reads) == 2 * 2  # layers; at the beginning, and at the first update
    assert torch.equal(statistics.row("0.9"), expected.row("0.9"))
    assert statistics.calls == expected.calls


def test_an_update_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)
    statistics.step()

    def refuse(*_: object) -> Any:
        raise AssertionError("that waits for the device")

    for name in ("__bool__", "__int__", "__float__", "item", "tolist", "cpu", "numpy"):
        monkeypatch.setattr(Tensor, name, refuse)
    for number in range(5):
        model(images(number)).square().mean().backward()
        statistics.step()
    assert statistics.calls == (1, 1)
    assert statistics.notes == ()
