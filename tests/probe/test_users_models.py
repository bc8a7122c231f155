"""`bntui.check` on what users really have: compiled and scripted models, odd outputs, models that work in place."""

import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bntui.probe.causes import Cause
from bntui.probe.check import check
from bntui.probe.errors import ProbeError
from bntui.probe.recalibration import recalibrate


def batches(count: int, seed: int) -> list[Any]:
    draws = torch.Generator().manual_seed(seed)
    inputs = 2.0 + 3.0 * torch.randn(count, 32, 6, generator=draws)
    return [(one, (one[:, 0] > 2.0).long()) for one in inputs]


TRAINING, VALIDATION = batches(8, 1), batches(4, 2)


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for inputs, labels in TRAINING * 8:
        optimizer.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return model


class Around(nn.Module):
    """Does something to what goes in and out of another model."""

    def __init__(self, inner: nn.Module, before: Any = None, after: Any = None) -> None:
        super().__init__()
        self.inner, self.before, self.after = inner, before, after

    def forward(self, inputs: Tensor) -> Any:
        outputs = self.inner(self.before(inputs) if self.before else inputs)
        return self.after(outputs) if self.after else outputs


def compiled(model: nn.Module) -> Any:
    return torch.compile(model, backend="eager", fullgraph=True)


def compiled_in_place(model: nn.Module) -> nn.Module:
    model.compile(backend="eager", fullgraph=True)
    model.eval()(TRAINING[0][0])
    return model.train()


def compiled_in_part(model: nn.Module) -> nn.Module:
    assert isinstance(model, nn.Sequential)
    return nn.Sequential(compiled(model[:3]), model[3])


@pytest.mark.parametrize("compile_it", [compiled, compiled_in_place, compiled_in_part])
def test_compiled_models_are_checked_as_they_are_written(
    trained: nn.Module, compile_it: Any
) -> None:
    wanted = check(deepcopy(trained), VALIDATION, TRAINING)
    model = compile_it(deepcopy(trained))
    found = check(model, VALIDATION, TRAINING)
    assert found.verdicts == wanted.verdicts
    assert found.running is not None
    assert wanted.running is not None
    assert found.running.score == wanted.running.score
    assert recalibrate(model, TRAINING).samples == 256
    check(trained, VALIDATION, TRAINING, against=model)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("part", [False, True])
def test_scripted_layers_are_refused(trained: nn.Module, part: bool) -> None:
    model = torch.jit.script(deepcopy(trained))
    given = nn.Sequential(model) if part else model
    with pytest.raises(ProbeError) as caught:
        check(given, VALIDATION, TRAINING)
    assert str(caught.value) == (
        f"{'0' if part else 'The model'} is a ScriptModule, whose layers can't be looked into: give the model "
        "that it was made of, and this one as against=."
    )
    found = check(trained, VALIDATION, TRAINING, against=model)
    assert Cause.EXPORTED_DIFFERENTLY not in [one.cause for one in found.verdicts]


def test_what_torch_export_made_can_be_compared_but_not_checked(trained: nn.Module) -> None:
    size = {0: torch.export.Dim("size")}
    model = deepcopy(trained).eval()
    exported = torch.export.export(model, (TRAINING[0][0],), dynamic_shapes=(size,)).module()
    found = check(trained, VALIDATION, TRAINING, against=exported)
    assert Cause.EXPORTED_DIFFERENTLY not in [one.cause for one in found.verdicts]
    with pytest.raises(ProbeError, match="it is a GraphModule, of operations rather than layers"):
        check(exported, VALIDATION, TRAINING)


def test_arrays_that_a_runtime_gives_are_compared(trained: nn.Module) -> None:
    other = deepcopy(trained).eval()
    for shift, there in ((0.0, False), (5.0, True)):
        found = check(
            trained, VALIDATION, TRAINING, against=lambda x, by=shift: [other(x + by).numpy()]
        )
        assert (Cause.EXPORTED_DIFFERENTLY in [one.cause for one in found.verdicts]) is there


