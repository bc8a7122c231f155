"""Loaders: evenly spaced samples, the first batches, and what is refused."""

import os
import random
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
)

from bntui.measure.unchanged import unchanged
from bntui.probe import batches
from bntui.probe.errors import ProbeError
from bntui.probe.loader_streams import loader_unchanged
from tests.probe.forms import X, numbers, same

DATA = TensorDataset(numbers(100), torch.arange(100) // 10)


def labels(chosen: Iterable[Any]) -> list[int]:
    return [label for batch in chosen for label in batch[1].tolist()]


def test_a_sorted_dataset_is_sampled_evenly() -> None:
    loader = DataLoader(DATA, batch_size=8, drop_last=True)
    for sampled in (loader, DataLoader(DATA, batch_sampler=BatchSampler(range_of(100), 8, False))):
        chosen = batches.spread(sampled, 20, "validation")
        assert [batches.size(batch) for batch in chosen] == [8, 8, 4]
        assert labels(chosen) == [label for label in range(10) for _ in range(2)]


def range_of(count: int) -> SequentialSampler:
    return SequentialSampler(range(count))


def test_a_sampled_dataset_keeps_its_collate_function() -> None:
    loader = DataLoader(
        DATA, batch_size=8, collate_fn=lambda samples: {"x": torch.stack([a for a, _ in samples])}
    )
    assert [list(batch) for batch in batches.spread(loader, 20, "validation")] == [["x"]] * 3


def test_a_sorted_list_of_batches_is_sampled_evenly() -> None:
    every = list(DataLoader(DATA, batch_size=5))
    chosen = batches.spread(every, 48, "validation")
    assert sorted(set(labels(chosen))) == list(range(10))
    assert sum(map(batches.size, chosen)) == 48
    assert all(map(same, batches.spread(every, 100, "validation"), every))


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([DATA[place] for place in range(100)])


class Endless:
    """A loader without a length that may be iterated again."""

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield torch.ones(0, 1), torch.zeros(0)
            yield numbers(8), torch.zeros(8)


class Counting(DataLoader[Any]):
    """Yields what its `__iter__` says, not its dataset."""

    def __iter__(self) -> Any:
        return iter(Endless())


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(DATA, batch_size=8, shuffle=True),
        DataLoader(DATA, batch_sampler=BatchSampler(RandomSampler(DATA), 8, False)),
        DataLoader(Stream(), batch_size=8),
        Endless(),
        Counting(DATA, batch_size=8),
    ],
    ids=["shuffling", "its own batches", "stream", "without length", "subclass"],
)
def test_of_any_other_loader_it_is_the_first_batches(loader: Any) -> None:
    torch.manual_seed(3)
    chosen = batches.spread(loader, 20, "validation")
    assert [batches.size(batch) for batch in chosen] == [8, 8, 4]
    torch.manual_seed(3)
    wanted = list(batches.first(loader, 3, "validation"))
    assert all(map(same, chosen[:2], wanted[:2]))
    assert same(chosen[2], batches.take(wanted[2], 4))


def test_a_loader_of_fewer_samples_gives_all() -> None:
    chosen = batches.spread(DataLoader(DATA, batch_size=8), 500, "validation")
    assert labels(chosen) == DATA.tensors[1].tolist()
    assert len(list(batches.first(DataLoader(DATA, batch_size=8), 99, "training"))) == 13


def test_what_cannot_be_cut_is_kept_whole() -> None:
    packed = pack_sequence([torch.ones(3), torch.ones(2)])
    (chosen,) = batches.spread([(packed, torch.ones(2))], 1, "validation")
    assert chosen[0] is packed


def test_batches_are_asked_for_one_by_one() -> None:
    asked = []

    class Asked:
        def __iter__(self) -> Iterator[Tensor]:
            for place in range(5):
                asked.append(place)
                yield numbers(4)

    given = batches.first(Asked(), 3, "training")
    assert asked == []
    next(given)
    assert asked == [0]
    assert len(list(given)) == 2
    assert asked == [0, 1, 2]
    batches.spread(Asked(), 8, "training")
    assert asked == [0, 1, 2, 0, 1]


class WithoutIteration:
    pass


@pytest.mark.parametrize(
    ("loader", "match"),
    [
        (WithoutIteration(), "The training loader is of the type WithoutIteration, which can't be iterated"),
        (3, "can't be iterated: give a DataLoader"),
        ((one for one in [X]), "can be iterated once only: give a DataLoader or a list of its batches"),
        (iter([X]), "once only"),
        (map(batches.size, [X]), "once only"),
        (X, "of the type Tensor: give a DataLoader"),
        ({"x": X}, "of the type dict: give a DataLoader"),
        (DATA, r"is a dataset: give DataLoader\(dataset"),
        ([], "is empty"),
        ([torch.ones(0, 3)], "is empty"),
        (DataLoader(TensorDataset(torch.ones(0, 3))), "is empty"),
        (DataLoader(TensorDataset(torch.ones(3, 3)), batch_size=4, drop_last=True), "is empty"),
        (["name"], "str without a tensor"),
    ],
)  # fmt: skip
def test_what_is_no_loader_is_refused_in_a_sentence(loader: Any, match: str) -> None:
    with pytest.raises(ProbeError, match=match):
        batches.spread(loader, 5, "training")
    if not match.endswith("once only"):
        with pytest.raises(ProbeError, match=match):
            list(batches.first(loader, 5, "training"))


