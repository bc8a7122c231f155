"""`bntui.watch` around a user's own loop."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD
from torch.utils.data import DataLoader, TensorDataset

import bntui
from bntui.core.run import Command
from bntui.core.snapshot import Phase
from bntui.core.watched import Found
from bntui.probe.errors import ProbeError
from bntui.probe.watching.watched_training import Watching
from bntui.store.database import Store


def samples(count: int = 256) -> TensorDataset:
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(count, 1, 6, 6, generator=draws)
    return TensorDataset(inputs, (inputs.mean((1, 2, 3)) > 0).long())


def loader(batch: int = 32) -> DataLoader[Any]:
    return DataLoader(samples(), batch)


def net(momentum: float = 0.1) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, momentum=momentum), nn.Flatten(), nn.Linear(64, 2)
    )


def train(model: nn.Module, updates: int = 16, *, probe: Watching | None = None) -> list[float]:
    sgd = SGD(model.parameters(), 0.1, momentum=0.9)
    losses = []
    data = samples()
    for update in range(updates):
        inputs, labels = data[32 * (update % 8) : 32 * (update % 8) + 32]
        sgd.zero_grad()
        loss = cross_entropy(model(inputs), labels)
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


def test_losses_looks_and_the_verdict_are_in_the_store(store: Path, capsys: Any) -> None:
    model = net()
    with bntui.watch(
        model, validation=loader(), training=loader(), every=4, store=store, name="mine"
    ) as probe:
        losses = train(model)
    snapshot = probe.snapshot
    assert (snapshot.phase, snapshot.update) == (Phase.FINISHED, 16)
    assert snapshot.series["train_loss"].last.tolist() == pytest.approx(losses)
    assert snapshot.series["val_acc"].x.tolist() == [4, 8, 12, 16, 16]
    assert snapshot.hindsight
    assert snapshot.hindsight.updates.tolist() == [4, 8, 12, 16, 16]
    assert snapshot.watched
    assert (snapshot.watched.model, snapshot.watched.momentum) == ("mine", 0.1)
    assert snapshot.watched.batch_size == loader().batch_size
    assert snapshot.watched.findings
    assert snapshot.watched.share > 0
    said = capsys.readouterr()
    assert said.out == ""
    assert snapshot.watched.findings[0].title in said.err
    with Store(store) as opened:
        (kept,) = opened.runs()
        assert kept.id == probe.run
        assert kept.updates == 16
        assert len(opened.points(kept.id)["train_loss"].values) == 16


def test_without_loaders_the_statistics_are_watched_alone(store: Path) -> None:
    model = net(momentum=0.01)
    with bntui.watch(model, every=4, store=store) as probe:
        train(model)
    snapshot = probe.snapshot
    assert snapshot.watched
    assert snapshot.watched.score == ""
    assert snapshot.hindsight
    assert snapshot.hindsight.distance
    assert snapshot.watched.findings
    assert "drift:1" in snapshot.series
    assert not {"val_acc", "val_loss", "fresh_acc", "fresh_loss"} & set(snapshot.series)
    with Store(store) as opened:
        assert "val_acc" not in opened.points(probe.run)


@pytest.mark.parametrize("loaders", [False, True])
def test_nothing_of_the_training_changes(loaders: bool) -> None:
    plain, watched = net(), net()
    expected = train(plain)
    torch.manual_seed(5)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    given = {"validation": loader(), "training": loader()} if loaders else {}
    with bntui.watch(watched, every=3, store=False, **given) as probe:
        assert train(watched) == expected
        probe.look()
    assert torch.equal(torch.rand(1), drawn)
    assert all(map(torch.equal, plain.state_dict().values(), watched.state_dict().values()))
    assert not any(module._forward_pre_hooks for module in watched.modules())
    assert watched.training


def test_logged_losses_are_shown() -> None:
    model = net()
    with bntui.watch(model, store=False) as probe:
        for update in range(3):
            train(model, 1)
            probe.log(loss=float(update), accuracy=torch.tensor(0.5), epoch=2)
    assert probe.snapshot.series["train_loss"].last.tolist()[-3:] == [0.0, 1.0, 2.0]
    assert probe.snapshot.series["train_acc"].latest == 0.5
    assert probe.snapshot.epoch == 2


@pytest.mark.parametrize("loaders", [False, True])
def test_a_recalibration_replaces_the_statistics_until_it_is_undone(loaders: bool) -> None:
    model = net(momentum=0.001)
    norm = model[1]  # type: ignore[index]
    given = {"validation": loader(), "training": loader()} if loaders else {}
    with bntui.watch(model, store=False, **given) as probe:
        train(model, 9)
        before = norm.running_mean.clone()
        restore = probe.recalibrate()
        assert not torch.equal(norm.running_mean, before)
        recent = probe.statistics.recent()
        restore.undo()
        assert torch.equal(norm.running_mean, before)
        train(model, 1)
    assert recent is not None
    assert probe.snapshot.recalibrated
    assert probe.snapshot.recalibrated.update == 9
    assert probe.snapshot.marks[0].change == "recalibrate"


def test_without_an_update_there_is_nothing_to_recalibrate_with() -> None:
    with bntui.watch(net(), store=False) as probe, pytest.raises(ProbeError, match="after an"):
        probe.recalibrate()


def test_a_verdict_is_told_when_it_changes() -> None:
    model, told = net(), list[Found]()
    with bntui.watch(model, every=1, store=False, on_verdict=told.append):
        train(model, 60)
    assert told
    assert all(one.cause != other.cause for one, other in pairwise(told))


def test_what_on_verdict_raises_is_the_user_s() -> None:
    def stop(_: Found) -> None:
        raise RuntimeError("enough")

    model = net()
    with (
        pytest.raises(RuntimeError, match="enough"),
        bntui.watch(model, every=1, store=False, on_verdict=stop) as probe,
    ):
        train(model)
    assert probe.snapshot.phase is Phase.FAILED
    assert probe.snapshot.message == "RuntimeError: enough"


def test_a_loader_that_fails_ends_the_looks_and_not_the_training() -> None:
    class Broken:
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            raise OSError("the disk is gone")

    model = net()
    with bntui.watch(model, validation=Broken(), every=1, store=False) as probe:
        losses = train(model)
    assert losses == train(net())
    assert probe.snapshot.update == 16
    assert probe.snapshot.watched
    assert "the disk is gone" in " ".join(probe.snapshot.watched.notes)


def test_ctrl_c_ends_the_watching_at_once() -> None:
    model = net()
    probe = bntui.watch(model, validation=loader(), store=False)
    train(model, 2)
    probe.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert probe.snapshot.phase is Phase.STOPPED
    assert probe.snapshot.update == 2


def test_a_forked_worker_is_not_watched(store: Path) -> None:
    model = net()
    with bntui.watch(model, store=store) as probe:
        train(model, 1)
        child = os.fork()
        if child == 0:
            train(model, 3)
            said = probe.close()
            os._exit(len(said))
        assert os.waitpid(child, 0)[1] == 0
        train(model, 1)
    assert probe.snapshot.update == 2


@pytest.mark.parametrize(("every", "share"), [(0, 0.05), (True, 0.05), (None, 1.5), (1, "x")])
def test_numbers_out_of_bounds_are_refused(every: Any, share: Any) -> None:
    with pytest.raises(ProbeError, match="must be"):
        bntui.watch(net(), every=every, share=share, store=False)


def test_two_models_are_two_runs(store: Path) -> None:
    first, second = net(), net()
    with (
        bntui.watch(first, store=store) as one,
        bntui.watch(second, store=store) as other,
    ):
        train(first, 3)
        train(second, 5)
    assert (one.snapshot.update, other.snapshot.update) == (3, 5)
    with Store(store) as opened:
        assert {run.id for run in opened.runs()} == {one.run, other.run}


@pytest.mark.parametrize("given", [{"validation": 5}, {"optimizer": 5}])
def test_what_is_refused_leaves_no_hook(given: dict[str, Any]) -> None:
    model = net()
    with pytest.raises(ProbeError):
        bntui.watch(model, store=False, **given)
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_nothing_is_looked_at_while_a_graph_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    model = net()
    with bntui.watch(model, every=1, store=False) as probe:
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        train(model, 3)
        monkeypatch.undo()
        train(model, 2)
    assert probe.snapshot.update == 2
    assert probe.snapshot.series["drift:1"].x.tolist() == [1, 2, 2]


def test_the_last_look_is_told_as_well() -> None:
    model, told = net(momentum=0.001), list[Found]()
    with bntui.watch(
        model, validation=loader(), training=loader(), store=False, on_verdict=told.append
    ) as probe:
        train(model, 5)
    assert probe.snapshot.watched
    assert [one.cause for one in told] == [probe.snapshot.watched.findings[0].cause]


def test_after_a_failed_look_nothing_is_measured_at_the_end() -> None:
    model, scored = net(), list[int]()

    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        scored.append(len(outputs))
        raise ValueError("no metric")

    with bntui.watch(model, validation=loader(), metric=metric, every=4, store=False) as probe:
        train(model)
    assert len(scored) == 1
    assert probe.snapshot.watched
    assert "after update 4" in probe.snapshot.watched.notes[-1]
    assert probe.snapshot.watched.looked == 0


def test_headline_and_panel_have_the_same_figures() -> None:
    model = net(momentum=0.01)
    with bntui.watch(model, validation=loader(), training=loader(), store=False) as probe:
        train(model)
    assert probe.snapshot.validation
    assert probe.snapshot.watched
    fresh = probe.snapshot.validation.fresh.accuracy
    assert any(f"{fresh:.3f}" in said for said in probe.snapshot.watched.findings[0].evidence)


def test_a_request_that_cannot_be_done_does_not_end_the_looks() -> None:
    model = net()
    model[1].eval()  # type: ignore[index]
    with bntui.watch(
        model, validation=loader(), training=loader(), every=4, control=True, store=False
    ) as probe:
        probe._take_request(Command.RECALIBRATE)
        train(model)
    assert probe.snapshot.series["val_acc"].x.tolist() == [4, 8, 12, 16, 16]
    assert probe.snapshot.watched
    assert "A recalibration was asked for" in " ".join(probe.snapshot.watched.notes)
