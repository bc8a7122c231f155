"""Any moment of a run can be returned to, and what follows is what followed."""

import itertools
import math
import os
import time
from dataclasses import replace

import pytest
import torch

from bntui.core.command_line import command_line
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run import Command
from bntui.core.run_request import Branch, New, RunRequest
from bntui.core.settings import parse_change
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.train.checkpoints import Checkpoints, SpillFile, pack, unpack
from bntui.train.runner import Runner
from bntui.train.session import Session
from tests.train.sessions import snapshot_of
from tools.faults import Fault

SMALL = RunConfig(train_size=96, width=0.0625, device="cpu", epochs=5, knobs=Knobs(batch_size=16))
NOTHING = Observation(live=False, epoch_ends=True, epoch_fresh=False, hindsight=False)
KINDS = {
    "as it is": SMALL,
    "another optimiser": replace(SMALL, optimizer="sgd"),
    "a growing batch": replace(SMALL, batch_schedule="x2/1", lr_rule="sqrt", lr_warmup=9),
    "an estimator": replace(SMALL, knobs=replace(SMALL.knobs, estimator="cumulative")),
    "ghost BN": replace(SMALL, norm="ghost", ghost_batch=5),
    "batch renorm": replace(SMALL, norm="renorm", depth=1),
    "no statistics": replace(SMALL, norm="none"),
    "a script": replace(SMALL, at=(parse_change("7:momentum=0.5"), parse_change("9:recalibrate"))),
}


@pytest.fixture(autouse=True)
def _whatever_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bntui.train.session.SHARE", math.inf)


def session(config: RunConfig, begin: Checkpoint | None = None) -> Session:
    return Session(RunRequest(config, NOTHING, Branch(begin) if begin else New()))


def finished(run: Session) -> Snapshot:
    while not run.finished:
        run.train_once(None)
    run.conclude()
    return snapshot_of(run, Phase.FINISHED)


@pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("update", [4, 6, 8])
def test_going_on_from_a_checkpoint_is_what_happened_bit_for_bit(
    config: RunConfig, update: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A slow machine keeps moments of its own, at which series are caught up with.
    monkeypatch.setattr("bntui.train.session.SLOW_SECONDS", math.inf)
    original = session(config)
    kept = None
    while not original.finished:
        if original.trainer.update == update:
            kept = original.keep("here")
        original.train_once(None)
    assert kept
    again = session(kept.config, kept)
    assert again.trainer.update == update
    wanted, got = finished(original), finished(again)
    for one, other in zip(weights(original), weights(again), strict=True):
        assert torch.equal(one, other)
    assert (got.update, got.images, got.epoch, got.knobs) == (
        wanted.update,
        wanted.images,
        wanted.epoch,
        wanted.knobs,
    )
    assert got.marks == wanted.marks
    for name in ("train_loss", "train_acc", "smooth_loss", "images"):
        assert got.series[name].x.tolist() == wanted.series[name].x.tolist()
        assert got.series[name].last.tolist() == wanted.series[name].last.tolist()
    assert got.report
    assert wanted.report
    assert (got.report.loss, got.report.val_acc) == (wanted.report.loss, wanted.report.val_acc)


def weights(run: Session) -> list[torch.Tensor]:
    return [*run.trainer.model.parameters(), run.trainer.estimators.rows]


def test_every_epoch_and_every_change_is_kept_with_the_knobs_before_it() -> None:
    config = replace(SMALL, epochs=2, at=(parse_change("4:lr=0.01"), parse_change("8:recalibrate")))
    snapshot = finished(session(config))
    assert [(kept.update, kept.label) for kept in snapshot.checkpoints] == [
        (0, "start"),
        (4, "before lr 0.001→0.01"),
        (6, "epoch 1"),
        (8, "before recalibration"),
        (12, "epoch 2"),
    ]
    rates = [session(kept.config, kept).knobs.learning_rate for kept in snapshot.checkpoints]
    assert rates == [0.001, 0.001, 0.01, 0.01, 0.01]


def test_from_before_a_planned_change_the_change_is_met_again() -> None:
    plan = tuple(map(parse_change, ("4:lr=0.01", "8:recalibrate", "8:momentum=0.5")))
    original = session(replace(SMALL, epochs=2, at=plan))
    past = finished(original)
    for kept in past.checkpoints:
        again = session(kept.config, kept)
        assert finished(again).marks == past.marks
        assert all(map(torch.equal, weights(original), weights(again)))


def test_a_branch_is_repeated_from_its_very_beginning() -> None:
    run = session(SMALL)
    run.train_once(None)
    run.train_once(replace(run.knobs, momentum=0.5))
    kept = run.keep("here")
    branch = session(kept.config, kept)
    branch.train_once(replace(branch.knobs, learning_rate=0.01))
    line = command_line(snapshot_of(branch, Phase.PAUSED))
    assert "--momentum" not in line
    assert line.endswith("--steps 3 --at 1:momentum=0.5 --at 2:lr=0.01")


def test_a_branch_with_other_knobs_keeps_its_past_and_has_another_future() -> None:
    original = session(replace(SMALL, epochs=3))
    past = finished(original)
    epoch_2 = next(kept for kept in past.checkpoints if kept.label == "epoch 2")
    branch = session(epoch_2.config, epoch_2)
    branch.train_once(replace(branch.knobs, learning_rate=0.1))
    now = finished(branch)
    assert [(mark.update, mark.change) for mark in now.marks] == [(12, "lr=0.1")]
    mine, theirs = now.series["train_loss"], past.series["train_loss"]
    assert mine.last[:13].tolist() == theirs.last[:13].tolist()
    assert mine.last[13:].tolist() != theirs.last[13:].tolist()


class Stop(Exception):  # noqa: N818 (a request, as in the runner)
    pass


def stopped_in_its_report(config: RunConfig) -> Checkpoint:
    """Return what is kept of a run that is stopped in the report of its first epoch, of 6 updates."""
    stopping = False

    def check_stop() -> None:
        if stopping:
            raise Stop

    run = Session(RunRequest(config, NOTHING), check_stop=check_stop)
    for _ in range(5):
        run.train_once(None)
    stopping = True
    with pytest.raises(Stop):
        run.train_once(None)
    return run.keep("stopped")


def test_a_report_that_a_stop_cut_short_is_made_after_all() -> None:
    kept = stopped_in_its_report(SMALL)
    again, whole = session(kept.config, kept), session(SMALL)
    (mine,) = again.train_once(None)
    (theirs,) = [report for _ in range(6) for report in whole.train_once(None)]
    assert (mine.epoch, mine.update, mine.loss) == (1, 6, theirs.loss)
    assert (mine.val_acc, mine.val_loss) == (theirs.val_acc, theirs.val_loss)
    measured, expected = (snapshot_of(one, Phase.RUNNING).validation for one in (again, whole))
    assert measured
    values = measured.layers[0].detail.values
    assert values
    assert not math.isnan(values.kept)
    assert pack(measured) == pack(expected)
    finished(again), finished(whole)
    assert all(map(torch.equal, weights(again), weights(whole)))


def test_one_that_does_not_tell_of_the_last_update_is_gone_on_from() -> None:
    kept = stopped_in_its_report(SMALL)
    state = unpack(kept.content())
    del state["trainer"]["estimators"]["last_move"]
    again, whole = session(kept.config, replace(kept, state=pack(state))), session(SMALL)
    finished(again), finished(whole)
    assert all(map(torch.equal, weights(again), weights(whole)))


@pytest.mark.parametrize(
    ("epochs", "update", "rate"), [(3, 7, 0.25), (1, 6, SMALL.knobs.learning_rate)]
)
def test_a_step_after_a_report_that_a_stop_cut_short_makes_both(
    epochs: int, update: int, rate: float
) -> None:
    kept = stopped_in_its_report(replace(SMALL, epochs=epochs))
    reports: list[EpochReport] = []
    request = RunRequest(kept.config, NOTHING, Branch(kept), paused=True)
    runner = Runner(request, on_report=lambda report, _: reports.append(report))
    runner.start()
    runner.apply(replace(SMALL.knobs, learning_rate=0.25))
    runner.command(Command.STEP)
    deadline = time.monotonic() + 60.0
    while not (reports and runner.snapshot.update == update):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runner.stop()
    assert runner.join(60)
    assert [report.update for report in reports] == [6]
    assert (runner.snapshot.update, runner.snapshot.knobs.learning_rate) == (update, rate)


def test_the_oldest_thin_out_first_when_there_are_too_many() -> None:
    kept = Checkpoints(most_bytes=100)
    for update in range(40):
        kept.add(Checkpoint(update, "", SMALL, bytes(10)))
        assert sum(len(one.state) for one in kept.view()) <= 100
        assert kept.view()[-1].update == update
    updates = [one.update for one in kept.view()]
    assert updates[0] == 0
    gaps = [after - before for before, after in itertools.pairwise(updates)]
    assert gaps[0] > 5 * gaps[-1]


def test_one_that_is_larger_than_all_may_be_is_kept_alone() -> None:
    kept = Checkpoints(most_bytes=100)
    for update in (1, 2):
        kept.add(Checkpoint(update, "", SMALL, bytes(1000)))
    assert [one.update for one in kept.view()] == [2]


def test_there_are_only_so_many() -> None:
    kept = Checkpoints(most=8)
    for update in range(40):
        kept.add(Checkpoint(update, "", SMALL, bytes(10)))
    assert len(kept.view()) <= 8
    assert (kept.view()[0].update, kept.view()[-1].update) == (0, 39)


def test_states_lie_outside_of_memory() -> None:
    kept = Checkpoints()
    states = [bytes([number]) * 1000 for number in range(3)]
    for update, state in enumerate(states):
        kept.add(Checkpoint(update, "", SMALL, state))
    assert not any(isinstance(one.state, bytes) for one in kept.view())
    assert [one.content() for one in kept.view()] == states


def test_the_place_of_a_state_that_is_gone_is_used_again() -> None:
    file = SpillFile()
    kept = file.put(b"stays")
    for number in range(100):  # each larger than the one before
        content = bytes([number]) * (520 + number)
        assert file.put(content).read() == content
    assert kept.read() == b"stays"
    assert os.fstat(file._file.fileno()).st_size <= 2 * 1024 + 8


@pytest.mark.fault("no temporary files", injected="a temporary directory that does not exist")
def test_states_stay_in_memory_where_there_is_no_room_for_files(
    monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    kept = Checkpoints()
    kept.add(Checkpoint(1, "", SMALL, b"all of it"))
    assert kept.view()[0].content() == b"all of it"
    fault.saw, fault.lost = "nothing: checkpoints stay in memory", "nothing"


def test_a_state_comes_back_as_it_was() -> None:
    state = {"a": torch.arange(3), "b": [1, 2.5, "x", None], "c": {"d": True}}
    back = unpack(pack(state))
    assert torch.equal(back["a"], state["a"])  # type: ignore[arg-type]
    assert (back["b"], back["c"]) == (state["b"], state["c"])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_checkpoint_is_one_sentence(damage: str) -> None:
    whole = pack({"a": torch.arange(1000)})
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 255
    content = {"cut": whole[:-100], "flipped": bytes(flipped), "empty": b"", "other": b"x" * 99}
    with pytest.raises(ConfigError, match="checkpoint"):
        unpack(content[damage])


def test_a_checkpoint_of_another_network_is_one_sentence() -> None:
    run = session(SMALL)
    kept = run.keep("here")
    with pytest.raises(ConfigError, match="does not fit"):
        session(replace(SMALL, width=0.125), kept)