class Broken(Dataset[Any]):
    def __len__(self) -> int:
        return 10

    def __getitem__(self, place: int) -> Any:
        raise KeyError("the user's own")


def test_an_error_of_the_dataset_is_its_own() -> None:
    for loader in (
        DataLoader(Broken(), batch_size=2),
        DataLoader(Broken(), batch_size=5, shuffle=True),
    ):
        with pytest.raises(KeyError, match="the user's own"):
            batches.spread(loader, 5, "training")


class Shuffling(Sampler[int]):
    """Keeps its random streams in attributes of its own."""

    def __init__(self) -> None:
        self.stream = torch.Generator().manual_seed(1)
        self.numbers = np.random.default_rng(1)
        self.old = np.random.RandomState(1)
        self.python = random.Random(1)

    def __iter__(self) -> Iterator[int]:
        for _ in range(10):
            place = torch.randint(25, (), generator=self.stream).item()
            more = self.numbers.integers(25) + self.old.randint(25) + self.python.randrange(25)
            yield int(place + more)

    def __len__(self) -> int:
        return 10


class Together:
    """Goes through loaders of its own, one after the other."""

    def __init__(self, *loaders: DataLoader[Any]) -> None:
        self.parts = {"all": list(loaders)}

    def __iter__(self) -> Iterator[Any]:
        return chain(*self.parts["all"])


class Changing(Dataset[Any]):
    """Has a transform with a random stream."""

    def __init__(self) -> None:
        def transform(sample: Any) -> Any:
            return sample[0], sample[1] + int(self.draws.integers(100))

        self.draws = np.random.default_rng(1)
        self.transform = transform

    def __len__(self) -> int:
        return len(DATA)

    def __getitem__(self, place: int) -> Any:
        return self.transform(DATA[place])


def own(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(DATA, batch_size=8, shuffle=True),
        DataLoader(DATA, batch_size=8, shuffle=True, generator=own(1)),
        DataLoader(DATA, batch_size=8, sampler=RandomSampler(DATA, generator=own(1))),
        DataLoader(
            DATA, batch_sampler=BatchSampler(RandomSampler(DATA, generator=own(1)), 8, False)
        ),
        DataLoader(DATA, batch_size=8, sampler=Shuffling()),
        DataLoader(DATA, batch_size=8, sampler=RandomSampler(DATA)),
        Together(DataLoader(DATA, 8), DataLoader(DATA, 8, shuffle=True, generator=own(1))),
        DataLoader(ConcatDataset([DATA, Changing()]), 8),
    ],
    ids=[
        "torch's stream",
        "loader",
        "sampler",
        "batch sampler",
        "attributes",
        "sampler, torch's stream",
        "loaders in a loader",
        "data set in a data set",
    ],
)
def test_a_loader_goes_on_as_if_nobody_had_asked(loader: DataLoader[Any]) -> None:
    with unchanged(nn.ReLU()), loader_unchanged(loader, None):
        wanted = labels(loader)
    with pytest.raises(KeyError), unchanged(nn.ReLU()), loader_unchanged(loader):
        raise KeyError(labels(loader)[0])
    assert labels(loader) == wanted
    assert labels(loader) != wanted


def test_an_iteration_under_way_goes_on_with_persistent_workers() -> None:
    loader = DataLoader(DATA, batch_size=25, num_workers=1, persistent_workers=True)
    under_way = iter(loader)
    begun = [next(under_way)]
    asked = list(batches.first(loader, 2, "training"))
    assert labels([*begun, *under_way]) == labels(DataLoader(DATA, batch_size=25))
    assert labels(asked) == labels([*begun, *asked[1:]])


def test_samples_here_and_there_are_loaded_by_a_worker_where_the_loader_has_some() -> None:
    class Where(Dataset[Tensor]):
        def __len__(self) -> int:
            return 100

        def __getitem__(self, place: int) -> Tensor:
            return torch.tensor([place, os.getpid()])

    by_workers = DataLoader(Where(), 10, num_workers=2)
    rows = torch.cat(batches.spread(by_workers, 20, "validation"))
    assert rows[:, 0].tolist() == list(range(2, 100, 5))
    assert len(set(rows[:, 1].tolist())) == 1
    assert os.getpid() not in rows[:, 1].tolist()
    assert set(
        torch.cat(batches.spread(DataLoader(Where(), 10), 20, "validation"))[:, 1].tolist()
    ) == {os.getpid()}
