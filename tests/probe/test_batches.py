"""Batches of any form, and what a model makes of them."""

from collections import OrderedDict, UserDict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.optim.swa_utils import AveragedModel

from bntui.probe import batches, calling
from bntui.probe.errors import ProbeError
from tests.probe.forms import X, Y, numbers, same


class Named(NamedTuple):
    inputs: Tensor
    labels: Tensor


def batch_of(form: str, count: int, start: int = 0) -> Any:
    """Return `count` samples in one form of batch; every part of sample i tells i."""
    inputs, labels = numbers(count, start), torch.arange(start, start + count)
    names = [str(one) for one in labels.tolist()]
    views = inputs.clone(), inputs.clone()
    images = [torch.full((3, 4, 5 + one % 2), float(one)) for one in labels.tolist()]
    boxes = [{"boxes": torch.full((one % 3, 4), float(one)), "id": one} for one in labels.tolist()]
    forms: dict[str, Any] = {
        "tensor": inputs,
        "tuple": (inputs, labels),
        "list": [inputs, labels],
        "named tuple": Named(inputs, labels),
        "dict": {"inputs": inputs, "labels": labels},
        "ordered dict": OrderedDict(inputs=inputs, labels=labels),
        "user's dict": UserDict(inputs=inputs, labels=labels),
        "nested": ({"image": inputs, "more": [views, names]}, {"labels": labels}),
        "views": (views, labels),
        "names": (inputs, names),
        "array": (inputs, labels.numpy()),
        "constants": (inputs, {"scale": torch.tensor(2.0), "weights": torch.ones(50), "part": "a"}),
        "detection": (tuple(images), tuple(boxes)),
        "images of many sizes": (images, labels),
        "images of many sizes alone": (inputs, images),
    }
    return forms[form]


FORMS = [
    "tensor", "tuple", "list", "named tuple", "dict", "ordered dict", "user's dict", "nested", "views",
    "names", "array", "constants", "detection", "images of many sizes", "images of many sizes alone",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_samples_are_counted_cut_and_joined(form: str) -> None:
    batch = batch_of(form, 7)
    assert batches.size(batch) == 7
    assert same(batches.take(batch, 4), batch_of(form, 4))
    assert batches.take(batch, 9) is batch
    assert same(
        batches.join([batch, batch_of(form, 3, 7), batch_of(form, 1, 10)]), batch_of(form, 11)
    )
    parts = [batch_of(form, 4), batch_of(form, 4, 4), batch_of(form, 3, 8)]
    for count in (1, 3, 4, 11, 20):
        wanted = [batch_of(form, min(count, 11 - start), start) for start in range(0, 11, count)]
        assert all(map(same, batches.regrouped(parts, count), wanted)), count


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_already_is_not_moved(form: str) -> None:
    batch = batch_of(form, 7)
    assert same(batches.moved(batch, torch.device("cpu")), batch)
    assert same(batches.moved(batch, torch.device("cpu"), torch.float32), batch)


def test_tensors_are_moved_and_only_floating_ones_change_their_type() -> None:
    images, more = torch.ones(2, 3), {"labels": torch.arange(2), "names": ["a", "b"]}
    there = batches.moved([images, more], torch.device("meta"), torch.float16)
    assert (there[0].device.type, there[0].dtype) == ("meta", torch.float16)
    assert (there[1]["labels"].device.type, there[1]["labels"].dtype) == ("meta", torch.int64)
    assert there[1]["names"] == ["a", "b"]
    assert batches.moved(images, torch.device("cpu")) is images


def test_what_has_a_to_of_its_own_is_moved_by_it() -> None:
    class Graph:
        place = "cpu"

        def to(self, device: torch.device) -> "Graph":
            self.place = device.type
            return self

    graph, packed = Graph(), pack_sequence([torch.ones(3), torch.ones(2)])
    there = batches.moved((graph, packed, torch.ones(2)), torch.device("meta"))
    assert (there[0].place, graph.place) == ("meta", "cpu")
    assert isinstance(there[1], PackedSequence)
    assert there[1].data.device.type == "meta"
    with pytest.raises(ProbeError, match="PackedSequence, which can't be cut"):
        batches.take((packed, torch.ones(2)), 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (torch.ones(2, 3), torch.ones(2, 4)),
        (torch.ones(2), torch.ones(2).double()),
        ((torch.ones(2), 1), (torch.ones(2), 2)),
        ((torch.ones(2), torch.ones(5)), (torch.ones(2), torch.zeros(5))),
        ({"a": torch.ones(2)}, {"b": torch.ones(2)}),
        ([torch.ones(2)], (torch.ones(2),)),
        ((torch.ones(2),), (torch.ones(2), torch.ones(2))),
        ((torch.ones(2), object()), (torch.ones(2), object())),
    ],
    ids=["shape", "type", "number", "constant", "keys", "container", "length", "object"],
)  # fmt: skip
def test_what_cannot_be_joined_is_left_as_it_is(one: Any, other: Any) -> None:
    with pytest.raises(ProbeError, match="can't be joined"):
        batches.join([one, other])
    kept = batches.regrouped([one, other], 4)
    assert kept[0] is one
    assert kept[1] is other


