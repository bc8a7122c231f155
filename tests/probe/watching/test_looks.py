"""What looks measure of a training under way, and that they leave it as it was."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import bntui
from bntui.core.estimators import ROWS
from bntui.measure.layers import layers_of
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.looks import Looks
from tests.as_found import as_found
from tests.cases.data import digits, endless, mlp, small_cnn
from tests.cases.test_unchanged import held_by

After = Callable[[int], object]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fit(
    model: nn.Module,
    training: Any,
    statistics: Statistics,
    updates: int,
    rate: float = 0.1,
    after: After = lambda _: None,
) -> None:
    """Train in the plainest loop there is; `after` is called between the step and the next forward."""
    steps = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    model.train()
    for update, (inputs, labels) in zip(range(1, updates + 1), endless(training), strict=False):
        steps.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        steps.step()
        statistics.step()
        after(update)


def early(**given: Any) -> tuple[Looks, nn.Module]:
    """Return looks at a network after 8 large batches, whose statistics hold much of their start values."""
    torch.manual_seed(0)
    model = mlp(hidden=(64, 64, 64))
    statistics = Statistics(model)
    looks = Looks(model, statistics, **given)
    fit(model, digits(batch=500), statistics, 8)
    return looks, model


def loaders() -> dict[str, Any]:
    return {"validation": digits("validation"), "training": digits(batch=500)}


def everything(model: nn.Module, given: dict[str, Any]) -> list[Any]:
    return [as_found(model), *map(held_by, given.values()), torch.is_grad_enabled()]


ALL = ("validate", "look_back", "report")


def look(looks: Looks, which: str) -> object:
    return looks.report(1) if which == "report" else getattr(looks, which)(8)


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("names", [("validation", "training"), ("validation",), ("training",), ()])
def test_a_look_leaves_everything_as_it_was(which: str, names: tuple[str, ...]) -> None:
    given = {name: loader for name, loader in loaders().items() if name in names}
    looks, model = early(**given)
    before = everything(model, given)
    look(looks, which)
    assert everything(model, given) == before
    look(looks, which)
    assert everything(model, given) == before


class BoomError(Exception):
    """What the user's own code raises."""


