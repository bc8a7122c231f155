"""Moments of a run, of which fewer are kept for each stretch of it the longer it is."""

from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Thinned(Generic[Item]):
    """At most `capacity` items: when full, every second one is dropped, and of those to come.

    The newest is always among them.
    """

    def __init__(self, capacity: int) -> None:
        """`capacity` is an even number."""
        self.capacity = capacity
        self.items: list[Item] = []
        self.stride = 1
        """Of so many items that were offered one is kept."""
        self.offered = 0

    def append(self, item: Item) -> None:
        """Offer an item later than all others; it always shows until the next one comes."""
        if self.offered % self.stride:
            self.items.pop()  # the newest stood in for its successors
        self.items.append(item)
        self.offered += 1
        if len(self.items) == self.capacity and not self.offered % self.stride:
            self.items = self.items[1::2]
            self.stride *= 2

    def restore(self, items: Iterable[Item], stride: int, offered: int) -> None:
        """Go on from what another one of this capacity had come to."""
        self.items, self.stride, self.offered = list(items), stride, offered
