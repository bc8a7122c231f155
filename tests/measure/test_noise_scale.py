"""The gradient noise scale against an oracle: every draw of a tiny set, in float64."""

import math
from dataclasses import replace
from itertools import product
from statistics import fmean
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.core.config import NORMS, Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import EpochReport, Phase
from bntui.measure import observer, validation
from bntui.measure.any_module import AnyModule
from bntui.measure.budget import LATER_SHARE, OPENING_SECONDS, OPENING_SHARE, Budget
from bntui.measure.noise_interval import PARTS, Measurement, moments
from bntui.measure.noise_scale import PART, WINDOW, draw, estimate, measure, suggested_batch
from bntui.measure.observer import NOISE, ROUND, WHY
from bntui.measure.questions import SOUND, SUFFERS
from bntui.measure.subject import Classification, Samples
from bntui.train.model import build
from bntui.train.session import Session
from bntui.train.trainer import Trainer
from tests.train.sessions import snapshot_of

SMALL = RunConfig(train_size=128, width=0.0625, device="cpu", knobs=Knobs(batch_size=16))
AT_ENDS = Observation(live=False, epoch_noise=True)
LIVE = Observation(noise_scale=True)


def session(config: RunConfig = SMALL, observation: Observation = LIVE) -> Session:
    return Session(RunRequest(config, observation))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def measurement(gradients: NDArray[np.float64], images: int = PART) -> Measurement:
    """Return what the parts' gradients, one a row, are measured as."""
    return Measurement(tuple(map(tuple, (gradients @ gradients.T).tolist())), images)


def equal(product: float) -> Measurement:
    return Measurement(((product,) * PARTS,) * PARTS, PART)


