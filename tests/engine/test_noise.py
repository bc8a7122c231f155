"""The gradient noise scale against an oracle: every draw of a tiny set, in float64."""

import math
from dataclasses import replace
from itertools import product
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.engine import observer
from bntui.engine.budget import LATER_SHARE, OPENING_SECONDS, OPENING_SHARE, Budget
from bntui.engine.config import NORMS, Knobs, Observation, RunConfig
from bntui.engine.data import Split
from bntui.engine.model import build
from bntui.engine.noise import HALF, WINDOW, Measurement, draw, estimate, measure, ratio, separate
from bntui.engine.observer import NOISE, ROUND
from bntui.engine.session import Session
from bntui.engine.snapshot import EpochReport, Phase
from bntui.engine.statistics import attach
from bntui.engine.trainer import Trainer

SMALL = RunConfig(train_size=128, width=0.0625, device="cpu", knobs=Knobs(batch_size=16))
AT_ENDS = Observation(live=False, epoch_noise=True)
LIVE = Observation(noise_scale=True)


def session(config: RunConfig = SMALL, observation: Observation = LIVE) -> Session:
    return Session(config, observation, frozenset(), breathe=lambda: None, say=lambda _: None)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(gradients: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


# The estimator


@pytest.mark.parametrize(("part", "whole"), [(1, 2), (32, 64), (8, 4096)])
def test_expected_norms_give_back_gradient_and_noise(part: int, whole: int) -> None:
    gradient, spread = 0.3, 270.0
    found = separate(gradient + spread / part, gradient + spread / whole, part, whole)
    assert found.gradient == pytest.approx(gradient)
    assert found.spread == pytest.approx(spread)


def test_the_mean_over_all_draws_is_the_truth() -> None:
    """A linear model, four images, halves of two: all 4⁴ draws with replacement, one by one."""
    count, half = 4, 2
    model = nn.Linear(3, 2).double()
    random = generator()
    images = torch.randn(count, 3, dtype=torch.float64, generator=random)
    split = Split(images, torch.tensor([0, 1, 1, 0]))
    parameters = tuple(model.parameters())
    for parameter in parameters:
        nn.init.normal_(parameter, generator=random)
    one_by_one = torch.stack(
        [
            flat(torch.autograd.grad(cross_entropy(model(image), label), parameters))
            for image, label in zip(images.split(1), split.labels.split(1), strict=True)
        ]
    )
    gradient = one_by_one.mean(0)
    covariance = (one_by_one - gradient).T @ (one_by_one - gradient) / count

    buffers = attach(model, images[:1])
    measured = []
    for places in product(range(count), repeat=2 * half):
        first, second = torch.tensor(places).split(half)
        halves = [Split(images[chosen], split.labels[chosen]) for chosen in (first, second)]
        measured.append(measure(model, buffers, halves))
    total = len(measured)
    assert total == 256
    mean_gradient = sum(one.gradient for one in measured) / total
    mean_spread = sum(one.spread for one in measured) / total
    assert mean_gradient == pytest.approx(gradient.square().sum().item(), rel=1e-12)
    assert mean_spread == pytest.approx(covariance.trace().item(), rel=1e-12)
    # What dividing first would make of it.
    scale = mean_spread / mean_gradient
    finite = [one.spread / one.gradient for one in measured if one.gradient > 0]
    assert sum(finite) / len(finite) != pytest.approx(scale, rel=0.2)
    assert ratio(measured)[0] == pytest.approx(scale)


def test_every_image_is_drawn_by_itself_and_from_all() -> None:
    images = torch.arange(4.0)
    split = Split(images, torch.arange(4))
    random = generator()
    seen = torch.zeros(4, 4)
    for _ in range(500):
        first, second = draw(split, random)
        assert (len(first), len(second)) == (2, 2)
        assert first.images.tolist() == first.labels.tolist()
        pairs = [(first, first, (0, 1)), (first, second, (0, 0))]
        for one, other, (a, b) in pairs:
            seen[one.labels[a], other.labels[b]] += 1
    # 1,000 pairs over 16 cells, those of an image with itself among them: 62.5 ± 7.7 each.
    assert seen.min() > 32
    assert seen.max() < 93


@pytest.mark.parametrize(("images", "half"), [(1, 1), (2, 1), (3, 1), (128, 64), (5000, HALF)])
def test_halves_fit_the_training_set(images: int, half: int) -> None:
    split = Split(torch.zeros(images, 1), torch.zeros(images, dtype=torch.int64))
    assert [len(part) for part in draw(split, generator())] == [half, half]


def test_each_half_is_normalised_by_its_own_statistics() -> None:
    subject = session().trainer
    first, second = draw(subject.dataset.train, generator())
    found = measure(subject.model, subject.buffers, (first, second))

    def gradient_of(split: Split) -> Tensor:
        model = build(width=SMALL.width)
        model.load_state_dict(subject.model.state_dict(), strict=False)
        model.train()
        cross_entropy(model(split.images), split.labels).backward()
        return flat(tuple(p.grad for p in model.parameters() if p.grad is not None)).double()

    one, other = gradient_of(first), gradient_of(second)
    assert found.gradient == pytest.approx((one @ other).item(), rel=1e-3)
    distance = (one - other).square().sum().item()
    assert found.spread == pytest.approx(len(first) / 2 * distance, rel=1e-3)
    both = Split(*(torch.cat(pair) for pair in _pairs(first, second)))
    assert (one + other - 2 * gradient_of(both)).norm() > 1e-3 * one.norm()


def _pairs(first: Split, second: Split) -> list[tuple[Tensor, Tensor]]:
    return [(first.images, second.images), (first.labels, second.labels)]


@pytest.mark.parametrize("training", [True, False])
def test_measuring_leaves_no_trace(training: bool) -> None:
    subject = session().trainer
    subject.step(SMALL.knobs)
    subject.model.train(training)
    gradients = [parameter.grad for parameter in subject.model.parameters()]
    kept = [gradient.clone() for gradient in gradients if gradient is not None]
    row, state = subject.buffers.row.clone(), torch.get_rng_state()
    halves = draw(subject.dataset.train, generator())

    def stop() -> NoReturn:
        raise KeyboardInterrupt

    measure(subject.model, subject.buffers, halves)
    with pytest.raises(KeyboardInterrupt):
        measure(subject.model, subject.buffers, halves, stop)

    after = [parameter.grad for parameter in subject.model.parameters()]
    assert all(a is b for a, b in zip(gradients, after, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(kept, after, strict=True) if b is not None)
    assert torch.equal(subject.buffers.row, row)
    assert torch.equal(torch.get_rng_state(), state)
    assert subject.model.training is training


# Averages


def test_averages_are_taken_before_dividing() -> None:
    measured = [Measurement(1.0, 100.0), Measurement(1.5, 200.0), Measurement(2.0, 600.0)]
    scale, error = ratio(measured)
    assert scale == pytest.approx(200.0)
    residuals = [100.0 - 200.0, 200.0 - 300.0, 600.0 - 400.0]
    assert error == pytest.approx(math.sqrt(sum(r * r for r in residuals) / 6) / 1.5)


def test_the_error_is_how_much_the_scale_scatters() -> None:
    random = generator()
    sets = torch.randn(2000, 8, 2, dtype=torch.float64, generator=random)
    sets = sets * torch.tensor([0.3, 60.0]) + torch.tensor([1.0, 900.0])
    found = [ratio([Measurement(*one) for one in some]) for some in sets.tolist()]
    scales, errors = torch.tensor(found).T
    assert scales.median().item() == pytest.approx(900.0, rel=0.02)
    assert errors.median().item() == pytest.approx(scales.std().item(), rel=0.15)


@pytest.mark.parametrize(
    "measured",
    [
        [],
        [Measurement(1.0, 900.0)],
        [Measurement(-1.0, 900.0)] * 2,
        [Measurement(0.0, 0.0)] * 2,
        [Measurement(2.0, 900.0), Measurement(-1.0, 900.0)],
        [Measurement(1.0, 900.0)] * 3 + [Measurement(math.inf, math.nan)],
    ],
    ids=["none", "one", "negative", "nothing", "within its error", "not finite"],
)
def test_there_is_no_scale_until_there_is_enough(measured: list[Measurement]) -> None:
    found = estimate(measured, 7, 4000)
    assert math.isnan(found.scale)
    assert math.isnan(found.error)
    assert found.suggested_batch is None
    assert (found.update, found.measurements) == (7, len(measured))


@pytest.mark.parametrize(
    ("scale", "batch"),
    [(0.0, 1), (1.4, 1), (1.5, 2), (900.0, 1024), (700.0, 512), (3000.0, 4000), (1e80, 4000)],
)
def test_the_batch_suggested_is_the_nearest_power_of_two(scale: float, batch: int) -> None:
    found = estimate([Measurement(2.0, 2.0 * scale)] * 2, 7, 4000)
    assert found.scale == pytest.approx(scale)
    assert found.error == 0.0
    assert found.suggested_batch == batch


# In a run


def report_of(observation: Observation, config: RunConfig = SMALL) -> EpochReport:
    run = session(config, observation)
    updates = len(run.trainer.dataset.train) // 16
    (report,) = [report for _ in range(updates) for report in run.train_once(None)]
    if report.noise:
        series = run.snapshot(Phase.RUNNING).series["noise_scale"]
        assert series.x.tolist() == [report.update]
        assert series.last.tolist() == [report.noise_scale]
    return report


def test_an_epochs_end_measures_it_the_same_each_time_and_only_when_asked() -> None:
    report = report_of(AT_ENDS)
    assert report.noise is not None
    assert (report.noise.update, report.noise.measurements) == (8, WINDOW)
    assert report.noise_scale > 0
    assert report_of(AT_ENDS).noise == report.noise
    unasked = report_of(replace(AT_ENDS, epoch_noise=False))
    assert unasked.noise is None
    assert math.isnan(unasked.noise_scale)
    assert unasked.val_loss == report.val_loss


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_live_kinds_take_turns_and_the_noise_scale_has_its_own(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: list[str] = []

    def allow(_: Budget, kind: str) -> bool:
        kinds.append(kind)
        return True

    monkeypatch.setattr(Budget, "allows", allow)
    config = replace(SMALL, norm=norm, train_size=1000)
    run = session(config)
    for _ in range(2 * len(ROUND)):
        run.train_once(None)
    expected = [kind for kind in ROUND if norm == "batch" or kind != "hindsight"]
    assert kinds == (expected * len(ROUND))[: len(kinds)]
    assert len(run.snapshot(Phase.RUNNING).series["noise_scale"]) == kinds.count(NOISE)

    kinds.clear()
    run = session(config, replace(LIVE, noise_scale=False))
    for _ in range(len(ROUND)):
        run.train_once(None)
    assert NOISE not in kinds
    assert run.snapshot(Phase.RUNNING).noise is None


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_keeps_within_the_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def takes(owner: Any, name: str, seconds: float) -> None:
        real = getattr(owner, name)

        def timed(*arguments: Any) -> Any:
            clock.now += seconds
            return real(*arguments)

        monkeypatch.setattr(owner, name, timed)

    takes(Trainer, "step", 1.0)
    takes(observer, "evaluate", 1.5)
    takes(observer, "measure", 3.0)
    run = session(replace(SMALL, train_size=4000, width=1 / 32))
    budget = run.observer.budget = Budget(clock)

    def train(until: float) -> int:
        """Train for so long, seen after every update; return how often noise was measured."""
        while budget.total < until:
            run.train_once(None)
            snapshot = run.snapshot(Phase.RUNNING)
        return len(snapshot.series["noise_scale"])

    early = train(OPENING_SECONDS)
    opening = budget.observing, budget.total
    assert opening[0] / opening[1] == pytest.approx(OPENING_SHARE, abs=0.05)
    assert early >= 2
    assert train(6 * OPENING_SECONDS) > early
    later = (budget.observing - opening[0]) / (budget.total - opening[1])
    assert LATER_SHARE - 0.02 < later < LATER_SHARE + 0.005


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("images", [1, 2, 3])
def test_any_network_and_any_training_set_is_measured_at_batch_1(images: int, norm: str) -> None:
    knobs = replace(SMALL.knobs, batch_size=1)
    run = session(replace(SMALL, train_size=images, norm=norm, knobs=knobs), AT_ENDS)
    (report,) = [report for _ in range(images) for report in run.train_once(None)]
    assert report.noise is not None
    if images == 1 and norm == "none":  # the same gradient always: no noise
        assert report.noise_scale == pytest.approx(0.0, abs=1e-6)
        assert report.noise.suggested_batch == 1


@pytest.mark.parametrize(("observation", "measured"), [(LIVE, True), (AT_ENDS, False)])
def test_a_live_run_ends_with_a_measurement(observation: Observation, measured: bool) -> None:
    run = session(observation=observation)
    run.train_once(None)
    run.conclude()
    noise = run.snapshot(Phase.FINISHED).noise
    assert (noise is not None) is measured
    if noise:
        assert noise.update == 1
