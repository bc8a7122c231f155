"""Measuring networks that are not ours: right by an oracle of torch's own, and without a trace."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.core.config import Observation
from bntui.measure.any_module import AnyModule
from bntui.measure.budget import Budget
from bntui.measure.drift import compare_modes, drift
from bntui.measure.estimators import CORRECTED, ESTIMATORS, OWN, initial
from bntui.measure.evaluation import evaluate
from bntui.measure.layers import layers_of
from bntui.measure.noise_scale import draw, measure
from bntui.measure.observer import Observer
from bntui.measure.questions import Question
from tests.measure.foreign import BATCH, MOMENTUM, SHAPES, BoomError, Loop, fuse_of, state

UPDATES = 6
SHARED = "residual with a shared block"
DROPOUT = "perceptron with BatchNorm1d"


@pytest.fixture(params=SHAPES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def loop(kind: str) -> Loop:
    trained = Loop(kind)
    trained.train(UPDATES)
    return trained


def layers_in(network: nn.Module) -> list[nn.Module]:
    return [layer for _, layer in layers_of(network)]


def under(loop: Loop, row: Tensor) -> nn.Module:
    """Return a copy of the network in eval mode with `row` in its buffers, put there by hand."""
    network = deepcopy(loop.network).eval()
    start = 0
    for layer in layers_in(network):
        mean, variance = layer.running_mean, layer.running_var
        assert isinstance(mean, Tensor)
        assert isinstance(variance, Tensor)
        mean.data = row[0, start : start + len(mean)].clone()
        variance.data = row[1, start : start + len(mean)].clone()
        start += len(mean)
    assert start == row.shape[1]
    return network


def counted(network: nn.Module, inputs: Tensor) -> list[list[Tensor]]:
    """Return what every layer with statistics gets in one training-mode pass, call by call."""
    network = deepcopy(network).train()
    layers = layers_in(network)
    seen: list[list[Tensor]] = [[] for _ in layers]
    for layer, calls in zip(layers, seen, strict=True):
        layer.register_forward_pre_hook(
            lambda _, args, calls=calls: calls.append(args[0].detach().clone())
        )
    torch.manual_seed(11)
    network(inputs)
    return seen


# Right


def test_the_layers_are_found_by_what_they_are() -> None:
    names = {kind: Loop(kind).subject.layers for kind in SHAPES}
    assert {kind: (found.names, found.positions) for kind, found in names.items()} == {
        "perceptron with BatchNorm1d": (("norm1", "norm2"), (1, 1)),
        "residual with a shared block": (("stem.1", "block.1"), (36, 36)),
        "volumes with BatchNorm3d": (("norm1", "norm2"), (64, 8)),
    }

    class Frozen(nn.Module):
        """As detection libraries have it: no module of torch's, and never updated."""

        eps = 1e-5

        def __init__(self) -> None:
            super().__init__()
            for name, value in (("running_mean", torch.zeros(2)), ("running_var", torch.ones(2))):
                self.register_buffer(name, value)

    others = nn.ModuleList(
        [
            nn.BatchNorm2d(2, track_running_stats=False),
            nn.InstanceNorm2d(2, track_running_stats=True),
            nn.GroupNorm(1, 2),
            nn.LayerNorm(2),
            nn.LazyBatchNorm2d(),
            nn.BatchNorm2d(2, affine=False),
            Frozen(),
            nn.SyncBatchNorm(2),
        ]
    )
    assert [name for name, _ in layers_of(others)] == ["5", "6", "7"]


def test_fresh_statistics_are_the_mean_of_every_call_s(loop: Loop) -> None:
    inputs = loop.subject.training.inputs
    torch.manual_seed(11)
    fresh = loop.subject.collect(inputs).double()
    expected = []
    for calls in counted(loop.network, inputs):
        flat = [x.double().transpose(0, 1).flatten(1) for x in calls]
        means = torch.stack([x.mean(1) for x in flat]).mean(0)
        variances = torch.stack([x.var(1, correction=0) for x in flat]).mean(0)
        expected.append(torch.stack([means, variances]))
    torch.testing.assert_close(fresh, torch.cat(expected, 1), rtol=1e-5, atol=1e-6)


def test_evaluating_is_a_forward_pass_with_the_row_in_the_buffers(loop: Loop) -> None:
    subject, validation = loop.subject, loop.subject.validation
    held = subject.layers.running()
    rows = [held, *loop.estimators.rows, subject.collect(subject.training.inputs), held]
    for row, outcome in zip(rows, evaluate(subject, rows, validation), strict=True):
        with torch.no_grad():
            outputs = under(loop, row)(validation.inputs)
        losses = cross_entropy(outputs, validation.targets, reduction="none")
        torch.testing.assert_close(outcome.losses, losses.double())
        assert outcome.correct.tolist() == (outputs.argmax(1) == validation.targets).tolist()
    with torch.no_grad():  # what the buffers hold is evaluated as it is
        whole = loop.network.eval()(validation.inputs)
    assert torch.equal(under(loop, held)(validation.inputs), whole)


