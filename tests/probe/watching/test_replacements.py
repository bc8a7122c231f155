"""Functions of libraries that are replaced for a while: as they were afterwards, and others' left alone."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from bntui.probe.watching.replacements import Replacements


def library() -> SimpleNamespace:
    """Return a library with one function."""

    def double(number: int, *, more: int = 0) -> int:
        """Double."""
        return 2 * number + more

    return SimpleNamespace(double=double)


def negative(double: Callable[..., int], number: int, more: int = 0) -> int:
    return -double(number, more=more)


def test_a_function_stands_for_another_until_it_is_undone() -> None:
    here, ours = library(), Replacements()
    before = here.double
    ours.put(here, "double", negative)
    assert (here.double(3), here.double(3, more=1)) == (-6, -7)
    assert (here.double.__name__, here.double.__doc__) == ("double", "Double.")
    ours.undo()
    assert here.double is before
    ours.undo()
    assert here.double is before


def test_what_is_put_twice_is_undone_to_the_first() -> None:
    here, ours = library(), Replacements()
    before = here.double
    ours.put(here, "double", negative)
    ours.put(here, "double", negative)
    assert here.double(3) == 6
    ours.undo()
    assert here.double is before


def test_who_replaces_ours_is_left_alone_and_calls_what_was_there() -> None:
    here, ours = library(), Replacements()
    ours.put(here, "double", negative)
    within = here.double

    def theirs(number: int) -> int:
        result: int = within(number) + 100
        return result

    here.double = theirs
    assert here.double(3) == 94
    ours.undo()
    assert here.double is theirs
    assert here.double(3) == 106


def test_what_the_original_raises_comes_out() -> None:
    here, ours = library(), Replacements()
    ours.put(here, "double", negative)
    with pytest.raises(TypeError, match="unsupported operand"):
        here.double(None)
