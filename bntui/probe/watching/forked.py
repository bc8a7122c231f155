"""What forks of a watched process leave alone: their models are copies, and threads of ours end before."""

import os
from typing import Protocol
from weakref import WeakSet


class Sleeper(Protocol):
    """Who can be made to do nothing more."""

    def fall_asleep(self) -> None:
        """Do nothing from now on."""
        ...


class Pauser(Protocol):
    """Who works on a thread of its own."""

    def pause(self) -> None:
        """End the thread until there is work."""
        ...


_asleep: WeakSet[Sleeper] = WeakSet()
_paused: WeakSet[Pauser] = WeakSet()


def asleep_when_forked(one: Sleeper) -> None:
    """Have somebody's copies in forked processes, such as a loader's workers, do nothing."""
    _asleep.add(one)


def paused_when_forking(one: Pauser) -> None:
    """Have somebody's thread end before this process forks.

    It is not begun again right after it: Python 3.13 looks for threads then. What a thread is in the middle of stays so in the copy, locks among it; so Python warns of every fork of a
    process with threads, also of one that had none but ours.
    """
    _paused.add(one)


def _pause() -> None:
    for one in _paused:
        one.pause()


def _sleep() -> None:
    for one in _asleep:
        one.fall_asleep()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_child=_sleep)
