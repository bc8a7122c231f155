"""What one would use instead of a sweep: Ray Tune, which runs the usual PyTorch script once a momentum.

ray is imported in the process that needs it: `pip install 'ray[tune]'`.
"""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

ALONE = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on the loopback address alone
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # as processes of ours have it
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}
"""How Ray is to behave, told before it is imported."""


def trial(settings: dict[str, Any]) -> None:
    """Train as tutorials do, with one momentum, and report validation at each epoch's end."""
    import torch
    from PIL import Image
    from ray import tune
    from torch import nn
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    from benchmarks.throughput import network

    digits = np.load(settings["path"])
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )

    class Digits(Dataset[Any]):
        """As torchvision's MNIST does it: an image at a time, through PIL."""

        def __init__(self, part: str) -> None:
            self.images, self.labels = digits[f"x_{part}"], digits[f"y_{part}"]

        def __len__(self) -> int:
            return len(self.images)

        def __getitem__(self, index: int) -> Any:
            return transform(Image.fromarray(self.images[index])), int(self.labels[index])

    torch.manual_seed(settings["seed"])
    training = DataLoader(Digits("train"), batch_size=settings["batch"], shuffle=True)
    validation = DataLoader(Digits("test"), batch_size=256)
    model = network(settings["width"])
    for layer in model:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = 1.0 - settings["momentum"]
    optimiser = torch.optim.Adam(model.parameters())
    for _ in range(settings["epochs"]):
        model.train()
        for images, labels in training:
            optimiser.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            right = sum(
                (model(images).argmax(1) == labels).sum().item() for images, labels in validation
            )
        tune.report({"val_acc": right / len(digits["y_test"])})


def ray_tune(
    path: str, batches: list[int], momenta: list[float], epochs: int, width: float, jobs: int
) -> float:
    """Return the seconds that Ray Tune takes for a trial of one thread for each batch size and momentum.

    Ray has been started before; the trials' processes have not.
    """
    os.environ |= ALONE
    import ray
    from ray import tune

    ray.init(address="local", num_cpus=jobs, include_dashboard=False, log_to_driver=False)
    with TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(trial, {"cpu": 1}),
            param_space={
                "path": str(Path(path).resolve()),
                "batch": tune.grid_search(batches),
                "momentum": tune.grid_search(momenta),
                "epochs": epochs,
                "width": width,
                "seed": 0,
            },
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        begun = time.perf_counter()
        results = tuner.fit()
        seconds = time.perf_counter() - begun
        done = [one.metrics["training_iteration"] for one in results if one.metrics]
    ray.shutdown()
    if done != [epochs] * (len(batches) * len(momenta)):
        raise RuntimeError(f"Ray Tune's trials made {done} epochs; errors: {results.errors}")
    return seconds
