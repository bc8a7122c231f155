"""What is known of every momentum in hindsight: the looks back of a run, and its rows in order. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bntui.core.config import RunConfig, torch_momentum
from bntui.core.estimators import ROWS
from bntui.core.measured import Doubles, Hindsight
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import EpochReport, Mark, Snapshot
from bntui.core.text import exact

OWN_ROW = "this run"
"""The row of the run's own statistics. It is drawn only where no estimator's is the same."""
_FIRST = ("0.9", "bias-corrected", "0.99", "0.999", "0", "0.95", "warm-up", "0.98", "0.5")
"""Which rows to keep where there is no room for all; the run's own comes before them."""
WORST = 0.8
"""The distance from which on a shade is the worst. Where validation was sound it was up to 0.30, where
it failed from 0.85 on."""
SOUND = 0.3
"""The distance up to which statistics were never seen to do harm."""
_TIES = 0.0021
"""Two images of 1,000: by how much the same statistics may differ when they are evaluated in other company."""
AWAY = "from fresh ones"
"""What follows the distance of the run's own statistics."""
_LAST_GAPS = 3
"""From how many gaps between looks it is told how long one stands for the time after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Validation accuracy under every row, at n moments of a run, ends of epochs among them."""

    names: tuple[str, ...]
    updates: Doubles
    """(n,), ascending."""
    images: Doubles
    """(n,), on how many each was measured; 0 where that was not kept."""
    accuracy: Doubles
    """(rows, n), in the order of `names`."""
    own: Doubles
    """(n,), under the run's own running statistics. This and the next may have NaN at ends of epochs."""
    fresh: Doubles
    momentum: Doubles
    """(n,), the run's own at the time."""
    estimator: str = "momentum"
    """What the run's own running statistics are made by now."""
    recommended: str = ""
    """The row of the momentum that the headline recommends; empty where it recommends none."""
    distance: bool = False
    """Whether `accuracy`, `own` and `fresh` are distances from fresh statistics: see `Hindsight.distance`."""
    torchs: bool = False
    """Whether momenta are shown as torch counts them. Rows are named in Keras's convention all the same."""
    score: str = "accuracy"
    """What `accuracy` is called."""
    noun: str = "images"
    """What `images` counts: see `Snapshot.noun`."""

    def goodness(self, values: Array) -> Array:
        """Return how good values are, from 0 to 1: accuracies as they are, distances from `WORST` to 0."""
        return 1.0 - values / WORST if self.distance else values

    def label(self, row: str) -> str:
        """Return what stands on the screen for a row: a momentum in the convention that is shown."""
        return self.counted(float(row)) if is_momentum(row) else row

    def counted(self, momentum: float) -> str:
        """Write a momentum in the convention that is shown."""
        return exact(torch_momentum(momentum) if self.torchs else momentum)

    @property
    def momentum_name(self) -> str:
        """What a momentum is called: whose it is, where it is not Keras's."""
        return "torch momentum" if self.torchs else "momentum"

    def called(self, row: str) -> str:
        """Return what a sentence calls a row: "momentum 0.9", "bias-corrected"."""
        return f"{self.momentum_name} {self.label(row)}" if is_momentum(row) else row

    def told(self, value: float) -> str:
        """Write a value as a sentence has it: of a distance, with the factor that it is."""
        if not self.distance or np.isnan(value):
            return written(value)
        return f"{value:.3f} (×{np.exp(min(value, 99.0)):.3g})"

    @property
    def ends(self) -> Array:
        """Return up to which update each look is drawn: to the next, unless that came too late.

        It stands for twice the longest of the last gaps between looks; the newest for itself alone.
        What lies beyond was not measured. No look to come changes this of those before.
        """
        gaps = np.pad(np.diff(self.updates, prepend=0.0), (_LAST_GAPS - 1, 0))
        longest = np.lib.stride_tricks.sliding_window_view(gaps, _LAST_GAPS).max(axis=1)
        return np.append((self.updates + 2.0 * longest)[:-1], self.updates[-1:])

    def at(self, update: float | None) -> int:
        """Return the place of the last look up to `update` (None: of the newest); −1 for none."""
        if update is None:
            return len(self.updates) - 1
        return int(np.searchsorted(self.updates, update, side="right")) - 1

    def row(self, name: str) -> Doubles:
        """Return the accuracy of every moment (n,) under one row."""
        return self.own if name == OWN_ROW else self.accuracy[self.names.index(name)]

    @property
    def own_row(self) -> str:
        """The estimator whose statistics the run has had all along, else `OWN_ROW`.

        After a live change of momentum, or a recalibration, no estimator has the same.
        """
        name = self.estimator if self.estimator in self.names else exact(self.momentum[-1])
        if name not in self.names:
            return OWN_ROW
        same = np.abs(self.row(name) - self.own) <= _TIES
        return name if (same | np.isnan(self.own)).all() else OWN_ROW

    @property
    def rows(self) -> list[str]:
        """Every row from high momenta down to 0, then the others; the run's own on top if it is none."""
        momenta = sorted((n for n in self.names if is_momentum(n)), key=float, reverse=True)
        others = [name for name in self.names if not is_momentum(name)]
        return [*([OWN_ROW] if self.own_row == OWN_ROW else []), *momenta, *others]

    def kept(self, most: int, chosen: str = "") -> list[str]:
        """Return the rows to show, at most so many: the run's own, the chosen and the recommended one first."""
        first = [self.own_row, chosen, self.recommended, *_FIRST]
        ranked = sorted(self.rows, key=lambda n: first.index(n) if n in first else len(first))
        kept = ranked[: max(1, most)]
        return [name for name in self.rows if name in kept]

    @property
    def newest(self) -> "Looks | None":
        """The last look alone of which all was measured; None if there is none."""
        whole = np.flatnonzero(np.isfinite(self.own + self.fresh))
        if not len(whole):
            return None
        last = slice(whole[-1], whole[-1] + 1)
        columns = ("updates", "images", "own", "fresh", "momentum")
        alone = {name: getattr(self, name)[last] for name in columns}
        return replace(self, accuracy=self.accuracy[:, last], **alone)

    def curve(self, name: str) -> SeriesView:
        """Return one row over the updates."""
        values = self.row(name)
        return SeriesView(self.updates, values, values, values, np.isnan(values))


