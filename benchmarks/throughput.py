"""How fast bntui trains, beside what one would use instead: `python -m benchmarks.throughput`.

Every program trains the same network on the same digits, in a process of its own, one after the
other and again: Keras with the thread's script; the usual PyTorch script, as tutorials have it; a
loop by hand, tuned, that knows of nothing but training, with torch's own batch norm and with
bntui's, which sums more exactly; the engine without a screen, as it is and compiled; the engine
under the explorer in a pseudo-terminal. All train on the CPU, none evaluates or stores its run, and
the first updates, when programs compile and allocate, do not count.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from math import prod
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import runs
from benchmarks.common import Effort, Table, alternate, in_process, main, median_ratio
from bntui.core.config import RunConfig
from bntui.machine.device import prepare_environment, tune

if TYPE_CHECKING:
    from torch import nn

UPDATES = {64: (40, 200), 512: (3, 15), 4096: (1, 5)}
"""By batch size: how many updates go before, and how many are measured."""
QUICK_UPDATES = {64: (2, 4)}
QUICK_WIDTH = 0.25
QUICK_IMAGES = 4096
BARE, SAME, USUAL = "bare tuned loop", "bare loop, same layers", "usual PyTorch script"
SIDE, QUICK_SIDE = 2048, 512
"""Of the matrices whose product is taken for what the machine can do."""

Arguments = tuple[str, int, int, int, float]
"""Path of the digits, batch size, updates before, updates measured, width."""


def keras(backend: str, path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the thread's script."""
    os.environ |= {
        "KERAS_BACKEND": backend,
        "KERAS_TORCH_DEVICE": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
    }
    import keras

    from benchmarks.thread_model import keras_model

    digits = np.load(path)
    images = digits["x_train"].astype(np.float32)[..., None]
    images = (images - images.mean()) / images.std()
    model = keras_model(width=width)
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    times: list[float] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            times.append(time.perf_counter())
            self.model.stop_training = len(times) >= before + updates

    epochs = -(-(before + updates) * batch // len(images))
    model.fit(images, digits["y_train"], batch_size=batch, epochs=epochs, callbacks=[Clock()])
    return updates * batch / (times[before + updates - 1] - times[before - 1])


def keras_on_torch(*arguments: Any) -> float:
    """Return images/s of the thread's script on PyTorch."""
    return keras("torch", *arguments)


def keras_on_tensorflow(*arguments: Any) -> float:
    """Return images/s of the thread's script on TensorFlow."""
    return keras("tensorflow", *arguments)


def usual(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the script that tutorials have."""
    import torch
    from PIL import Image
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    class Digits(Dataset[Any]):
        """As torchvision's MNIST does it: an image at a time, through PIL."""

        def __init__(self) -> None:
            digits = np.load(path)
            self.images, self.labels = digits["x_train"], digits["y_train"]
            self.transform = transforms.Compose(
                [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
            )

        def __len__(self) -> int:
            return len(self.images)

        def __getitem__(self, index: int) -> Any:
            return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])

    loader = DataLoader(Digits(), batch_size=batch, shuffle=True)
    model = network(width)
    optimiser = torch.optim.Adam(model.parameters())
    model.train()
    times: list[float] = []
    loss_sum = 0.0
    while True:
        for images, labels in loader:
            optimiser.zero_grad()
            loss = cross_entropy(model(images), labels)
            loss.backward()
            optimiser.step()
            loss_sum += loss.item() * len(labels)
            times.append(time.perf_counter())
            if len(times) == before + updates:
                return updates * batch / (times[-1] - times[before - 1])


def bare(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the loop one would write by hand, tuned, with torch's batch norm."""
    return _bare(network, path, batch, before, updates, width)


def same_layers(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of that loop with the very network that bntui trains."""
    return _bare(own_network, path, batch, before, updates, width)


def _bare(
    make: "Callable[[float], nn.Sequential]",
    path: str,
    batch: int,
    before: int,
    updates: int,
    width: float,
) -> float:
    prepare_environment()
    import torch
    from torch.nn.functional import cross_entropy

    from bntui.data.dataset import load
    from bntui.machine.allocator import MOST_KEPT, keep_freed
    from bntui.train.model import activation_bytes

    cpu = torch.device("cpu")
    tune(cpu, None)
    digits = load(path, device=cpu).train
    model = make(width).to(memory_format=torch.channels_last)
    needed = batch * activation_bytes(model, digits.images[:4])
    keep_freed(keep=needed <= MOST_KEPT)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    times: list[float] = []
    while True:
        for chosen in torch.randperm(len(digits)).split(batch):
            loss = cross_entropy(model(digits.images[chosen]), digits.labels[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            times.append(time.perf_counter())
            if len(times) == before + updates:
                return updates * batch / (times[-1] - times[before - 1])


def network(width: float) -> "nn.Sequential":
    """Return the thread's network with torch's own batch norm, as one would take it."""
    from torch import nn

    from bntui.measure.norms import EPSILON

    model = own_network(width)
    for name, layer in list(model.named_children()):
        if name.endswith("_bn"):
            assert isinstance(layer, nn.BatchNorm2d)
            stock = nn.BatchNorm2d if name.startswith("conv") else nn.BatchNorm1d
            setattr(model, name, stock(layer.num_features, eps=EPSILON, momentum=0.01))
    return model


def own_network(width: float) -> "nn.Sequential":
    """Return the thread's network as bntui trains it."""
    from bntui.train.model import build

    return build(width=width)


def engine(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the engine on its thread, without a screen."""
    return _engine(runs.endless(batch, dataset=path, width=width, device="cpu"), before, updates)


def compiled(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the engine with a network that torch has compiled."""
    config = runs.endless(batch, dataset=path, width=width, device="cpu", compile=True)
    return _engine(config, before, updates)


def _engine(config: RunConfig, before: int, updates: int) -> float:
    stretch = runs.headless(config, before, before + updates)
    return stretch.images / stretch.seconds


def explorer(path: str, batch: int, before: int, updates: int, width: float) -> float:
    """Return images/s of the engine under the explorer, on this process's terminal."""
    config = runs.endless(batch, dataset=path, width=width, device="cpu")
    stretch = runs.explored(config, before, before + updates)
    return stretch.images / stretch.seconds


def matrix_product(side: int) -> float:
    """Return FLOP/s of float32 products of square matrices, the median of several."""
    import torch

    a, b = torch.rand(2, side, side)
    times = []
    for _ in range(12):
        begun = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - begun)
    return 2.0 * side**3 / statistics.median(times[2:])


def flops_per_image(width: float) -> float:
    """Return the operations of one training image in convolutions and dense layers.

    A multiplication and an addition for each weight at each place, and three times that: forward,
    the gradients of the layer's input and of its weights.
    """
    import torch
    from torch import Tensor, nn

    found: list[int] = []

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        places = prod(output.shape[2:])
        found.append(2 * layer.weight.numel() * places)

    model = network(width).eval()
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 1, 28, 28))
    return 3.0 * sum(found)


PROGRAMS: dict[str, Callable[..., float]] = {
    "Keras on PyTorch": keras_on_torch,
    "Keras on TensorFlow": keras_on_tensorflow,
    USUAL: usual,
    BARE: bare,
    SAME: same_layers,
    "bntui's engine": engine,
    "bntui's engine, --compile": compiled,
    "bntui's explorer": explorer,
}
COLUMNS = {
    "batch": "d",
    "program": "",
    "images/s": ",.0f",
    "of bare loop": ".2f",
    "of same layers": ".2f",
    "of usual script": ".2f",
    "of matrix product": ".1%",
    "peak memory, MB": ",.0f",
}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure every program at every batch size."""
    programs = {name: each for name, each in PROGRAMS.items() if _is_there(each, effort)}
    width = QUICK_WIDTH if effort.quick else 1.0
    side = QUICK_SIDE if effort.quick else SIDE
    flops = in_process(flops_per_image, width).value
    rows, rates = [], []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npz"
        what = runs.write_digits(path, QUICK_IMAGES if effort.quick else None)
        for batch, counts in (QUICK_UPDATES if effort.quick else UPDATES).items():
            arguments: Arguments = (str(path), batch, *counts, width)
            found = alternate(
                {
                    "matrix product": lambda: in_process(matrix_product, side),
                    **{name: _measuring(each, arguments) for name, each in programs.items()},
                },
                effort.rounds,
                turning=True,
            )
            rate = [outcome.value for outcome in found.pop("matrix product")]
            rates += rate
            speed = {name: [one.value for one in outcomes] for name, outcomes in found.items()}
            rows += [
                (
                    batch,
                    name,
                    statistics.median(speed[name]),
                    median_ratio(speed[name], speed[BARE]),
                    median_ratio(speed[name], speed[SAME]),
                    median_ratio(speed[name], speed[USUAL]),
                    flops * median_ratio(speed[name], rate),
                    statistics.median(one.peak for one in outcomes),
                )
                for name, outcomes in found.items()
            ]
    yield Table(
        f"Throughput: training on the CPU at width {width:g} on {what}",
        COLUMNS,
        rows,
        f"One training image costs {flops / 1e9:.3f} GFLOP; a product of {side:,}×{side:,} float32 "
        f"matrices runs at {statistics.median(rates) / 1e9:,.0f} GFLOP/s. Nothing is "
        "evaluated, measured or stored.",
    )


def _is_there(program: Callable[..., float], effort: Effort) -> bool:
    if program is compiled:  # which takes a minute
        return not effort.quick and any(
            map(which, (os.environ.get("CXX", "c++"), "g++", "clang++"))
        )
    return program is not keras_on_tensorflow or find_spec("tensorflow") is not None


def _measuring(program: Callable[..., float], arguments: Arguments) -> Callable[[], Any]:
    return lambda: in_process(program, *arguments)


if __name__ == "__main__":
    main(tables)
