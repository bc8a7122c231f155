"""What every norm does in a run: to running statistics, to fresh ones, to what is validated."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bntui.core.config import Observation
from bntui.core.run_request import RunRequest
from bntui.data.dataset import Dataset
from bntui.measure.budget import Budget
from bntui.measure.drift import compare_modes
from bntui.measure.estimators import OWN, initial
from bntui.measure.norms import CLOSED, D_MAX, R_MAX, R_RAMP, BatchRenorm
from bntui.train.session import Session
from bntui.train.trainer import Trainer
from tests.measure.formulas import NORMS, close, mean_of, renormed, rows_of
from tests.train.normed import SMALL, train, trainer


def seen_by(trainer: Trainer) -> list[list[tuple[Tensor, Tensor]]]:
    """Return a list that gets, at each forward pass, what every layer is given and puts out."""
    passes: list[list[tuple[Tensor, Tensor]]] = []

    def note(layer: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
        if layer is trainer.buffers.layers[0]:
            passes.append([])
        passes[-1].append((given[0].detach().clone(), output.detach().clone()))

    for layer in trainer.buffers.layers:
        layer.register_forward_hook(note)
    return passes


def rows_by_hand(inputs: list[tuple[Tensor, Tensor]], ghost_batch: int) -> Iterator[Tensor]:
    """Yield the statistics (2, C) in float64 of each sub-batch, over all layers."""
    for parts in zip(*(given.split(ghost_batch) for given, _ in inputs), strict=True):
        yield torch.cat([rows_of(part) for part in parts], dim=1)


@pytest.mark.parametrize("updates", ["each", "once"])
def test_ghost_batch_norm_moves_running_statistics_once_a_sub_batch_or_once_a_batch(
    digits: Dataset, updates: str
) -> None:
    subject = trainer("ghost", digits, ghost_updates=updates)
    passes = seen_by(subject)
    expected, left = initial(subject.buffers).double(), 1.0
    for momentum in (0.9, 0.9, 0.5, 0.99, 0.9):
        train(subject, 1, momentum=momentum)
        rows = list(rows_by_hand(passes[-1], 8))
        if updates == "once":
            rows = [mean_of(rows, (8, 8, 4))]
        for row in rows:
            expected = momentum * expected + (1 - momentum) * row
            left *= momentum
        own = subject.estimators[OWN].double()
        torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-6)
        assert subject.estimators.start_left == pytest.approx(left)


def test_a_ghost_net_with_one_sub_batch_is_the_plain_one(digits: Dataset) -> None:
    ghost, plain = trainer("ghost", digits, ghost_batch=20), trainer("batch", digits)
    for subject in (ghost, plain):
        train(subject, 9)  # the seventh batch is smaller
    for a, b in zip(ghost.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(ghost.estimators.rows, plain.estimators.rows)


def test_fresh_statistics_of_a_ghost_net_are_the_mean_of_its_sub_batches(digits: Dataset) -> None:
    subject = trainer("ghost", digits)
    train(subject, 3)
    passes = seen_by(subject)
    fresh = subject.subject.collect(digits.train.images[:20])
    expected = mean_of(list(rows_by_hand(passes[-1], 8)), (8, 8, 4))
    torch.testing.assert_close(fresh.double(), expected, rtol=1e-5, atol=1e-6)


def test_batch_renorm_corrects_by_the_run_s_own_statistics_as_they_are(digits: Dataset) -> None:
    subject = trainer("renorm", digits)
    subject.update = R_RAMP[1]  # with the limits open
    passes = seen_by(subject)
    own = subject.estimators[OWN]
    for update in range(6):
        if update == 4:
            subject.estimators.recalibrate(subject.subject.collect(digits.train.images))
        before = own.double()
        learned = [(x.weight.double(), x.bias.double()) for x in subject.buffers.layers]
        train(subject, 1, momentum=0.9)
        starts = [0]
        expected = []
        for (given, output), (weight, bias) in zip(passes[-1], learned, strict=True):
            starts.append(starts[-1] + given.shape[1])
            running = before[:, starts[-2] : starts[-1]]
            formula = renormed(running, (R_MAX, D_MAX), [])
            close(output, formula(given.double(), weight, bias))
            expected.append(rows_of(given))
        after = 0.9 * before + 0.1 * torch.cat(expected, dim=1)
        torch.testing.assert_close(own.double(), after, rtol=1e-5, atol=1e-6)


def test_within_the_limits_batch_renorm_trains_what_is_validated(digits: Dataset) -> None:
    outputs = {}
    for norm in ("batch", "renorm"):
        subject = trainer(norm, digits)
        train(subject, 8)
        for layer in subject.buffers.layers:
            if isinstance(layer, BatchRenorm):
                layer.limits = (1e6, 1e6)
        own = subject.estimators[OWN]
        outputs[norm] = compare_modes(subject.subject, own, digits.train.images)
    assert min(outputs["batch"].errors) > 0.1
    assert max(outputs["renorm"].errors) < 1e-4
    assert outputs["renorm"].flipped == 0.0


def test_fresh_statistics_of_a_renorm_net_are_those_of_plain_layers(digits: Dataset) -> None:
    subject, plain = trainer("renorm", digits), trainer("batch", digits)
    train(subject, R_RAMP[1] // 2)
    images = digits.train.images[:64]
    limits = [layer.limits for layer in subject.buffers.layers if isinstance(layer, BatchRenorm)]
    fresh = subject.subject.collect(images)
    assert limits[0] != CLOSED
    assert [layer.limits for layer in subject.buffers.layers] == limits  # put back
    plain.model.load_state_dict(subject.model.state_dict())
    assert torch.equal(fresh, plain.subject.collect(images))
    # And so, under them, eval mode is training mode.
    modes = compare_modes(plain.subject, fresh, images)
    assert max(modes.errors) < 1e-4


@pytest.mark.parametrize("norm", ["ghost", "renorm"])
def test_looking_changes_no_bit_of_a_run_whose_layers_remember(
    norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "allows", lambda *_: True)  # observe after every update
    runs = []
    for observation in (Observation(), Observation(live=False, epoch_ends=False)):
        config = replace(SMALL, norm=norm)
        run = Session(RunRequest(config, observation))
        run.trainer.update = R_RAMP[0]
        for _ in range(9):
            run.train_once(None)
        runs.append([*run.trainer.model.parameters(), run.trainer.estimators.rows])
    assert all(torch.equal(*both) for both in zip(*runs, strict=True))


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_learns_also_with_a_last_batch_of_one_image(norm: str, digits: Dataset) -> None:
    subject = trainer(norm, digits, width=0.125)
    train(subject, 80, batch_size=127, learning_rate=4e-3)
    losses = [result.loss for result in subject.take_results()][::2]  # of the 127 others
    assert all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 2
    assert all(parameter.isfinite().all() for parameter in subject.model.parameters())


@pytest.mark.parametrize("norm", ["group", "layer", "none"])
def test_norms_without_running_statistics_have_an_empty_row(norm: str, digits: Dataset) -> None:
    subject = trainer(norm, digits)
    train(subject, 2)
    assert subject.buffers.names == ()
    assert subject.estimators.rows.shape[1:] == (2, 0)