def is_momentum(name: str) -> bool:
    """Tell whether a row is that of a constant momentum, and not of another estimator."""
    return name[:1].isdigit()


def looks_of(snapshot: Snapshot) -> Looks | None:
    """Return what is known of every momentum in a run; None before the first look back."""
    live = snapshot.hindsight
    names = live.names if live else _names(snapshot.reports)
    if not names:
        return None
    columns = {update: column for update, *column in _live(live)}
    images = snapshot.facts.validation if snapshot.facts else 0
    recalibrated = {mark.update for mark in snapshot.marks if mark.change == "recalibrate"}
    for report in snapshot.reports:
        told = dict(report.hindsight)
        if report.update in columns and report.update in recalibrated:
            continue  # the look of this update tells of the statistics since
        if told.keys() >= set(names):  # on more images than a look of the same update
            momentum = _momentum(snapshot, live, report.update)
            beside = [images, report.val_acc, report.val_acc_fresh, momentum]
            columns[report.update] = [*beside, *(told[name] for name in names)]
    updates = sorted(columns)
    table = np.array([columns[update] for update in updates], dtype=np.float64).T
    table.flags.writeable = False
    return Looks(
        names=tuple(names),
        updates=np.array(updates, dtype=np.float64),
        images=table[0],
        own=table[1],
        fresh=table[2],
        momentum=table[3],
        accuracy=table[4:],
        estimator=snapshot.knobs.estimator,
        recommended=exact(live.recommended) if live and live.recommended is not None else "",
        distance=live is not None and live.distance,
        torchs=snapshot.watched is not None and snapshot.watched.convention == "torch",
        score=snapshot.watched.score if snapshot.watched else "accuracy",
        noun=snapshot.noun,
    )


