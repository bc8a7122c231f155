"""Copies of a watched model, files of it, and other processes: none of them is watched."""

import copy
import io
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from bntui.probe.watching.batch_statistics import Statistics
from tests.children import environment
from tests.probe.watching.trainings import convolutional, images, norms, once


def saved(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


def pickled(model: nn.Module) -> nn.Module:
    loaded: nn.Module = pickle.loads(pickle.dumps(model))
    return loaded


def averaged(model: nn.Module) -> nn.Module:
    return AveragedModel(model)


COPIES: tuple[Callable[[nn.Module], nn.Module], ...] = (copy.deepcopy, saved, pickled, averaged)


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_is_not_watched(copied: Callable[[nn.Module], nn.Module]) -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)
    other = copied(model)
    for _ in range(3):
        once(other.train(), 1)
    again = copied(other)
    once(again.train(), 2)
    statistics.step()
    assert statistics.calls == (1, 1)
    assert statistics.notes == ()
    alone = convolutional()
    alone.load_state_dict(model.state_dict())
    assert [int(layer.num_batches_tracked or 0) for layer in norms(other)] == [4, 4]


def test_a_file_of_a_watched_model_needs_nothing_of_ours(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    Statistics(model)
    torch.save(model, tmp_path / "model.pt")
    assert b"bntui" not in (tmp_path / "model.pt").read_bytes()
    code = (
        "import sys, torch\n"
        f"model = torch.load({str(tmp_path / 'model.pt')!r}, weights_only=False)\n"
        "model(torch.rand(2, 3, 8, 8))\n"
        "print(int(model[1].num_batches_tracked), 'bntui' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
    )
    assert done.stdout == "1 False\n", done.stderr


def test_without_hooks_a_model_is_as_it_was() -> None:
    model = nn.Sequential(convolutional(), nn.LazyBatchNorm2d())
    before = pickle.dumps(model)
    statistics = Statistics(model)
    assert pickle.dumps(model) != before
    statistics.detach()
    assert pickle.dumps(model) == before


class Outputs(Dataset[Tensor]):
    """Samples that a watched model makes in a loader's workers, in training mode."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __len__(self) -> int:
        return 4

    def __getitem__(self, at: int) -> Tensor:
        with torch.no_grad():
            outputs: Tensor = self.model(images(at)[:2])
            return outputs.mean().reshape(1)


def test_a_recorded_copy_has_nothing_of_ours() -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)  # is still to be taken
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recorded = torch.jit.trace(model, images(1), check_trace=False)
    assert "lerp" not in str(recorded.inlined_graph)
    statistics.step()
    assert statistics.calls == (2, 2)
    assert set(statistics.notes) == {
        "1, 4: called 2 times an update in compiled code, where the calls can't be told apart: each is "
        "taken for their mean."
    }


def test_a_watched_model_can_be_scripted() -> None:
    model = convolutional()
    statistics = Statistics(model)
    hooks = [list(layer._forward_pre_hooks.items()) for layer in norms(model)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(model)
    assert [list(layer._forward_pre_hooks.items()) for layer in norms(model)] == hooks
    assert torch.equal(scripted.eval()(images(0)), model.eval()(images(0)))
    once(model.train(), 0)
    statistics.step()
    assert statistics.calls == (1, 1)


def test_what_is_captured_as_a_graph_is_not_measured_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = convolutional()
    statistics = Statistics(model)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    once(model, 0)
    statistics.step()
    assert statistics.update == 0
    assert statistics.notes[0].startswith("Calls in replays of a CUDA graph were not measured")


def test_forked_workers_are_not_watched() -> None:
    model = convolutional()
    statistics = Statistics(model)
    for _ in DataLoader(Outputs(model), 2, num_workers=2, multiprocessing_context="fork"):
        once(model, 0)
    statistics.step()
    assert statistics.calls == (2, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_in_a_forked_process_nothing_is_taken_note_of() -> None:
    model = convolutional()
    statistics = Statistics(model)
    once(model, 0)
    statistics.step()
    child = os.fork()
    if child == 0:
        try:
            with statistics.suspended():
                once(model, 1)
            once(model, 1)
            statistics.step()
            os._exit(statistics.update)
        except BaseException:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    once(model, 1)
    statistics.step()
    assert statistics.update == 2
    assert statistics.calls == (1, 1)