@pytest.mark.parametrize("batch", [[], {}, "text", ["a", "b"], (torch.tensor(1.0),), None, 3])
def test_a_batch_without_samples_is_refused(batch: Any) -> None:
    with pytest.raises(ProbeError, match="without a tensor"):
        batches.size(batch)


class Takes(nn.Module):
    """Remembers what it was called with."""

    def forward(self, image: Any, mask: Any = None) -> Any:
        return image, mask


class TakesAll(nn.Module):
    def forward(self, **items: Any) -> Any:
        return items


@pytest.mark.parametrize(
    ("batch", "wanted"),
    [
        (X, (X, None)),
        ((X, Y), (X, None)),
        ([X, Y, Y], (X, None)),
        (Named(X, Y), (X, None)),
        (((X, X), Y), ((X, X), None)),
        ({"image": X, "labels": Y}, (X, None)),
        ({"mask": Y, "image": X, "labels": Y}, (X, Y)),
        (({"image": X, "mask": Y, "id": 3}, Y), (X, Y)),
        (UserDict(image=X), (X, None)),
    ],
)
def test_the_model_gets_its_part_of_a_batch(batch: Any, wanted: Any) -> None:
    assert same(calling.call(Takes(), batch), wanted)


def compiled(model: nn.Module) -> nn.Module:
    wrapped: Any = torch.compile(model, backend="eager")
    assert isinstance(wrapped, nn.Module)
    return wrapped


@pytest.mark.parametrize(
    "wrapped",
    [
        AveragedModel,
        compiled,
        lambda model: AveragedModel(compiled(model)),
    ],
    ids=["averaged", "compiled", "both"],
)
def test_a_wrapper_takes_what_the_model_in_it_takes(
    wrapped: Callable[[nn.Module], nn.Module],
) -> None:
    assert same(calling.call(wrapped(Takes()), {"image": X, "labels": Y}), (X, None))


def test_a_model_that_takes_everything_gets_everything() -> None:
    assert calling.call(TakesAll(), {"image": X, "labels": Y}) == {"image": X, "labels": Y}


@pytest.mark.parametrize(
    ("batch", "match"),
    [
        ("text", "a str, which .* give forward="),
        ([], "list of nothing, .* give forward="),
        ((3, X), "tuple of int, Tensor, .* give forward="),
        (
            {"pixels": X, "labels": Y},
            "keys pixels, labels, and the model takes image, mask: give forward=",
        ),
    ],
)
def test_a_batch_that_is_not_understood_asks_for_forward(batch: Any, match: str) -> None:
    with pytest.raises(ProbeError, match=match):
        calling.call(Takes(), batch)


def test_an_error_of_the_model_is_its_own() -> None:
    class Fails(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            raise TypeError("the model's own")

    with pytest.raises(TypeError, match="the model's own"):
        calling.call(Fails(), {"image": X})


LOSS = torch.tensor(0.5)


@pytest.mark.parametrize(
    "output",
    [
        X,
        SimpleNamespace(logits=X),
        {"loss": LOSS, "aux": Y, "logits": X},
        OrderedDict(aux=Y, out=X),
        {"features": X, "other": Y},
        (X, Y),
        [LOSS, X],
        (None, X),
        Named(X, Y),
    ],
)
def test_the_output_that_tells_predictions(output: Any) -> None:
    assert calling.output_tensor(output) is X


@pytest.mark.parametrize("output", [None, 3.0, [], {"loss": LOSS}, [{"boxes": X}]])
def test_outputs_without_a_tensor_ask_for_forward(output: Any) -> None:
    with pytest.raises(ProbeError, match=rf"puts out a {type(output).__name__}.*give forward="):
        calling.output_tensor(output)


@pytest.mark.parametrize(
    ("batch", "wanted"),
    [
        ((X, Y), Y),
        ([X, Y, X], Y),
        (Named(X, Y), Y),
        ({"image": X, "labels": Y}, Y),
        ({"y": Y, "x": X}, Y),
        (UserDict(target=Y, x=X), Y),
    ],
)
def test_targets(batch: Any, wanted: Any) -> None:
    assert batches.targets(batch) is wanted


@pytest.mark.parametrize("batch", [X, (X,), [X], {"image": X}])
def test_without_targets_it_is_the_batch(batch: Any) -> None:
    assert batches.targets(batch) is batch