class Cut(BaseException):
    """As KeyboardInterrupt, which would end the tests."""


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize("call", [1, 5, 20])
def test_what_the_model_raises_comes_out_and_everything_is_as_it_was(which: str, call: int) -> None:
    given = loaders()
    looks, model = early(**given)
    calls = 0

    def fail(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error

    error: type[BaseException] = Cut if call == 5 else BoomError
    layers_of(model)[1][1].register_forward_pre_hook(fail)
    before = everything(model, given)
    with pytest.raises(error):
        look(looks, which)
    assert everything(model, given) == before


def test_what_a_loader_raises_comes_out_and_the_next_look_loads_again() -> None:
    class Broken(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield from super().__iter__()
            if not mended:
                raise BoomError

    mended: list[bool] = []
    looks, model = early(validation=Broken(list(digits("validation", count=100))))
    before = as_found(model)
    with pytest.raises(BoomError):
        looks.validate(8)
    assert as_found(model) == before
    mended.append(True)
    assert looks.validate(8).images == 100


def test_a_validation_has_both_scores_and_every_layers_drift() -> None:
    looks, model = early(**loaders())
    validation = looks.validate(8)
    report = bntui.check(model, digits("validation"), digits(batch=500))
    assert report.running is not None
    assert validation.running.accuracy == report.running.score
    assert validation.running.loss == pytest.approx(report.running.loss)
    assert sum(validation.running.predicted) == validation.images == 512
    assert validation.difference.images == 512
    assert validation.fresh.accuracy > validation.running.accuracy + 0.03
    assert [one.name for one in validation.layers] == [name for name, _ in layers_of(model)]
    assert all(one.detail.values is not None for one in validation.layers)
    assert validation.layers[0].start_left == pytest.approx(0.9**8)
    assert validation.corrected is not None
    assert looks.score == "accuracy"


def test_fresh_statistics_are_torchs_of_the_same_batch() -> None:
    """With momentum 1 running statistics are those of the last batch, in torch's convention."""
    torch.manual_seed(0)
    model = mlp(momentum=1.0)
    statistics = Statistics(model)
    batch = next(iter(digits(batch=64)))
    looks = Looks(model, statistics, training=[batch])
    model.train()
    model(batch[0])
    statistics.step()
    layers = looks.validate(1).layers
    for layer in layers:
        values = layer.detail.values
        assert values is not None
        np.testing.assert_allclose(values.fresh, values.running, rtol=1e-5, atol=1e-6)


def test_hindsight_scores_every_row_on_the_same_samples() -> None:
    looks, _ = early(**loaders())
    moment = looks.look_back(8)
    assert len(moment.accuracy) == len(moment.gains) == len(moment.behind) == len(ROWS)
    own = ROWS.index("0.9")  # torch's 0.1, from the same start
    assert moment.accuracy[own] == pytest.approx(moment.own, abs=0.011)
    assert moment.gains[own].images == moment.gains[0].images <= 220
    assert moment.momentum == 0.9
    assert max(one.accuracy for one in moment.behind) == 0.0


def test_without_validation_data_hindsight_is_a_distance() -> None:
    looks, _ = early(training=digits(batch=500))
    validation, moment = looks.validate(8), looks.look_back(8)
    assert validation.images == 0
    assert np.isnan(validation.running.accuracy)
    assert validation.running.predicted == ()
    assert moment.own == pytest.approx(max(abs(one.log_var_ratio) for one in validation.layers))
    assert moment.fresh == 0.0
    assert moment.accuracy[ROWS.index("0.999")] > moment.accuracy[ROWS.index("0.5")]


def test_start_values_are_named_with_and_without_validation_data() -> None:
    looks, _ = early(**loaders())
    looks.validate(8)
    assert [(one.cause, one.severity) for one in looks.findings(8)] == [("start-values", "unsound")]
    looks, _ = early()
    looks.validate(8)
    (found,) = looks.findings(8)
    assert (found.cause, found.severity) == ("start-values", "warning")
    assert "not measured" in " ".join(found.evidence)
    assert "validation=" in " ".join(found.remedies)


def test_a_sound_training_is_sound() -> None:
    torch.manual_seed(0)
    model = small_cnn()
    statistics = Statistics(model)
    looks = Looks(model, statistics, **loaders())
    fit(model, digits(), statistics, 150, rate=0.005)
    looks.validate(150)
    assert [one.cause for one in looks.findings(150)] == ["sound"]
    assert looks.report(1).sound


def test_a_graph_that_waits_for_its_backward_pass_is_not_disturbed() -> None:
    looks, model = early(**loaders())
    inputs, labels = next(iter(digits(batch=64)))
    waiting = cross_entropy(model(inputs), labels)
    looks.validate(8)
    looks.look_back(8)
    waiting.backward()


def test_within_autocast_the_next_pass_still_has_gradients() -> None:
    looks, model = early(**loaders())
    inputs, labels = next(iter(digits(batch=64)))
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        looks.validate(8)
        cross_entropy(model(inputs), labels).backward()
    assert all(one.grad is not None for one in model.parameters())


def test_within_autocast_the_weights_at_hand_are_looked_at() -> None:
    """Autocast keeps the weights that it has cast: those of the pass before the step."""
    looks, model = early(**loaders())
    inputs, _labels = next(iter(digits(batch=64)))
    head: Any = list(model.modules())[-1]
    with torch.autocast("cpu", torch.bfloat16):
        model(inputs)
        head.weight.data.zero_()
        validation = looks.validate(8)
    assert sorted(validation.running.predicted)[-2:] == [0, 512]


def test_modes_of_training_are_those_when_it_was_seen_last() -> None:
    torch.manual_seed(0)
    model = mlp()
    statistics = Statistics(model)
    looks = Looks(model, statistics, **loaders())
    first: Any = layers_of(model)[0][1]
    for one in first.parameters():
        one.requires_grad_(False)
    fit(model, digits(), statistics, 3)
    looks.validate(3)
    assert "not-frozen" in [one.cause for one in looks.findings(3)]
    model.eval()
    assert "not-frozen" in [one.cause for one in looks.report(1).verdicts]


def test_a_training_loader_with_lasting_workers_goes_on_where_it_was() -> None:
    class Numbers(torch.utils.data.Dataset[tuple[Tensor, int]]):
        def __len__(self) -> int:
            return 64

        def __getitem__(self, place: int) -> tuple[Tensor, int]:
            return torch.full((1, 28, 28), float(place)), place % 10

    loader = torch.utils.data.DataLoader(
        Numbers(), 8, shuffle=True, num_workers=1, persistent_workers=True
    )
    looks, _ = early(training=loader)
    seen = []
    for number, (inputs, _labels) in enumerate(loader):
        seen += inputs[:, 0, 0, 0].int().tolist()
        if number == 1:
            looks.validate(8)
    assert sorted(seen) == list(range(64))


def test_only_as_many_samples_are_kept_as_there_is_memory_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bntui.probe.watching.looks.MOST_BYTES", 3200 * 100)
    looks, _ = early(**loaders())
    assert 80 <= looks.validate(8).images <= 120
    assert any("validation samples were kept" in one for one in looks.notes)


def test_looks_do_not_disturb_what_statistics_follow() -> None:
    def rows(after: Callable[[Looks], After]) -> Tensor:
        torch.manual_seed(0)
        model = mlp()
        statistics = Statistics(model)
        looks = Looks(model, statistics, **loaders())
        fit(model, digits(), statistics, 6, after=after(looks))
        assert set(statistics.calls) == {1}
        recent = statistics.recent()
        assert recent is not None
        return torch.stack([statistics.own(), recent, *map(statistics.row, ROWS)])

    def all_looks(looks: Looks) -> After:
        def look(update: int) -> None:
            looks.validate(update)
            looks.look_back(update)
            looks.report(1)

        return look

    assert torch.equal(rows(all_looks), rows(lambda _looks: lambda _update: None))


@pytest.mark.parametrize("which", ALL)
def test_what_a_metric_raises_comes_out_and_everything_is_as_it_was(which: str) -> None:
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        calls.append(len(targets))
        if len(calls) == 3:
            raise BoomError
        return (outputs.argmax(1) == targets).float()

    calls: list[int] = []
    looks, model = early(**loaders(), metric=metric)
    before = as_found(model)
    with pytest.raises(BoomError):
        look(looks, which)
    assert as_found(model) == before
    assert looks.validate(8).running.accuracy > 0.5
    assert looks.score == "score"
    assert np.isnan(looks.validate(8).running.loss)


def test_batches_that_are_dicts_and_a_forward_of_the_users() -> None:
    def named(split: str) -> list[dict[str, Tensor]]:
        return [{"pixels": x, "labels": y} for x, y in digits(split, batch=100)]

    def forward(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        outputs: Tensor = model(batch["pixels"])
        return outputs

    looks, _ = early(validation=named("validation"), training=named("training"), forward=forward)
    plain, _ = early(validation=digits("validation", batch=100), training=digits(batch=100))
    assert looks.validate(8).running.accuracy == pytest.approx(
        plain.validate(8).running.accuracy, abs=0.05
    )
    assert looks.score == "accuracy"


def test_a_recalibrated_model_is_seen_anew_at_the_same_update() -> None:
    looks, model = early(**loaders())
    before = looks.validate(8)
    bntui.recalibrate(model, digits(batch=500))
    assert looks.look_back(8).own > before.running.accuracy


def test_fewer_samples_are_looked_at_where_an_evaluation_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bntui.probe.watching.looks.MOST_SECONDS", 0.0)
    looks, _ = early(**loaders())
    assert looks.validate(8).images == 64
    assert any("64 validation samples are looked at: 512 would take" in one for one in looks.notes)
