"""The reports of a run's epochs, from which an experiment concludes."""

from dataclasses import replace

import pytest

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.measured import NO_DETAIL
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.experiments.outcome import outcome
from bntui.measure.budget import Budget
from bntui.train import session as sessions
from bntui.train.session import Session
from tests.train.sessions import snapshot_of

CONFIG = RunConfig(
    train_size=96, width=0.0625, device="cpu", epochs=3, knobs=Knobs(batch_size=16, momentum=0.9)
)
"""Six updates an epoch."""
HEADLESS = Observation(live=False)


def session(config: RunConfig = CONFIG, observation: Observation = HEADLESS) -> Session:
    return Session(RunRequest(config, observation))


def finished(run: Session) -> Snapshot:
    while not run.finished:
        run.train_once(None)
    run.conclude()
    return snapshot_of(run, Phase.FINISHED)


def test_all_are_at_hand_in_order_and_the_last_one_by_itself() -> None:
    snapshot = finished(session())
    assert [(report.epoch, report.update) for report in snapshot.reports] == [
        (1, 6),
        (2, 12),
        (3, 18),
    ]
    assert snapshot.report is snapshot.reports[-1]
    assert Snapshot().report is None


def test_layers_are_kept_without_their_channels() -> None:
    (report, *_) = finished(session()).reports
    assert report.layers
    assert all(layer.detail is NO_DETAIL for layer in report.layers)


def test_an_epochs_report_takes_the_place_of_that_of_its_part() -> None:
    run = session(replace(CONFIG, epochs=100, steps=8))
    assert [report.update for report in finished(run).reports] == [6, 8]
    run.extend()
    assert [report.update for report in finished(run).reports] == [6, 12, 16]


def test_of_very_many_the_last_ones_are_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_REPORTS", 2)
    assert [report.epoch for report in finished(session()).reports] == [2, 3]


def test_a_look_at_a_recalibration_hides_none_that_was_applied() -> None:
    run = session(replace(CONFIG, at=(Change(3, "recalibrate"),)))
    finished(run)
    run.recalibrate(apply=False)
    snapshot = snapshot_of(run, Phase.FINISHED)
    assert snapshot.recalibration
    assert snapshot.recalibrated
    assert (snapshot.recalibration.update, snapshot.recalibrated.update) == (18, 3)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_an_outcome_is_the_same_with_a_screen_and_without(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise behind the explorer's conclusions; only what the clock says may differ."""
    monkeypatch.setattr(Budget, "allows", lambda *_: True)
    changes = (Change(7, "momentum", 0.5), Change(18, "recalibrate"))
    config = replace(CONFIG, norm=norm, at=changes)
    asked = replace(HEADLESS, hindsight=True, epoch_noise=True)
    without = finished(session(config, asked))
    watched = finished(session(config, replace(asked, live=True, noise_scale=True)))
    assert len(watched.series["val_acc"]) > len(without.series["val_acc"])
    assert len(watched.series["noise_scale"]) > len(without.series["noise_scale"])
    clock = {"seconds", "images_per_s"}
    one, other = (
        {name: list(map(repr, values)) for name, values in outcome(run).values.items()}
        for run in (without, watched)
    )
    assert one.keys() == other.keys()
    assert ("0.9" in one, "recalibrated_to" in one) == (norm == "batch", norm == "batch")
    for name in one.keys() - clock:
        assert one[name] == other[name], name
