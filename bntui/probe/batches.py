"""The batches of a user's loader, whatever their form, and what outputs are compared with."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    Subset,
)

from bntui.probe.errors import ProbeError
from bntui.probe.nesting import (
    changed,
    counted,
    is_opaque,
    is_samples,
    length,
    same,
)

Batch = Any
"""A tensor, or a tuple, list, named tuple or dict of tensors, such dicts and lists, and lists of other things."""

_TARGETS = ("labels", "label", "targets", "target", "y")


def size(batch: Batch) -> int:
    """Return how many samples a batch has: the first dimension of its first tensor.

    A tensor that is in a list of tensors comes last, since that may be a list of samples; a list of
    dicts inside a batch is one. Raises ProbeError where there is no tensor.
    """
    return counted(batch)[0]


def take(batch: Batch, count: int) -> Batch:
    """Return the first `count` samples of a batch, in its structure and types.

    Cuts tensors, arrays and lists of samples that have as many as the batch; the rest is kept as it is.
    Raises ProbeError where something can't be cut, such as a graph.
    """
    return _cut(batch, 0, count)


def join(batches: Sequence[Batch]) -> Batch:
    """Return batches of one structure as one, one after the other.

    Raises ProbeError where their structures, shapes, types or devices differ, or what isn't per sample.
    """
    if len(batches) == 1:
        return batches[0]
    counts = [counted(batch) for batch in batches]

    def are_samples(nodes: Sequence[Any]) -> bool:
        # Three images of three channels tell nothing; those of another batch do.
        return _per_sample(nodes, counts) and any(
            is_samples(node, *count) for node, count in zip(nodes, counts, strict=True)
        )

    def joined(nodes: Sequence[Any]) -> Any:
        first = nodes[0]
        if not _per_sample(nodes, counts):
            if all(same(first, node) for node in nodes):
                return first
            raise ProbeError(f"Batches that differ in a {type(first).__name__} can't be joined.")
        if isinstance(first, list | tuple):
            return type(first)(sample for node in nodes for sample in node)
        kinds = {(node.shape[1:], node.dtype, getattr(node, "device", None)) for node in nodes}
        if len(kinds) > 1:
            raise ProbeError("Batches whose shapes, types or devices differ can't be joined.")
        return torch.cat(list(nodes)) if isinstance(first, Tensor) else np.concatenate(nodes)

    return changed(joined, batches, are_samples)


def _per_sample(nodes: Sequence[Any], counts: list[tuple[int, bool]]) -> bool:
    """Tell whether each of the parts has as many elements as its batch has samples."""
    return all(length(node) == count for node, (count, _) in zip(nodes, counts, strict=True))


def regrouped(batches: Sequence[Batch], count: int) -> list[Batch]:
    """Return the same samples in batches of `count`, the last one smaller; as they are if they can't be."""
    if not batches:
        return []
    try:
        whole = join(batches)
        return [_cut(whole, start, start + count) for start in range(0, size(whole), count)]
    except ProbeError:
        return list(batches)


def moved(
    batch: Batch, device: torch.device, dtype: torch.dtype | None = None, *, copied: bool = False
) -> Batch:
    """Return a batch with its tensors on `device`, and the floating ones in `dtype` where one is given.

    They are `copied` for a model, which may work in place on what it gets: the batch is used again.
    """

    def there(nodes: Sequence[Any]) -> Any:
        (node,) = nodes
        if isinstance(node, Tensor):
            kind = dtype if dtype and node.is_floating_point() else node.dtype
            return node.to(device, kind, copy=copied)
        return copy.copy(node).to(device) if is_opaque(node) else node  # a graph's `to` is in place

    return changed(there, [batch])


def targets(batch: Batch) -> Any:
    """Return what a batch's outputs are compared with; the batch itself where nothing tells."""
    if isinstance(batch, list | tuple) and len(batch) > 1:
        return batch[1]
    if isinstance(batch, Mapping):
        return next((batch[name] for name in _TARGETS if name in batch), batch)
    return batch


def inputs_finite(batch: Batch) -> bool:
    """Tell whether a batch holds finite numbers only, leaving out its targets."""
    inputs = batch
    if isinstance(batch, Mapping):
        inputs = {name: item for name, item in batch.items() if name not in _TARGETS}
    elif isinstance(batch, list | tuple) and len(batch) > 1:
        inputs = batch[0]
    finite: list[bool] = []

    def look(nodes: Sequence[Any]) -> None:
        if isinstance(nodes[0], Tensor) and nodes[0].is_floating_point():
            finite.append(bool(nodes[0].isfinite().all()))

    changed(look, [inputs])
    return all(finite)


def _cut(batch: Batch, start: int, stop: int) -> Batch:
    """Return some of a batch's samples."""
    count, listed = counted(batch)
    if start <= 0 and stop >= count:
        return batch

    def some(nodes: Sequence[Any]) -> Any:
        (node,) = nodes
        if is_opaque(node):
            raise ProbeError(f"A batch holds a {type(node).__name__}, which can't be cut.")
        return node[start:stop] if length(node) == count else node

    return changed(some, [batch], lambda nodes: is_samples(nodes[0], count, listed))


def spread(loader: Iterable[Batch], samples: int, what: str) -> list[Batch]:
    """Return batches of at most `samples` samples of a loader, evenly spaced where that can be.

    Files of validation are often sorted by class, so the first ones are few of them. A DataLoader that
    goes through a dataset in its order is asked for samples here and there, a list of batches for
    such batches; of any other loader it is the first ones. `what` names the loader in a ProbeError.
    """
    return list(spread_out(loader, samples, what))


