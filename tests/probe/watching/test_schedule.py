"""Looks keep to their share of the time, and what is done at every update takes nothing from it."""

from bntui.probe.watching.schedule import FIRST, HINDSIGHT, KINDS, VALIDATION, Schedule


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def looks(
    schedule: Schedule, clock: Clock, updates: int, *, step: float, book: float, look: float
) -> list[tuple[int, str]]:
    made = []

    def spend(seconds: float) -> None:
        clock.seconds += seconds

    for update in range(1, updates + 1):
        spend(step)
        schedule.book(lambda: spend(book))
        for kind in schedule.due(update):
            spend(look)
            schedule.looked(kind)
            made.append((update, kind))
    return made


def test_both_kinds_come_in_turn_within_the_share() -> None:
    clock = Clock()
    schedule = Schedule(None, 0.05, clock)
    made = looks(schedule, clock, 3000, step=0.1, book=0.0, look=0.5)
    assert [kind for _, kind in made[:4]] == [*KINDS, *KINDS]
    assert made[0][0] == FIRST
    assert 0.04 < schedule.share < 0.08
    assert len(made) > 20


def test_bookkeeping_takes_no_look_away() -> None:
    clock = Clock()
    schedule = Schedule(None, 0.05, clock)
    made = looks(schedule, clock, 8000, step=0.002, book=0.001, look=0.01)
    assert len(made) > 60
    assert schedule.share > 0.33  # it is told all the same


def test_every_so_many_updates() -> None:
    clock = Clock()
    made = looks(Schedule(4, 0.0, clock), clock, 9, step=1.0, book=0.0, look=9.0)
    assert made == [(4, VALIDATION), (4, HINDSIGHT), (8, VALIDATION), (8, HINDSIGHT)]


def test_without_a_share_there_is_no_look() -> None:
    clock = Clock()
    assert not looks(Schedule(None, 0.0, clock), clock, 100, step=1.0, book=0.0, look=1.0)