def test_a_model_that_works_in_place_does_not_change_batches(trained: nn.Module) -> None:
    model = Around(deepcopy(trained), before=lambda x: x.mul_(1.5))
    ours = deepcopy((VALIDATION, TRAINING))
    found = check(model, *ours)
    assert Cause.BATCH_DEPENDENT not in [one.cause for one in found.verdicts]
    for batch, wanted in zip([*ours[0], *ours[1]], [*VALIDATION, *TRAINING], strict=True):
        assert torch.equal(batch[0], wanted[0])


def test_a_metric_takes_outputs_that_are_no_tensor(trained: nn.Module) -> None:
    model = Around(deepcopy(trained), after=lambda outputs: [{"scores": one} for one in outputs])

    def metric(outputs: Any, labels: Tensor) -> Tensor:
        guesses = torch.stack([one["scores"].argmax() for one in outputs])
        return (guesses == labels).float()

    found = check(model, VALIDATION, TRAINING, metric=metric)
    assert found.running is not None
    assert found.running.score > 0.8
    with pytest.raises(ProbeError, match=r"^The model puts out a list of dict"):
        check(model, VALIDATION, TRAINING)


def test_a_metric_without_a_finite_number_is_refused(trained: nn.Module) -> None:
    with pytest.raises(ProbeError, match=r"^metric gave NaN or inf for every sample"):
        check(trained, VALIDATION, TRAINING, metric=lambda outputs, _: outputs[:, 0] * torch.nan)
    found = check(
        trained, VALIDATION, TRAINING, metric=lambda outputs, y: (outputs[:, 0] > 0) / (1.0 - y)
    )
    assert "For some samples metric gave NaN or inf" in found.notes[-1]


def test_a_loss_is_no_output(trained: nn.Module) -> None:
    with pytest.raises(ProbeError, match=r"^The model puts out one number for a batch of 32 samp"):
        check(trained, VALIDATION, forward=lambda model, batch: model(batch[0]).mean())


def test_training_batches_without_labels_are_not_scored(trained: nn.Module) -> None:
    found = check(trained, VALIDATION, [inputs for inputs, _ in TRAINING])
    assert "Targets of training batches are no class labels" in found.notes[-1]
    assert found.fresh is not None


def test_a_model_of_two_inputs_needs_a_forward() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(6)

        def forward(self, left: Tensor, right: Tensor) -> Any:
            return self.norm(left) + right

    pairs = [(inputs, inputs) for inputs, _ in VALIDATION]
    with pytest.raises(ProbeError) as caught:
        check(Two(), pairs)
    assert str(caught.value) == (
        "The model takes left, right, and gets one thing, the batch or its first element: give forward=, a "
        "function of the model and the batch."
    )
    check(Two(), pairs, pairs, forward=lambda model, batch: model(*batch))


def test_one_batch_is_no_loader(trained: nn.Module) -> None:
    with pytest.raises(ProbeError) as caught:
        check(trained, VALIDATION[0])
    assert str(caught.value) == (
        "The validation loader is one batch, of 2 tensors of different dimensions: give a list of batches, "
        "such as [batch]."
    )


def test_a_method_that_hides_eval_is_told() -> None:
    class Own(nn.Sequential):
        def eval(self, loader: Any) -> Any:  # type: ignore[override]
            return loader

    with pytest.raises(ProbeError) as caught:
        check(Own(nn.BatchNorm1d(6)), VALIDATION)
    assert str(caught.value) == (
        "The model's own eval() can't be called without arguments (missing a required argument: 'loader'), "
        "as nn.Module's eval() can: give that method another name."
    )


def test_inputs_that_are_not_finite_are_told(trained: nn.Module) -> None:
    broken = [(inputs * torch.nan, labels) for inputs, labels in VALIDATION]
    (found,) = check(trained, broken, TRAINING).verdicts
    assert found.evidence[0] == "The validation inputs themselves hold numbers that are not finite."
    first, second = check(trained, VALIDATION, broken).verdicts
    assert f"{len(broken)} of {len(broken)} training batches make what layer 1 gets not finite" in (
        " ".join((*first.evidence, *second.evidence))
    )


def test_printing_a_report_draws_no_random_number() -> None:
    code = (
        "import random, torch, bntui; batches = [torch.randn(8, 3)]; random.seed(1); before = random.getstate(); "
        "print(bntui.check(torch.nn.BatchNorm1d(3), batches)); assert random.getstate() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
