"""Every cause that a verdict can name, each produced by a real small run of the engine.

Data, frozen statistics or a fault are arranged; statistics and what the verdict reads are not.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bntui.core.config import Change, Knobs, Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import percent
from bntui.data import dataset
from bntui.data.dataset import Dataset, Split
from bntui.diagnose.causes import Cause, Verdict, recent_accuracy
from bntui.diagnose.remedies import Remedy, RemedyName
from bntui.diagnose.stale import start_share
from bntui.diagnose.verdict import verdict
from bntui.measure.estimators import Estimators
from bntui.train.runner import Runner
from bntui.train.session import Session
from tests.train.sessions import snapshot_of
from tests.ui.scripted import mid_run

KNOBS = Knobs(batch_size=64, momentum=0.99)
SMALL = RunConfig(train_size=600, width=0.125, seed=1, knobs=KNOBS)


def trained(config: RunConfig, updates: int) -> Session:
    """Train so many updates, and answer every question at the end."""
    session = Session(RunRequest(config, Observation()))
    for _ in range(updates):
        session.train_once(None)
    session.conclude()
    return session


def judged(config: RunConfig, updates: int) -> tuple[Verdict, Snapshot]:
    snapshot = snapshot_of(trained(config, updates), Phase.PAUSED)
    return verdict(snapshot), snapshot


def with_knobs(**knobs: float) -> RunConfig:
    return replace(SMALL, knobs=replace(KNOBS, **knobs))  # type: ignore[arg-type]


def test_start_values_dominate_when_updates_are_few() -> None:
    judgement, snapshot = judged(SMALL, 40)
    assert judgement.cause is Cause.START
    assert snapshot.validation
    running, fresh = snapshot.validation.running, snapshot.validation.fresh
    text = " ".join(judgement.evidence)
    returns = f"returns with fresh statistics: {running.accuracy:.3f} → {fresh.accuracy:.3f}"
    assert returns in text
    corrected, waiting = snapshot.validation.corrected, snapshot.waiting
    assert corrected
    assert waiting
    share = (corrected.accuracy - running.accuracy) / (fresh.accuracy - running.accuracy)
    assert start_share(snapshot.validation) == share >= 0.5
    assert f"is left; without it validation would be {corrected.accuracy:.3f}" in text
    assert f"sound in {round(waiting.sound_in):,} updates at momentum 0.99" in judgement.outlook
    assert judgement.remedies[0].name is RemedyName.RECALIBRATE


def test_lag_dominates_when_the_start_value_is_gone() -> None:
    # At momentum 0 nothing is left of the start; then the weights move fast under a high momentum.
    changes = (Change(20, "momentum", 0.999), Change(20, "learning_rate", 0.03))
    judgement, snapshot = judged(replace(with_knobs(momentum=0.0), at=changes), 40)
    assert judgement.cause is Cause.LAG
    assert snapshot.validation
    assert snapshot.validation.corrected is None
    assert start_share(snapshot.validation) == 0.0


def test_statistics_that_were_never_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Estimators, "update", lambda *_: None)
    judgement, snapshot = judged(SMALL, 40)
    assert judgement.cause is Cause.NEVER_UPDATED
    assert judgement.remedies == (Remedy(RemedyName.RECALIBRATE, update=snapshot.update),)


def test_one_value_per_channel() -> None:
    judgement, _ = judged(with_knobs(batch_size=1), 3)
    assert judgement.cause is Cause.ONE_VALUE
    assert "dense1_bn" in judgement.evidence[0] or "flatten_bn" in judgement.evidence[0]


def test_a_momentum_of_the_other_convention() -> None:
    judgement, _ = judged(with_knobs(momentum=0.1, batch_size=3), 400)
    assert judgement.cause is Cause.CONVENTION
    assert judgement.remedies[0].momentum == 0.9


def test_the_other_convention_is_not_advised_where_it_was_seen_to_be_no_better() -> None:
    config = replace(with_knobs(momentum=0.01, batch_size=4), width=0.25)
    judgement, snapshot = judged(config, 120)
    assert judgement.cause is Cause.LAG
    assert snapshot.hindsight
    accuracy = dict(zip(snapshot.hindsight.names, snapshot.hindsight.accuracy[:, -1], strict=True))
    assert accuracy["0.99"] < snapshot.hindsight.own[-1] + 0.1
    told = " ".join(judgement.evidence)
    assert "In PyTorch it would mean 0.99, which is" in told
    assert f"0.99 gives {accuracy['0.99']:.3f}" in told
    assert [remedy.momentum for remedy in judgement.remedies] != [0.99]


def test_numbers_that_are_not_finite() -> None:
    judgement, snapshot = judged(with_knobs(learning_rate=1e12), 30)
    assert judgement.cause is Cause.NON_FINITE
    assert snapshot.divergence
    assert (
        f"update {snapshot.divergence.update}, in {snapshot.divergence.layer}"
        in (judgement.evidence[0])
    )


def test_validation_data_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    load: Callable[..., Dataset] = dataset.load

    def inverted(*args: object, **options: object) -> Dataset:
        loaded = load(*args, **options)
        images = 2.0 - loaded.validation.images
        return replace(loaded, validation=Split(images, loaded.validation.labels))

    monkeypatch.setattr(dataset, "load", inverted)
    judgement, snapshot = judged(with_knobs(momentum=0.8), 60)
    assert judgement.cause is Cause.SHIFT
    assert snapshot.data_check
    far = max(snapshot.data_check.shifts, key=lambda layer: layer.mean_gap)
    assert f"{far.mean_gap:.2f} σ" in " ".join(judgement.evidence)


def test_overfitting() -> None:
    config = replace(with_knobs(momentum=0.8, batch_size=32), train_size=60)
    judgement, snapshot = judged(config, 60)
    assert judgement.cause is Cause.OVERFITTING
    assert recent_accuracy(snapshot) > 0.95


def test_what_it_says_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    load: Callable[..., Dataset] = dataset.load
    names = tuple(f"the class of all the {digit}s in the world" for digit in range(10))
    monkeypatch.setattr(dataset, "load", lambda *a, **o: replace(load(*a, **o), class_names=names))
    # Most seeds say several classes; with this one it is a single one to 85 %.
    judgement, snapshot = judged(replace(SMALL, seed=3), 32)
    assert snapshot.validation
    predicted = snapshot.validation.running.predicted
    assert max(predicted) > 0.5 * sum(predicted)
    name = names[predicted.index(max(predicted))][:23]
    assert (
        f"It answers '{name}…' for {percent(max(predicted) / sum(predicted))} of images."
        in judgement.evidence
    )


@pytest.mark.parametrize(
    ("predicted", "remarked"),
    [((60, 40), False), ((80, 20), True), ((55, 45) + (0,) * 8, True), ((49, 51) * 5, False)],
)
def test_only_a_class_that_is_said_too_often_is_remarked_on(
    predicted: tuple[int, ...], remarked: bool
) -> None:
    snapshot = mid_run(RunConfig())
    assert snapshot.validation
    stale = replace(snapshot.validation.running, predicted=predicted)
    snapshot = replace(snapshot, validation=replace(snapshot.validation, running=stale))
    text = " ".join(verdict(snapshot).evidence)
    assert ("It answers '" in text) is remarked


def test_too_little_learned() -> None:
    judgement, _ = judged(with_knobs(learning_rate=1e-7, momentum=0.5), 6)
    assert judgement.cause is Cause.LEARNING


def test_no_batch_norm() -> None:
    judgement, _ = judged(replace(SMALL, norm="none"), 20)
    assert judgement.cause is Cause.NO_BATCH_NORM


def test_sound_statistics_and_what_the_last_change_did() -> None:
    config = replace(with_knobs(momentum=0.99), train_size=2000, at=(Change(60, "momentum", 0.8),))
    session = trained(config, 59)
    before = session.observer.validation
    assert before
    for _ in range(61):
        session.train_once(None)
    session.observe()
    snapshot = snapshot_of(session, Phase.PAUSED)
    judgement = verdict(snapshot)
    assert judgement.cause is Cause.SOUND
    assert snapshot.validation
    assert "After momentum 0.99→0.8 at update 60: " in judgement.evidence[-1]
    assert judgement.evidence[-1].endswith(f"→ {snapshot.validation.running.accuracy:.3f}.")


def test_a_recalibration_is_tried_and_then_applied() -> None:
    session = trained(SMALL, 40)
    session.recalibrate(apply=False)
    peek = verdict(snapshot_of(session, Phase.PAUSED))
    assert peek.cause is Cause.START
    (remedy,) = peek.remedies
    assert (remedy.name, remedy.update) == (RemedyName.APPLY_RECALIBRATION, session.trainer.update)
    session.recalibrate(apply=True)
    snapshot = snapshot_of(session, Phase.PAUSED)
    assert snapshot.recalibration
    assert remedy.measured
    assert remedy.measured.accuracy == snapshot.recalibration.after
    assert snapshot.validation
    assert snapshot.validation.running.accuracy == snapshot.recalibration.after
    after = verdict(snapshot)
    assert after.cause is Cause.SOUND
    told = f"{snapshot.recalibration.before:.3f} → {snapshot.recalibration.after:.3f}"
    assert told in after.evidence[-1]


def test_the_curve_ends_where_a_recalibration_makes_it_jump() -> None:
    session = trained(SMALL, 40)
    for _ in range(3):
        session.train_once(None)  # without a look
    session.recalibrate(apply=True)
    snapshot = snapshot_of(session, Phase.PAUSED)
    running, done = snapshot.series["val_acc"], snapshot.recalibration
    assert done
    assert running.x[-2:].tolist() == [43.0, 43.0]
    assert running.last[-2:].tolist() == [done.before, done.after]


def test_waiting_says_for_what() -> None:
    session = Session(RunRequest(SMALL, Observation()))
    judgement = verdict(snapshot_of(session, Phase.PAUSED))
    assert judgement.cause is Cause.WAITING
    assert judgement.remedies == (Remedy(RemedyName.TRAIN_ON),)


def test_a_failure() -> None:
    runner = Runner(RunRequest(replace(SMALL, train_size=9999)))
    runner.start()
    assert runner.join(60)
    judgement = verdict(runner.snapshot)
    assert judgement.cause is Cause.FAILED
    assert "9,999" in judgement.evidence[0]