def test_equal_rows_take_one_pass(loop: Loop) -> None:
    fuse = fuse_of(loop.network)
    fuse.calls.left = 1
    own = loop.estimators[OWN]
    first, second = evaluate(loop.subject, [own, own.clone()], loop.subject.validation)
    assert fuse.calls.left == 0
    assert torch.equal(first.losses, second.losses)


def test_the_own_row_follows_torchs_own_buffers(kind: str, loop: Loop) -> None:
    """At torch's momentum of 0.1, but for its unbiased variance; a shared layer moves twice a pass."""
    if kind == SHARED:
        pytest.skip(
            "torch moves the shared layer's buffers once a call, an estimator once an update"
        )
    own, held, layers = loop.estimators[OWN], loop.subject.layers.running(), loop.subject.layers
    start = MOMENTUM**UPDATES
    n = layers.per_channel(BATCH * positions for positions in layers.positions)
    torch.testing.assert_close(own[0], held[0], rtol=1e-4, atol=1e-5)
    biased = start + (held[1] - start) * (n - 1) / n
    torch.testing.assert_close(own[1], biased, rtol=1e-4, atol=1e-5)


def test_drift_and_modes_are_what_the_layers_put_out(kind: str, loop: Loop) -> None:
    subject, own = loop.subject, loop.estimators[OWN]
    inputs = subject.validation.inputs
    compared = compare_modes(subject, own, inputs)
    outputs: dict[str, list[list[Tensor]]] = {}
    networks = under(loop, own), deepcopy(loop.network).eval()
    for layer in layers_in(networks[1]):
        layer.train()
    results = []
    for network in networks:
        for name, layer in layers_of(network):
            calls: list[Tensor] = []
            outputs.setdefault(name, []).append(calls)
            layer.register_forward_hook(lambda _, __, out, calls=calls: calls.append(out.clone()))
        with torch.no_grad():
            results.append(network(inputs))
    expected = [
        np.mean([float((a - b).norm() / b.norm()) for a, b in zip(*both, strict=True)])
        for both in outputs.values()
    ]
    assert compared.errors == pytest.approx(expected, rel=1e-5)
    assert [len(calls) for calls, _ in outputs.values()] == ([1, 2] if kind == SHARED else [1, 1])
    flipped = (results[0].argmax(1) != results[1].argmax(1)).double().mean().item()
    assert compared.flipped == pytest.approx(flipped)

    fresh = subject.collect(subject.training.inputs)
    found = drift(subject.layers, own, fresh, loop.estimators[CORRECTED], 0.5, compared.errors)
    start = 0
    for said, module in zip(found, layers_in(loop.network), strict=True):
        (r, v), (mu, variance) = (row[:, start : start + said.channels] for row in (own, fresh))
        eps, scale = module.eps, module.weight
        assert isinstance(eps, float)
        gamma = scale.detach() if isinstance(scale, Tensor) else torch.ones(said.channels)
        gap = ((r - mu) / (variance + eps).sqrt()).abs().mean().item()
        assert said.mean_gap == pytest.approx(gap, rel=1e-5)
        a, b = (v + eps).sqrt(), (variance + eps).sqrt()
        square = gamma**2 * (((r - mu) / a) ** 2 + variance * (1 / a - 1 / b) ** 2)
        assert said.output_error == pytest.approx(square.mean().sqrt().item(), rel=1e-4)
        start += said.channels


def test_noise_is_measured_from_the_gradients_of_each_part(kind: str, loop: Loop) -> None:
    if kind == DROPOUT:
        loop.network.drop = nn.Identity()  # what is dropped is drawn anew
    parts = draw(loop.subject.training, torch.Generator().manual_seed(0))
    found = measure(loop.subject, parts)
    rows = []
    for part in parts:
        network = deepcopy(loop.network).train()
        network.zero_grad()
        cross_entropy(network(part.inputs), part.targets).backward()
        rows.append(
            torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
        )
    products = (torch.stack(rows) @ torch.stack(rows).T).double().numpy()
    assert np.array(found.products) == pytest.approx(products, rel=1e-3, abs=1e-6)


def test_hindsight_is_the_accuracy_under_every_estimator(loop: Loop) -> None:
    observer = Observer(loop, Observation(), 0)
    observer.look_back(asked=True)
    observer.ask_what_if()
    found = observer.what_if
    assert found
    assert observer.hindsight
    validation = loop.subject.validation
    names = [name for name in ESTIMATORS if name != OWN]
    for name, accuracy in zip(names, found.accuracy[:, 0], strict=True):
        outputs = under(loop, loop.estimators[name])(validation.inputs)
        right = (outputs.argmax(1) == validation.targets).double().mean().item()
        assert accuracy == pytest.approx(right)


