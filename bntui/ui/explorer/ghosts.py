"""The runs that lie behind the one under way on the charts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bntui.core.run import Run
from bntui.core.snapshot import Snapshot

NamedSnapshots = Sequence[tuple[str, Snapshot]]
ID_IN_LEGEND = 6
"""Characters of a stored run's id in a legend, as in what is written of it elsewhere."""


@dataclass
class Ghosts:
    """The run before, one that is pinned, and any that were taken from the store."""

    before: Run | None = None
    pinned: Run | None = None
    stored: dict[str, Snapshot] = field(default_factory=dict)
    """By their ids."""

    def behind(self, run: Run, experiment: NamedSnapshots | None = None) -> NamedSnapshots:
        """Return the names and the states of those to draw behind `run`, its twin among them.

        `experiment` has those of the experiment that the run is part of, which take the place of the run before.
        """
        twin = run.snapshot.twin
        # A twin is what its run is about; the run before would take its place in the legend.
        unwanted = twin or experiment is not None or self.before is self.pinned
        before = None if unwanted else self.before
        live = [("was", before), ("pin", self.pinned)]
        return [
            *([("twin", twin)] if twin else []),
            *((name, ghost.snapshot) for name, ghost in live if ghost and ghost is not run),
            *((stored[:ID_IN_LEGEND], snapshot) for stored, snapshot in self.stored.items()),
            *(experiment or ()),
        ]
