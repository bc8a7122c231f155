"""What is left alone in forked processes, such as a loader's workers: their models are copies."""

import os
from typing import Protocol
from weakref import WeakSet


class Sleeper(Protocol):
    """Who can be made to do nothing more."""

    def fall_asleep(self) -> None:
        """Do nothing from now on."""
        ...


_known: WeakSet[Sleeper] = WeakSet()


def asleep_when_forked(one: Sleeper) -> None:
    """Have somebody's copies in forked processes do nothing."""
    _known.add(one)


def _sleep() -> None:
    for one in _known:
        one.fall_asleep()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_sleep)