def spread_out(loader: Iterable[Batch], samples: int, what: str) -> Iterator[Batch]:
    """Yield the batches of `spread`, as they are loaded."""
    left = samples
    for batch in first(_spaced(_apart(loader), samples), samples, what):
        yield at_most(batch, left)
        left -= size(batch)
        if left <= 0:
            return


def first(loader: Iterable[Batch], count: int, what: str) -> Iterator[Batch]:
    """Yield the first `count` batches of a loader that have samples, as they are asked for.

    Raises ProbeError for what is no loader or can be iterated once only, and where there is no batch.
    """
    return _first(_apart(_checked(loader, what)), count, what)


def _first(loader: Iterable[Batch], count: int, what: str) -> Iterator[Batch]:
    given = 0
    for batch in loader:
        if size(batch):
            given += 1
            yield batch
        if given == count:
            return
    if not given:
        raise ProbeError(
            f"The {what} loader is empty: give one with at least one batch of samples."
        )


def refuse_loader(loader: Any, what: str) -> None:
    """Raise ProbeError for what is no loader, or can be iterated once only; `what` names it."""
    _checked(loader, what)


def copied(batch: Batch) -> Batch:
    """Return a batch whose tensors and arrays hold memory of their own, where they were."""

    def own(nodes: Sequence[Any]) -> Any:
        (node,) = nodes
        if isinstance(node, Tensor):
            return node.detach().clone()
        return copy.deepcopy(node) if isinstance(node, np.ndarray) or is_opaque(node) else node

    return changed(own, [batch])


def bytes_of(batch: Batch) -> int:
    """Return the memory of a batch's tensors and arrays."""
    found: list[int] = []

    def count(nodes: Sequence[Any]) -> None:
        (node,) = nodes
        if isinstance(node, Tensor):
            found.append(node.numel() * node.element_size())
        elif isinstance(node, np.ndarray):
            found.append(node.nbytes)

    changed(count, [batch])
    return sum(found)


def _checked(loader: Any, what: str) -> Iterable[Batch]:
    """Refuse what is no loader."""
    kind, way_out = type(loader), "give a DataLoader or a list of its batches."
    if isinstance(loader, Tensor | Mapping | str | bytes | np.ndarray):
        raise ProbeError(f"The {what} loader is of the type {kind.__name__}: {way_out}")
    if isinstance(loader, Dataset) and not isinstance(loader, IterableDataset):
        raise ProbeError(
            f"The {what} loader is a dataset: give DataLoader(dataset, batch_size=…) instead."
        )
    if not hasattr(kind, "__iter__") and not hasattr(kind, "__getitem__"):
        raise ProbeError(
            f"The {what} loader is of the type {kind.__name__}, which can't be iterated: {way_out}"
        )
    if hasattr(kind, "__next__") and iter(loader) is loader:
        raise ProbeError(
            f"The {what} loader is of the type {kind.__name__}, which can be iterated once only: {way_out}"
        )
    tensors = isinstance(loader, list | tuple) and all(isinstance(one, Tensor) for one in loader)
    if tensors and len({one.dim() for one in loader}) > 1:  # images and labels
        raise ProbeError(
            f"The {what} loader is one batch, of {len(loader)} tensors of different dimensions: give a list"
            " of batches, such as [batch]."
        )
    return loader  # type: ignore[no-any-return]


def _apart(loader: Any) -> Any:
    """Return a loader of the same batches that can be iterated while its owner iterates his.

    With persistent workers all iterations are one, which begins anew. accelerate tells by the loader that
    is iterated when gradients have been accumulated: of its loaders it is the one inside.
    """
    inside = getattr(loader, "base_dataloader", loader)
    loader = inside if isinstance(inside, DataLoader) else loader
    if isinstance(loader, DataLoader) and loader.persistent_workers:
        loader = copy.copy(loader)
        loader._iterator = None
    return loader


def _spaced(loader: Any, samples: int) -> Any:
    """Return a loader of evenly spaced samples or batches of another one; itself where that can't be."""
    if isinstance(loader, list | tuple):
        total = sum(size(batch) for batch in loader)
        return loader if total <= samples else _places(loader, -(-samples * len(loader) // total))
    if not isinstance(loader, DataLoader) or type(loader).__iter__ is not DataLoader.__iter__:
        return loader
    batches = loader.batch_sampler
    if type(batches) is not BatchSampler or type(batches.sampler) is not SequentialSampler:
        return loader
    total = len(batches.sampler)
    if total <= samples:
        return loader
    chosen: Subset[Any] = Subset(loader.dataset, _places(range(total), samples))
    own = torch.Generator()  # whatever the loader's own one would have drawn from
    return DataLoader(
        chosen,
        batches.batch_size,
        collate_fn=loader.collate_fn,
        generator=own,
        # Files that a data set opens at its first sample stay closed here, if they were to.
        num_workers=min(1, loader.num_workers),
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context if loader.num_workers else None,
    )


def _places(sequence: Sequence[Any], count: int) -> list[Any]:
    """Return `count` elements of a longer sequence, evenly spaced: the middles of as many parts."""
    return [sequence[(2 * place + 1) * len(sequence) // (2 * count)] for place in range(count)]


def at_most(batch: Batch, count: int) -> Batch:
    """Return the first `count` samples of a batch; all of them where it can't be cut."""
    try:
        return take(batch, count)
    except ProbeError:  # it can't be cut: rather some samples more than none
        return batch