def test_exchanging_a_layers_statistics_is_what_it_does_by_hand(kind: str, loop: Loop) -> None:
    loop.estimators[OWN].copy_(initial(loop.subject.layers))  # far off
    if kind == DROPOUT:
        loop.network.drop = nn.Identity()
    observer = Observer(loop, Observation(), 0)
    observer.validate(asked=True)
    observer.ask(Question.EXCHANGES, asked=True)
    found = observer.questions.exchanges
    assert found
    validation = loop.subject.validation
    own = loop.estimators[OWN]
    fresh = loop.subject.collect(observer.subsets.fresh.inputs)

    def loss(row: Tensor) -> float:
        with torch.no_grad():
            return cross_entropy(under(loop, row)(validation.inputs), validation.targets).item()

    assert found.running.loss == pytest.approx(loss(own), rel=1e-5)
    assert found.fresh.loss == pytest.approx(loss(fresh), rel=1e-5)
    start = 0
    for exchange, channels in zip(found.layers, loop.subject.layers.channels, strict=True):
        alone, rescued = fresh.clone(), own.clone()
        place = slice(start, start + channels)
        alone[:, place], rescued[:, place] = own[:, place], fresh[:, place]
        assert exchange.alone.loss == pytest.approx(loss(alone) - loss(fresh), rel=1e-3, abs=1e-5)
        assert exchange.rescued.loss == pytest.approx(loss(rescued) - loss(own), rel=1e-3, abs=1e-5)
        start += channels


def test_a_data_check_tells_other_data_from_the_same(kind: str) -> None:
    shifts = []
    for moved in (0.0, 6.0):
        loop = Loop(kind)
        loop.train(UPDATES)
        loop.subject.validation.inputs.add_(moved)
        observer = Observer(loop, Observation(), 0)
        observer.ask(Question.DATA, asked=True)
        found = observer.questions.data_check
        assert found
        assert [shift.name for shift in found.shifts] == ["input", *loop.subject.layers.names]
        assert (found.images, found.training_images, found.statistics_images) == (60, 96, 96)
        shifts.append(found.shifts[0].mean_gap)
    assert shifts[1] > shifts[0] + 1.0


# Without a trace

EVERYTHING: dict[str, Callable[[Loop, Observer], object]] = {
    "finding the layers": lambda loop, _: AnyModule(
        loop.network, loop.subject.training, loop.subject.validation, loop.subject.scoring
    ),
    "collecting": lambda loop, _: loop.subject.collect(loop.subject.training.inputs),
    "evaluating": lambda loop, _: evaluate(
        loop.subject, list(loop.estimators.rows), loop.subject.validation
    ),
    "comparing modes": lambda loop, _: compare_modes(
        loop.subject, loop.estimators[OWN], loop.subject.validation.inputs
    ),
    "measuring noise": lambda _, observer: observer.measure_noise(asked=True),
    "validating": lambda _, observer: observer.validate(asked=True),
    "looking back": lambda _, observer: observer.look_back(asked=True),
    "asking what if": lambda _, observer: observer.ask_what_if(),
    "exchanging layers": lambda _, observer: observer.ask(Question.EXCHANGES, asked=True),
    "waiting": lambda _, observer: observer.ask(Question.WAITING, asked=True),
    "waiting by layer": lambda _, observer: observer.ask(Question.LAYERS_WAITING, asked=True),
    "exchanging channels": lambda _, observer: observer.ask(Question.CHANNELS, asked=True),
    "checking data": lambda _, observer: observer.ask(Question.DATA, asked=True),
    "explaining": lambda _, observer: observer.explain(60),
    "recalibrating": lambda _, observer: observer.recalibrate(apply=True),
    "observing live": lambda _, observer: observer.observe_if_due(),
    "ending an epoch": lambda _, observer: observer.end_epoch(),
}


@pytest.mark.parametrize("left", [None, 0, 1, 3], ids="after {} passes".format)
@pytest.mark.parametrize("training", [True, False], ids=["in training", "in eval mode"])
def test_measuring_leaves_a_network_as_it_was(
    loop: Loop, kind: str, training: bool, left: int | None
) -> None:
    network = loop.network
    observer = Observer(
        loop, Observation(hindsight=True, noise_scale=True, epoch_noise=True), seed=0
    )
    observer.validate(asked=True)
    network.train(training)
    next(iter(network.children())).train(
        not training
    )  # a part that its owner holds in another mode
    network.register_forward_hook(lambda *_: None)
    before = state(network)
    raised = 0
    for name, look in EVERYTHING.items():
        fuse_of(network).calls.left = left
        try:
            look(loop, observer)
        except BoomError:
            raised += 1
        assert state(network) == before, name
    assert raised == (0 if left is None else raised)
    assert left is None or raised >= 13 - 3 * left


def test_a_round_of_observing_measures_all_there_is(loop: Loop) -> None:
    observer = Observer(loop, Observation(hindsight=True, noise_scale=True, epoch_noise=True), 0)
    observer.budget = Budget(lambda: 0.0)  # nothing takes any time
    for _ in range(14):
        observer.observe_if_due()
        loop.train(1)
    report = observer.end_epoch()
    assert observer.validation
    assert observer.hindsight
    assert observer.noise
    assert observer.questions.exchanges
    assert (report.update, len(report.layers)) == (UPDATES + 14, 2)
    assert 0.0 <= report.val_acc <= 1.0
    assert len(report.hindsight) == len(ESTIMATORS) - 1
    assert report.noise
    assert loop.epoch == 2
