"""A training of fastai's, watched and not, in a process of its own: fastai adds to torch's classes."""

import json
import random
import sys
from pathlib import Path
from typing import Any

import torch
from fastai.callback.schedule import LRFinder
from fastai.callback.training import GradientAccumulation
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from fastai.optimizer import SGD, OptimWrapper

import bntui
from tests.probe.callbacks.trainings import equal, images, kept, network, states


def learner(**given: Any) -> Any:
    """Return a learner of a small network, whose streams are set."""
    random.seed(0)
    torch.manual_seed(0)
    loaders = DataLoaders(
        DataLoader(images(96), bs=12, shuffle=True), DataLoader(images(48, 1), bs=24)
    )
    found = Learner(loaders, network(), loss_func=CrossEntropyLossFlat(), **given)
    found.logger = lambda *_: None
    return found


def trained(*callbacks: Any, **given: Any) -> tuple[Any, list[float], float]:
    """Return the learner after two epochs, its losses, and what Python's stream gives then."""
    found = learner(metrics=accuracy, **given)
    with found.no_bar():
        found.fit(2, 0.05, cbs=list(callbacks))
    return found, found.recorder.losses, random.random()


def told(store: Path) -> dict[str, Any]:
    """Return what a store has kept."""
    run = kept(store)
    return {
        "updates": run.updates,
        "losses": run.losses,
        "series": sorted(run.series),
        "score": run.watched.score,
        "findings": len(run.watched.findings),
        "state": run.state,
    }


def main(folder: Path) -> None:
    """Print what came out, as JSON."""
    losses: list[float] = []

    class Loss(bntui.FastaiCallback):  # type: ignore[misc]
        def after_step(self) -> None:
            losses.append(float(self.learn.loss))
            super().after_step()

    plain, _, drawn = trained(opt_func=SGD)
    own, _, other = trained(Loss(store=folder / "own", every=5), opt_func=SGD)
    seen = {"same": equal(states(own.model), states(plain.model)) and drawn == other}
    seen["metrics"] = [list(row) for row in plain.recorder.values] == [
        list(row) for row in own.recorder.values
    ]
    plain, _, drawn = trained(opt_func=torchs)
    wrapped, _, other = trained(
        bntui.FastaiCallback(store=folder / "wrapped", validation=False), opt_func=torchs
    )
    seen["same"] &= equal(states(wrapped.model), states(plain.model)) and drawn == other
    trained(
        bntui.FastaiCallback(store=folder / "accumulated"), GradientAccumulation(48), opt_func=SGD
    )
    searched = learner(
        opt_func=SGD, path=folder, cbs=bntui.FastaiCallback(store=folder / "searched")
    )
    with searched.no_bar():
        searched.fit(1, cbs=LRFinder(num_it=5))
    names = ("own", "wrapped", "accumulated")
    runs = {name: told(folder / name) for name in names}
    print(
        json.dumps({**seen, "losses": losses, "searched": (folder / "searched").exists(), **runs})
    )


def torchs(parameters: Any, lr: float = 0.05, **given: Any) -> Any:
    """Return an optimiser of torch's for a learner."""
    return OptimWrapper(parameters, torch.optim.SGD, lr=lr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