def why_no_hindsight(config: RunConfig) -> str:
    """Return why one run can't tell of every momentum; nothing if it can."""
    if not config.has_statistics:
        return "this network has no batch norm: momentum changes nothing"
    if not config.has_hindsight:
        return "batch renorm trains with its running statistics: another momentum, another run (t)"
    return ""


def reading(looks: Looks, update: float | None, row: str, room: int = 1000) -> str:
    """Read one cell in words: the last look up to `update` (None: the newest) under `row`.

    In less room with fewer words, in the end without those that `room` leaves no place for.
    """
    place = looks.at(update)
    if place < 0:
        return f"nothing was measured before update {looks.updates[0]:.0f}"
    own, momentum = looks.told(looks.own[place]), float(looks.momentum[place])
    this_run = "this run" if np.isnan(momentum) else f"this run's {looks.counted(momentum)}"
    at, fresh = f"update {looks.updates[place]:.0f}", written(looks.fresh[place])
    images = f" on {looks.images[place]:,.0f} {looks.noun}" if looks.images[place] else ""
    if row in {OWN_ROW, looks.own_row} or row not in looks.names:
        said, short = f"{this_run}: {own}", f"this run {own}"
        beside, least = f"fresh statistics: {fresh}", f"fresh {fresh}"
        if looks.distance:
            beside = least = AWAY
    else:
        value = looks.told(looks.row(row)[place])
        said, short = f"{looks.called(row)}: {value}", f"{looks.label(row)}: {value}"
        beside, least = f"{this_run}: {own}", f"this run {own}"
    between = " " if beside == AWAY else "; "
    texts = [
        f"{at}{images}, {said}{between}{beside}",
        f"{at}, {said}{between}{beside}",
        f"{at}: {short}, {least}",
    ]
    return next((text for text in texts if len(text) <= room), f"{at}: {short}")


def beside(rows: Sequence[str], row: str, by: int) -> str:
    """Return the row so many further down (1) or up (−1); the ends stay."""
    return rows[min(max(rows.index(row) + by, 0), len(rows) - 1)]


def written(accuracy: float) -> str:
    """Write an accuracy; a dash for one that was not measured."""
    return "–" if np.isnan(accuracy) else f"{accuracy:.3f}"


def _names(reports: Iterable[EpochReport]) -> list[str]:
    told = ([name for name, _ in report.hindsight if name in ROWS] for report in reports)
    return next(filter(None, told), [])


def _live(live: Hindsight | None) -> Iterator[tuple[float, ...]]:
    """Yield the update of each look back, images, the run's own accuracy, fresh, momentum, every row."""
    if live:
        images = np.full(len(live.updates), float(live.images))
        table = [live.updates, images, live.own, live.fresh, live.momentum, *live.accuracy]
        yield from zip(*(values.tolist() for values in table), strict=True)


def _momentum(snapshot: Snapshot, live: Hindsight | None, update: int) -> float:
    """Return the run's own momentum at the end of an epoch: the last look's, and what changed since."""
    looked = int(np.searchsorted(live.updates, update, side="right")) if live else 0
    since, momentum = 0.0, snapshot.config.knobs.momentum
    if live and looked:
        since, momentum = live.updates[looked - 1], float(live.momentum[looked - 1])
    for mark in snapshot.marks:
        if since <= mark.update < update:
            momentum = _changed(mark, momentum)
    return momentum


def _changed(mark: Mark, momentum: float) -> float:
    """Return the momentum after what happened at a mark."""
    name, _, value = mark.change.partition("=")
    if name != "momentum":
        return momentum
    try:
        return float(value)
    except ValueError:  # of a run that somebody else wrote
        return momentum
