"""How often the intervals for the noise scale hold the truth: in simulation, and on a real network."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.measure.noise_interval import ONE_SIGMA, PARTS, Measurement, interval, moments, surprise
from bntui.measure.noise_scale import PART, WINDOW, draw, measure
from bntui.measure.subject import Samples
from bntui.train.session import Session
from tests.measure.test_noise_scale import measurement

TRUTHS = (50, 200, 1_000, 6_000, 20_000, 50_000)
Doubles = NDArray[np.float64]


def spectrum(power: float, directions: int) -> Doubles:
    """Return the eigenvalues of Σ, which sum to 1: 1/i^power."""
    values: Doubles = np.arange(1.0, directions + 1) ** -power
    values /= values.sum()
    return values


def coverage(
    truth: float, values: Doubles, course: str, draws: int, *, images: int = PART
) -> tuple[float, float]:
    """Return how often the 68 % and the 95 % interval held `truth`, each from WINDOW measurements.

    The gradient's `course` is along the noise, at random like it; across it, in the direction where
    there is least; or in that where there is most.
    """
    random = np.random.default_rng(int(truth))
    held = np.zeros(2)
    for _ in range(draws):
        gradient = np.zeros(len(values))
        match course:
            case "along":
                gradient = np.sqrt(values) * random.standard_normal(len(values))
            case "across":
                gradient[-1] = 1.0
            case "most":
                gradient[0] = 1.0
        noise = random.standard_normal((WINDOW, PARTS, len(values))) * np.sqrt(values / images)
        gradients = noise + gradient / np.linalg.norm(gradient) / math.sqrt(truth)
        found = moments([measurement(one, images) for one in gradients])
        held += surprise(found, 1 / truth) <= np.array([ONE_SIGMA, 0.95])
    low, high = held / draws
    return float(low), float(high)


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("power", [0.0, 1.0], ids=["flat", "decaying"])
def test_intervals_cover_as_often_as_they_say(truth: float, power: float) -> None:
    """At 68 % at most 4 % too seldom or 7 % too often, at 95 % 3 % or 4 %.

    A standard error of 800 draws is 1.6 % and 0.8 %.
    """
    values = spectrum(power, 200)
    assert 1 / (values**2).sum() == pytest.approx(200 if power == 0.0 else 21.1, rel=0.01)
    low, high = coverage(truth, values, "along", 800)
    assert ONE_SIGMA - 0.04 <= low <= ONE_SIGMA + 0.07
    assert 0.95 - 0.03 <= high <= 0.95 + 0.04


@pytest.mark.long
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("course", ["along", "across", "most"])
@pytest.mark.parametrize("power", [0.0, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("images", [8, PART])
def test_intervals_cover_whatever_the_spectrum(
    truth: float, course: str, power: float, images: int
) -> None:
    """Those of large training sets and of one of 64 images."""
    low, high = coverage(truth, spectrum(power, 300), course, 4000, images=images)
    assert 0.58 <= low <= 0.79
    assert 0.87 <= high <= 0.99


def test_the_ends_are_where_the_level_is() -> None:
    random = np.random.default_rng(0)
    for truth, level in product(TRUTHS, (ONE_SIGMA, 0.95)):
        gradients = random.standard_normal((WINDOW, PARTS, 60)) / math.sqrt(60 * PART)
        gradients[..., 0] += 1 / math.sqrt(truth)
        found = moments([measurement(one) for one in gradients])
        low, high = interval(found, level)
        assert surprise(found, 1 / low) == pytest.approx(level, abs=1e-6)
        if high < math.inf:
            assert surprise(found, 1 / high) == pytest.approx(level, abs=1e-6)
        else:
            assert surprise(found, 0.0) <= level


@pytest.mark.parametrize("updates", [0, 40])
def test_a_real_networks_exact_scale_is_within_the_interval(updates: int) -> None:
    """Without BN every image's own gradient can be taken, and with them the truth and every draw."""
    config = RunConfig(
        train_size=300, width=1 / 32, norm="none", device="cpu", knobs=Knobs(batch_size=32)
    )
    asked = Observation(live=False, epoch_ends=False)
    run = Session(RunRequest(config, asked))
    for _ in range(updates):
        run.train_once(None)
    trainer, train = run.trainer, run.trainer.subject.training
    parameters = list(trainer.model.parameters())
    each = [
        torch.autograd.grad(cross_entropy(trainer.model(image), label), parameters)
        for image, label in zip(train.inputs.split(1), train.targets.split(1), strict=True)
    ]
    gradients = np.stack([torch.cat([p.flatten() for p in one]).double().numpy() for one in each])
    mean = gradients.mean(0)
    truth = ((gradients - mean) ** 2).sum(1).mean() / (mean @ mean)

    random = torch.Generator().manual_seed(1)
    numbered = Samples(torch.arange(len(train)), train.targets)

    def measured() -> Measurement:
        chosen = [part.inputs.numpy() for part in draw(numbered, random)]
        shares = np.stack([np.bincount(part, minlength=len(train)) / len(part) for part in chosen])
        return measurement(shares @ gradients, len(chosen[0]))

    # That is what is measured in a run ...
    state = random.get_state()
    found = measured()
    random.set_state(state)
    parts = [Samples(train.inputs[p.inputs], p.targets) for p in draw(numbered, random)]
    real = measure(trainer.subject, parts)
    expected = np.array(found.products)
    assert np.array(real.products) == pytest.approx(expected, abs=1e-5 * expected.max())
    # ... and how often it holds the truth.
    held = np.zeros(2)
    for _ in range(400):
        fit = surprise(moments([measured() for _ in range(WINDOW)]), 1 / truth)
        held += fit <= np.array([ONE_SIGMA, 0.95])
    assert 0.60 <= held[0] / 400 <= 0.80
    assert held[1] / 400 >= 0.92
