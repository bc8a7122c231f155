"""The marks of a run: what was changed in it or happened to it, and at which update."""

from collections import deque
from collections.abc import Iterable

from bntui.core.config import Knobs
from bntui.core.settings import LIVE
from bntui.core.snapshot import Divergence, Mark
from bntui.core.text import exact
from bntui.train.resuming import MAX_MARKS


class Marks:
    """The last `MAX_MARKS` of a run, oldest first."""

    def __init__(self) -> None:
        self._marks: deque[Mark] = deque(maxlen=MAX_MARKS)
        self._diverged = False

    def add(self, update: int, label: str, change: str = "") -> None:
        """Add one; `change` is what `--at` calls it, if it can."""
        self._marks.append(Mark(update, label, change))

    def add_divergence(self, divergence: Divergence | None) -> None:
        """Mark where the run diverged, if it has, once."""
        if divergence and not self._diverged:
            self._diverged = True
            self.add(divergence.update, "diverged")

    def restore(self, marks: Iterable[Mark], *, diverged: bool) -> None:
        """Go on from the marks of a checkpoint, of a run that had `diverged` by then or not."""
        self._marks.extend(marks)
        self._diverged = diverged

    def view(self) -> tuple[Mark, ...]:
        """Return all."""
        return tuple(self._marks)


def knob_changes(before: Knobs, after: Knobs) -> list[tuple[str, str]]:
    """Return the label and the change as `--at` has it of each knob that was turned, but the pace."""
    return [
        (f"{name} {_written(old)}→{_written(new)}", f"{name}={new}")
        for name, row in LIVE.items()
        if (old := getattr(before, row.field)) != (new := getattr(after, row.field))
        and row.field != "pace"
    ]


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else exact(value)
