"""Stop requests: the link drops (SIGHUP), ctrl+c (SIGINT), a kill (SIGTERM).

And every other signal that would end the program, such as SIGXCPU. `Run.leave` saves what there is to
save. This module receives the signal, and gives the exit status: 128 and the signal's number, as
shells do.
"""

import errno
import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, Timer

_STOPPING = "KILL STOP TSTP TTIN TTOU CONT"
_HARMLESS = "CHLD URG WINCH INFO"
_REPEATED = "SEGV BUS FPE ILL EMT"
"""Faults of machine code. After a handler of Python's the same instruction would run again, for ever."""
ASKING = frozenset(
    number
    for number in signal.valid_signals()
    if getattr(number, "name", "").removeprefix("SIG")
    not in f"{_STOPPING} {_HARMLESS} {_REPEATED}".split()
)
"""The signals that end a program that does not take them."""
HUNG_UP = 128 + signal.SIGHUP
UNREAD = 128 + signal.SIGPIPE
BY_USER = 128 + signal.SIGINT
"""The exit status after ctrl+c, the one of these signals that means that the user has had enough."""
LAST_RESORT_SECONDS = 2.5
SAVE_SECONDS = 1.5
"""How long the last resort waits for what there is to save."""


@contextmanager
def handled_as_before(*numbers: int) -> Iterator[None]:
    """Take signals after the block as before it, whatever handlers it has put there."""
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def asked_to_end(end: Callable[[int], object]) -> Iterator[None]:
    """Have `end` called with the exit status, instead of dying, for as long as the block lasts.

    It is called between any two steps of the main thread, perhaps more than once, so it should only
    take note. A signal that is ignored, as with nohup, stays so, and one that a library in C takes.
    """

    def take(number: int, _: object) -> None:
        if number == signal.SIGHUP:
            write_nowhere_if_hung_up()
        end(128 + number)

    asking = [one for one in ASKING if signal.getsignal(one) not in {signal.SIG_IGN, None}]
    before = [signal.signal(one, take) for one in asking]
    try:
        yield
    finally:
        for one, handler in zip(asking, before, strict=True):
            signal.signal(one, handler)


def write_nowhere_if_hung_up() -> bool:
    """Put the null device in the place of a terminal that is gone; return whether one was.

    What is still to be written to it, also by libraries and at the very end, then fails no more.
    """
    gone = False
    for descriptor in range(3):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                _write_nowhere(descriptor)
                gone = True
    return gone


def _write_nowhere(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)


def is_unread() -> bool:
    """Tell whether standard output or error is a pipe that nobody reads."""
    return bool(_unread())


def _unread() -> list[int]:
    """Return which of standard output and error is a pipe that nobody reads."""
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    return [one for one, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]


def write_nowhere_if_unread() -> bool:
    """Put the null device in the place of pipes that nobody reads; return whether one was standard output.

    To be called where writing to a pipe has failed: where none is found, that was standard output.
    """
    unread = _unread() or [1]
    for descriptor in unread:
        _write_nowhere(descriptor)
    return 1 in unread


@contextmanager
def writing(end: Callable[[int], object]) -> Iterator[None]:
    """Write to what may be gone: the block then ends early, without a word.

    Without a terminal a run goes on, as long as nothing asks it to end. A pipe that nobody reads is
    how a link that dropped looks to a command without a terminal, and asks for the end, unless it
    is only the one for complaints.
    """
    try:
        yield
    except BrokenPipeError:
        if write_nowhere_if_unread():
            end(UNREAD)
    except OSError as error:
        if error.errno != errno.EIO or not write_nowhere_if_hung_up():
            raise


def end_anyway(status: int, *last: Callable[[], object]) -> None:
    """End the process after a while, should something keep it: a terminal that takes nothing, say.

    What is to be done before, such as saving, is called in turn, each on a thread of its own, and not
    waited for if it takes long.
    """

    def end() -> None:
        for do in last:
            doing = Thread(target=do, daemon=True)
            doing.start()
            doing.join(SAVE_SECONDS)
        os._exit(status)

    timer = Timer(LAST_RESORT_SECONDS, end)
    timer.daemon = True
    timer.start()