def flat(gradients: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


# The estimator


def test_the_mean_over_all_draws_is_the_truth() -> None:
    """A linear model, four images, parts of one: all 4⁴ draws with replacement, one by one."""
    count = 4
    model = nn.Linear(3, 2).double()
    random = generator()
    images = torch.randn(count, 3, dtype=torch.float64, generator=random)
    samples = Samples(images, torch.tensor([0, 1, 1, 0]))
    parameters = tuple(model.parameters())
    for parameter in parameters:
        nn.init.normal_(parameter, generator=random)
    one_by_one = torch.stack(
        [
            flat(torch.autograd.grad(cross_entropy(model(image), label), parameters))
            for image, label in zip(images.split(1), samples.targets.split(1), strict=True)
        ]
    )
    gradient = one_by_one.mean(0)
    covariance = (one_by_one - gradient).T @ (one_by_one - gradient) / count

    subject = AnyModule(model, samples, samples, Classification(2))
    measured = []
    for places in product(range(count), repeat=4):
        parts = [samples[place : place + 1] for place in places]
        measured.append(moments([measure(subject, parts)]))
    total = len(measured)
    assert total == 256
    mean_gradient = sum(one.gradient for one in measured) / total
    mean_spread = sum(one.spread for one in measured) / total
    assert mean_gradient == pytest.approx(gradient.square().sum().item(), rel=1e-12)
    assert mean_spread == pytest.approx(covariance.trace().item(), rel=1e-12)


def test_the_mean_of_every_variance_over_all_draws_is_the_truth() -> None:
    """Four parts of one image of four: all 4⁴ draws, of gradients that are far from normal."""
    images = torch.tensor([[1.0, 2.0, 0.0], [0.5, -1.0, 3.0], [4.0, 0.0, 0.0], [0.0, 0.0, -2.0]])
    gradients = images.double().numpy()
    mean = gradients.mean(0)
    errors = gradients - mean
    covariance = errors.T @ errors / 4
    along, size = errors @ mean, (errors**2).sum(1) - np.trace(covariance)
    single, pairs = (along**2).mean(), (covariance**2).sum()

    found = [
        moments([measurement(gradients[list(chosen)], images=1)])
        for chosen in product(range(4), repeat=4)
    ]

    def average(name: str) -> float:
        return fmean(getattr(one, name) for one in found)

    assert average("gradient") == pytest.approx(mean @ mean)
    assert average("spread") == pytest.approx(np.trace(covariance))
    assert average("pairs") == pytest.approx(pairs)
    assert average("along") == pytest.approx(single + pairs / 2)
    assert average("both") == pytest.approx((along * size).mean() - pairs)
    assert average("size") == pytest.approx((size**2).mean() + 2 * pairs)


def test_every_image_is_drawn_by_itself_and_from_all() -> None:
    images = torch.arange(4.0)
    samples = Samples(images, torch.arange(4))
    random = generator()
    seen = torch.zeros(4, 4)
    for _ in range(500):
        first, second, *others = draw(samples, random)
        assert [len(part) for part in (first, second, *others)] == [2] * PARTS
        assert first.inputs.tolist() == first.targets.tolist()
        pairs = [(first, first, (0, 1)), (first, second, (0, 0))]
        for one, other, (a, b) in pairs:
            seen[one.targets[a], other.targets[b]] += 1
    # 1,000 pairs over 16 cells, those of an image with itself among them: 62.5 ± 7.7 each.
    assert seen.min() > 32
    assert seen.max() < 93


@pytest.mark.parametrize(
    ("images", "part"), [(1, 2), (3, 2), (23, 2), (24, 3), (128, 16), (5000, PART)]
)
def test_parts_fit_the_training_set(images: int, part: int) -> None:
    samples = Samples(torch.zeros(images, 1), torch.zeros(images, dtype=torch.int64))
    assert [len(one) for one in draw(samples, generator())] == [part] * PARTS


def test_each_part_is_normalised_by_its_own_statistics() -> None:
    trainer = session().trainer
    parts = draw(trainer.subject.training, generator())
    found = measure(trainer.subject, parts)
    assert found.images == len(parts[0]) == 16

    def gradient_of(samples: Samples) -> Tensor:
        model = build(width=SMALL.width)
        model.load_state_dict(trainer.model.state_dict(), strict=False)
        model.train()
        cross_entropy(model(samples.inputs), samples.targets).backward()
        return flat(tuple(p.grad for p in model.parameters() if p.grad is not None)).double()

    rows = torch.stack([gradient_of(part) for part in parts])
    scale = rows.square().sum(1).mean().item()
    assert np.array(found.products) == pytest.approx((rows @ rows.T).numpy(), abs=1e-4 * scale)
    assert moments([found]).spread == pytest.approx(16 * rows.var(0).sum().item(), rel=1e-3)
    both = Samples(
        *(torch.cat([getattr(part, name) for part in parts[:2]]) for name in ("inputs", "targets"))
    )
    assert (rows[0] + rows[1] - 2 * gradient_of(both)).norm() > 1e-3 * rows[0].norm()


@pytest.mark.parametrize("training", [True, False])
def test_measuring_leaves_no_trace(training: bool) -> None:
    trainer = session().trainer
    trainer.step(SMALL.knobs)
    trainer.model.train(training)
    gradients = [parameter.grad for parameter in trainer.model.parameters()]
    kept = [gradient.clone() for gradient in gradients if gradient is not None]
    row, state = trainer.buffers.row.clone(), torch.get_rng_state()
    parts = draw(trainer.subject.training, generator())

    def stop() -> NoReturn:
        raise KeyboardInterrupt

    measure(trainer.subject, parts)
    with pytest.raises(KeyboardInterrupt):
        measure(trainer.subject, parts, stop)

    after = [parameter.grad for parameter in trainer.model.parameters()]
    assert all(a is b for a, b in zip(gradients, after, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(kept, after, strict=True) if b is not None)
    assert torch.equal(trainer.buffers.row, row)
    assert torch.equal(torch.get_rng_state(), state)
    assert trainer.model.training is training


# What is said of them


def drawn(scale: float, count: int = WINDOW, seed: int = 0) -> list[Measurement]:
    """Measure a gradient in 100 directions of equal noise, whose noise scale is `scale` images."""
    random = np.random.default_rng(seed)
    noise = random.standard_normal((count, PARTS, 100)) / math.sqrt(100 * PART)
    noise[:, :, 0] += 1 / math.sqrt(scale)
    return [measurement(one) for one in noise]


def test_averages_are_taken_before_dividing() -> None:
    measured = drawn(3000)
    each = [moments([one]) for one in measured]
    gradient, spread = sum(one.gradient for one in each), sum(one.spread for one in each)
    assert estimate(measured, 7, 4000).scale == pytest.approx(spread / gradient)


def test_a_scale_has_two_ends_and_suggests_a_batch_within_them() -> None:
    found = estimate(drawn(200), 7, 4000)
    assert found.low < found.low_68 < found.scale < found.high_68 < found.high < 400
    assert found.suggested_batch == 256
    assert (found.update, found.measurements) == (7, WINDOW)


def test_a_gradient_that_is_lost_in_noise_bounds_the_scale_from_below_alone() -> None:
    found = estimate(drawn(1e9), 7, 4000)
    assert 1000 < found.low < found.low_68
    assert found.high == found.high_68 == math.inf
    assert found.suggested_batch is None


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_is_never_empty_and_the_wider_one_holds_the_other(seed: int) -> None:
    for scale in (50, 3000, 20_000, 1e9):
        found = estimate(drawn(scale, seed=seed), 7, 4000)
        assert 0 < found.low <= found.low_68 <= found.scale <= found.high_68 <= found.high


@pytest.mark.parametrize("product", [math.nan, math.inf, 0.0])
def test_where_nothing_can_be_told_nothing_is(product: float) -> None:
    found = estimate([equal(product)], 7, 4000)
    assert (found.low, found.high) == (found.low_68, found.high_68) == (0.0, math.inf)
    assert found.suggested_batch is None
    assert not math.isfinite(found.scale)


def test_one_number_that_is_not_finite_spoils_the_average() -> None:
    found = estimate([*drawn(200, 3), equal(math.nan)], 7, 4000)
    assert (found.low, found.high) == (0.0, math.inf)
    assert math.isnan(found.scale)


def test_equal_gradients_have_no_noise() -> None:
    found = estimate([equal(0.3)] * 2, 7, 4000)
    assert found.scale == pytest.approx(0.0, abs=1e-9)
    assert (found.low, found.high, found.suggested_batch) == (0.0, 0.0, 1)


@pytest.mark.parametrize(
    ("low", "high", "batch"),
    [
        *((0.0, 0.0, 1), (1.0, 1.9, 1), (1.0, 2.1, 2), (600.0, 1400.0, 1024), (100.0, 400.0, 256)),
        *((2000.0, 5000.0, None), (900.0, 1e300, None)),
    ],
)
def test_the_batch_suggested_is_the_power_of_two_in_the_middle_if_there_are_so_many_images(
    low: float, high: float, batch: int | None
) -> None:
    assert suggested_batch(low, high, 2048 + 1952 * (batch is not None)) == batch


# In a run


def report_of(observation: Observation, config: RunConfig = SMALL) -> EpochReport:
    run = session(config, observation)
    updates = len(run.trainer.dataset.train) // 16
    (report,) = [report for _ in range(updates) for report in run.train_once(None)]
    if report.noise:
        series = snapshot_of(run, Phase.RUNNING).series["noise_scale"]
        assert series.x.tolist() == [report.update]
        assert series.last.tolist() == [report.noise_scale]
    return report


def test_an_epochs_end_measures_it_the_same_each_time_and_only_when_asked() -> None:
    report = report_of(AT_ENDS)
    assert report.noise is not None
    assert (report.noise.update, report.noise.measurements) == (8, WINDOW)
    assert 0 < report.noise_scale_low <= report.noise_scale <= report.noise_scale_high
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
    kinds = [WHY if kind in (*SUFFERS, *SOUND) else kind for kind in kinds]
    assert kinds == (expected * len(ROUND))[: len(kinds)]
    assert len(snapshot_of(run, Phase.RUNNING).series["noise_scale"]) == kinds.count(NOISE)

    kinds.clear()
    run = session(config, replace(LIVE, noise_scale=False))
    for _ in range(len(ROUND)):
        run.train_once(None)
    assert NOISE not in kinds
    assert snapshot_of(run, Phase.RUNNING).noise is None


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
    takes(validation, "evaluate", 1.5)
    takes(observer, "measure", 3.0)
    run = session(replace(SMALL, train_size=4000, width=1 / 32))
    budget = run.observer.budget = Budget(clock)

    def train(until: float) -> int:
        """Train for so long, seen after every update; return how often noise was measured."""
        while budget.total < until:
            run.train_once(None)
            snapshot = snapshot_of(run, Phase.RUNNING)
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
        assert report.noise_scale == pytest.approx(0.0, abs=1e-4)
        assert report.noise_scale_high == 0.0
        assert report.noise.suggested_batch == 1


@pytest.mark.parametrize(("observation", "measured"), [(LIVE, True), (AT_ENDS, False)])
def test_a_live_run_ends_with_a_measurement(observation: Observation, measured: bool) -> None:
    run = session(observation=observation)
    run.train_once(None)
    run.conclude()
    noise = snapshot_of(run, Phase.FINISHED).noise
    assert (noise is not None) is measured
    if noise:
        assert noise.update == 1
