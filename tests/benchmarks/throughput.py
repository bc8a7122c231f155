"""How close training comes to a bare PyTorch loop: `make bench`.

Three programs train the same network on the same digits for the same number of updates, each in a
process of its own, one after the other and again: the bare loop; the engine without a screen; the
engine under the explorer in a pseudo-terminal. Evaluation is off in all three, so that images/s are
those of training alone. Printed is the median of each, and its ratio to the bare loop.
"""

import argparse
import json
import os
import pty
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from bntui.engine.config import Knobs, Observation, RunConfig
from bntui.engine.device import prepare_environment

BATCHES = {64: 60, 1024: 8}
"""Batch sizes, and how many updates each is measured for."""
NOTHING = Observation(live=False, epoch_ends=False, epoch_fresh=False)


def config(batch: int, steps: int, width: float) -> RunConfig:
    """Return the run that all three programs train."""
    return RunConfig(
        knobs=Knobs(batch_size=batch), steps=steps, epochs=10**6, width=width, dataset="digits"
    )


def bare(batch: int, steps: int, width: float) -> float:
    """Return images/s of the loop one would write by hand, tuned."""
    prepare_environment()
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    from bntui.engine.data import load
    from bntui.engine.model import build
    from bntui.engine.norms import EPSILON

    digits = load("digits", device=torch.device("cpu")).train
    generator = torch.Generator().manual_seed(0)
    model = build(width=width, generator=generator)
    for name, layer in list(model.named_children()):
        if name.endswith("_bn"):  # torch's own, as one would take it
            assert isinstance(layer, nn.BatchNorm2d)
            stock = nn.BatchNorm2d if name.startswith("conv") else nn.BatchNorm1d
            setattr(model, name, stock(layer.num_features, eps=EPSILON, momentum=0.01))
    model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    images = 0
    start = time.perf_counter()
    order = torch.randperm(len(digits), generator=generator)
    position = 0
    for _ in range(steps):
        if position >= len(order):
            order, position = torch.randperm(len(digits), generator=generator), 0
        chosen = order[position : position + batch]
        position += batch
        loss = cross_entropy(model(digits.images[chosen]), digits.labels[chosen])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        images += len(chosen)
    return images / (time.perf_counter() - start)


def engine(batch: int, steps: int, width: float) -> float:
    """Return images/s of the engine on its thread, without a screen."""
    from bntui.engine.runner import Runner
    from bntui.engine.snapshot import Phase

    runner = Runner(config(batch, steps, width), NOTHING)
    runner.start()
    while runner.snapshot.phase in {Phase.LOADING, Phase.RUNNING}:
        time.sleep(0.1)
    return runner.snapshot.images_per_s


def explorer(batch: int, steps: int, width: float) -> float:
    """Return images/s of the engine under the explorer, on this process's terminal."""
    from bntui.engine.runner import Runner
    from bntui.engine.snapshot import Phase
    from bntui.ui.app import BntuiApp

    runner = Runner(config(batch, steps, width), NOTHING)
    app = BntuiApp(lambda *_: runner, config(batch, steps, width))

    def wait() -> None:
        while runner.snapshot.phase in {Phase.LOADING, Phase.RUNNING}:
            time.sleep(0.1)
        app.call_from_thread(app.exit)

    Thread(target=wait, daemon=True).start()
    app.run()
    return runner.snapshot.images_per_s


PROGRAMS = {"bare loop": bare, "engine": engine, "explorer": explorer}


def measured(program: str, batch: int, steps: int, width: float) -> float:
    """Run one program in a process of its own, on a pseudo-terminal, and return its images/s."""
    with TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        arguments = ["--child", program, "--result", str(result), "--width", str(width)]
        arguments += ["--batch", str(batch), "--steps", str(steps)]
        master, slave = pty.openpty()
        os.set_inheritable(slave, True)
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.throughput", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"},
        )
        os.close(slave)
        Thread(target=_drain, args=(master,), daemon=True).start()
        child.wait()
        return float(json.loads(result.read_text()))


def _drain(master: int) -> None:
    try:
        while os.read(master, 1 << 16):
            pass
    except OSError:
        pass


def main() -> None:
    """Print the table, or be one of its programs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        speed = PROGRAMS[options.child](options.batch, options.steps, options.width)
        options.result.write_text(json.dumps(speed))
        return
    print(f"images/s in training, width {options.width:g}, median of {options.rounds} rounds")
    print(f"{'batch':>6} {'program':<10} {'images/s':>9} {'of bare':>8}")
    for batch, steps in BATCHES.items():
        speeds: dict[str, list[float]] = {program: [] for program in PROGRAMS}
        for _ in range(options.rounds):
            for program in PROGRAMS:
                speeds[program].append(measured(program, batch, steps, options.width))
        median = {program: statistics.median(values) for program, values in speeds.items()}
        for program, speed in median.items():
            print(f"{batch:>6} {program:<10} {speed:>9.0f} {speed / median['bare loop']:>8.3f}")


if __name__ == "__main__":
    main()
