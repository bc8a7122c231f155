"""What `bntui.check` costs beside the plain passes that it needs: `python -m benchmarks.check`.

torchvision's ResNet-50 on images of 64×64: 512 validation samples under its own running statistics
and under fresh ones, and the 16 training batches of 32 that fresh ones are taken from. The plain
passes are what a script would do by hand; the check does them, too, and judges. Time is compared in
pairs, one right after the other in one process; the peak of memory is that of a process which does
nothing but one of them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.common import Effort, Table, in_process, main, median_ratio, peak_so_far, say

if TYPE_CHECKING:
    from torch import nn

SOUND, UNTOUCHED = "sound", "untouched statistics"
CASES = {SOUND: "sound", UNTOUCHED: "never-updated"}
"""What is checked, and the first verdict that it must get."""
BATCH, BATCHES, QUICK_BATCHES = 32, 16, 4
"""Samples of a batch, and batches for training and for validation each."""
MOST_TIME, MOST_MEMORY = 2.5, 1.3
"""What a check may take, in times what the plain passes take."""
CLASSES = 10
COLUMNS = {
    "model": "",
    "plain, s": ".2f",
    "check, s": ".2f",
    "ratio of times": ".2f",
    "loaded, MB": ",.0f",
    "plain, peak MB": ",.0f",
    "check, peak MB": ",.0f",
    "ratio of peaks": ".2f",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A model with its loaders."""

    model: "nn.Module"
    validation: Any
    training: Any


def prepare(case: str, quick: bool, file: str) -> None:
    """Make a model that is sound, or the same with running statistics as they are initialised.

    Its convolutions are random. What is behind them, a mean for each class, is fitted under fresh
    statistics, which gets every image right; what the model then predicts is taken for the label.
    In a process of its own, so that its memory is not counted.
    """
    import torch

    torch.manual_seed(0)
    model = network(quick)
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    side, count = (32, QUICK_BATCHES * BATCH) if quick else (64, BATCHES * BATCH)
    splits = [images_of(count, side, seed) for seed in (1, 2)]
    with torch.no_grad():
        recalibrate(model, splits[0].split(BATCH))
        model.eval()
        fit_head(model, splits[0])
        labels = [
            torch.cat([model(part).argmax(1) for part in split.split(BATCH)]) for split in splits
        ]
    if case == UNTOUCHED:
        model.load_state_dict(buffers, strict=False)
    torch.save((model, list(zip(splits, labels, strict=True))), file)


def loaded(file: str) -> Subject:
    """Return what was prepared."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    model, splits = torch.load(file, weights_only=False)
    order = torch.Generator().manual_seed(0)
    training, validation = (
        DataLoader(TensorDataset(*split), BATCH, shuffle=shuffle, generator=order)
        for split, shuffle in zip(splits, (True, False), strict=True)
    )
    return Subject(model, validation, training)


def network(quick: bool) -> "nn.Module":
    from torchvision.models import resnet18, resnet50

    make = resnet18 if quick else resnet50
    model: nn.Module = make(num_classes=CLASSES, zero_init_residual=True)
    return model


def images_of(count: int, side: int, seed: int) -> Any:
    """Return images (count, 3, side, side): in turn one of ten coarse patterns, and noise."""
    import torch
    from torch.nn.functional import interpolate

    patterns = torch.randn(CLASSES, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    coarse = interpolate(patterns, size=side, mode="bilinear")[torch.arange(count) % CLASSES]
    return coarse + 0.5 * torch.randn(coarse.shape, generator=torch.Generator().manual_seed(seed))


def fit_head(model: Any, images: Any) -> None:
    """Let the last layer choose the class whose mean of features is nearest."""
    import torch

    head, model.fc = model.fc, torch.nn.Identity()
    features = torch.cat([model(part) for part in images.split(BATCH)])
    means = torch.stack([features[place::CLASSES].mean(0) for place in range(CLASSES)])
    size = features.var(0).sum()
    head.weight.copy_(20.0 * means / size)
    head.bias.copy_(-10.0 * means.square().sum(1) / size)
    model.fc = head


def recalibrate(model: "nn.Module", batches: Any) -> None:
    """Put the mean of batches' statistics into the running ones, as `update_bn` does."""
    from torch.nn.modules.batchnorm import _BatchNorm

    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    model.train()
    for images in batches:
        model(images)
    for layer in layers:
        layer.momentum = 0.1


def plain(of: Subject) -> None:
    """Do the passes that a check needs, as a script would."""
    of.model.eval()
    for images, _ in of.validation:
        of.model(images)
    recalibrate(of.model, (images for images, _ in of.training))
    of.model.eval()
    for images, _ in of.validation:
        of.model(images)


def checked(of: Subject, expected: str) -> None:
    """Check it. Raises AssertionError for another verdict than the expected one."""
    from bntui.probe.check import check

    report = check(of.model, of.validation, of.training)
    found = report.verdicts[0]
    assert found.cause == expected, found


def pairs(case: str, file: str, rounds: int) -> list[dict[str, float]]:
    """Return the seconds of the plain passes and of the check, one pair a round."""
    import torch

    of = loaded(file)
    before = deepcopy(of.model.state_dict())

    def plain_and_back() -> float:
        with torch.no_grad():
            seconds = timed(lambda: plain(of))
        of.model.load_state_dict(before)
        return seconds

    def check_it() -> float:
        return timed(lambda: checked(of, CASES[case]))

    ways = {"plain": plain_and_back, "check": check_it}
    for way in ways.values():
        way()  # once for nothing: torch sets itself up
    found = []
    for number in range(rounds):
        order = list(ways)[:: -1 if number % 2 else 1]  # drift favours none
        found.append({way: ways[way]() for way in order})
    return found


def timed(function: Callable[[], None]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def once(case: str, file: str, way: str) -> float:
    """Do one of both, for its peak of memory; return that before it, in MB."""
    import torch

    of = loaded(file)
    before = peak_so_far()
    if way == "plain":
        with torch.no_grad():
            plain(of)
    else:
        checked(of, CASES[case])
    return before


def tables(effort: Effort) -> Iterator[Table]:
    """Measure both cases, each in processes of its own."""
    rows = []
    for case in CASES:
        with TemporaryDirectory() as folder:
            file = str(Path(folder) / "prepared.pt")
            in_process(prepare, case, effort.quick, file)
            say(f"{case}: {effort.rounds} pairs")
            times: list[dict[str, float]] = in_process(pairs, case, file, effort.rounds).value
            passes, checks = ([one[way] for one in times] for way in ("plain", "check"))
            say(f"{case}: memory")
            by_hand, by_check = (in_process(once, case, file, way) for way in ("plain", "check"))
        rows.append(
            (
                case,
                statistics.median(passes),
                statistics.median(checks),
                median_ratio(checks, passes),
                by_hand.value,
                by_hand.peak,
                by_check.peak,
                by_check.peak / by_hand.peak,
            )
        )
    name = "ResNet-18, 32×32" if effort.quick else "ResNet-50, 64×64"
    batches = QUICK_BATCHES if effort.quick else BATCHES
    yield Table(
        f"Check: {name}, {batches * BATCH} validation samples and {batches}×{BATCH} for training",
        COLUMNS,
        rows,
        "Plain: the passes that a check needs, by hand: validation under running and under fresh "
        f"statistics, and training mode. A check is to take at most {MOST_TIME} times their time and "
        f"{MOST_MEMORY} times their peak of memory, each of a process of its own.",
    )


if __name__ == "__main__":
    main(tables)
