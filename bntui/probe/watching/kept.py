"""The batches of a user's loaders that looks are taken on: loaded once, and kept in memory."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bntui.probe.batches import at_most, bytes_of, copied, first, size, spread_out
from bntui.probe.probed import FEWEST, MOST_BATCHES

MOST_BYTES = 256 << 20
"""Memory that the kept batches of one loader take, at most."""
FRESH_BATCHES = 16
"""Training batches that are kept; more where these hold fewer than `FEWEST` samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Batches of one loader, in memory of their own."""

    batches: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    """What was not kept, and why."""

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return sum(map(size, self.batches))

    def limited(self, samples: int, said: str) -> "Kept":
        """Return about so many of the samples, with a note that says why; itself if there are no more."""
        if self.samples <= samples:
            return self
        found = Kept(self.part(samples))
        return Kept(
            found.batches,
            (*self.notes, f"{found.samples:,} validation samples are looked at: {said}."),
        )

    def part(self, samples: int) -> tuple[Any, ...]:
        """Return at most about so many of the samples, of every batch its share."""
        if self.samples <= samples:
            return self.batches
        share, step = samples / self.samples, max(1, len(self.batches) // samples)
        chosen = self.batches[::step]
        return tuple(at_most(one, math.ceil(size(one) * share * step)) for one in chosen)

    def begin(self, samples: int) -> tuple[Any, ...]:
        """Return the first batches, with `samples` samples at most; the last of them may be cut."""
        chosen, left = [], samples
        for batch in self.batches:
            if left <= 0:
                break
            chosen.append(at_most(batch, left))
            left -= size(batch)
        return tuple(chosen)


def keep_validation(loader: Iterable[Any], samples: int, most: int) -> Kept:
    """Load and keep at most `samples` samples, spread over the loader as a check spreads them."""
    kept: list[Any] = []
    room = samples
    for batch in spread_out(loader, samples, "validation"):
        if not kept:
            room = max(1, most * size(batch) // max(1, bytes_of(batch)))
        part = batch
        if room < samples:
            part = at_most(batch, max(1, size(batch) * room // samples))
        kept.append(copied(part))
    found = Kept(tuple(kept))
    if room >= samples:
        return found
    said = (
        f"{found.samples:,} validation samples were kept: more than {_megabytes(most)} would be needed for "
        f"{samples:,}."
    )
    return Kept(found.batches, (said,))


def keep_training(loader: Iterable[Any], most: int) -> Kept:
    """Load and keep the first batches of a training loader, as it makes them."""
    kept: list[Any] = []
    notes: tuple[str, ...] = ()
    for batch, left in _with_room(first(loader, MOST_BATCHES, "training"), most):
        if kept and bytes_of(batch) > left:
            notes = (
                f"{len(kept)} training {'batch was' if len(kept) == 1 else 'batches were'} kept: more would take "
                f"over {_megabytes(most)}.",
            )
            break
        kept.append(copied(batch))
        if len(kept) >= FRESH_BATCHES and sum(map(size, kept)) >= FEWEST:
            break
    return Kept(tuple(kept), notes)


def _with_room(batches: Iterator[Any], most: int) -> Iterator[tuple[Any, int]]:
    """Yield batches, each with the memory that those before it have left."""
    left = most
    for batch in batches:
        yield batch, left
        left -= bytes_of(batch)


def _megabytes(count: int) -> str:
    return f"{count >> 20} MiB"
