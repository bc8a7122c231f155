"""What observing costs beside training: `python -m benchmarks.observing`.

The same run with one part switched on at a time, right after the same run with nothing on: how much
longer its updates take, with all that is done between them, and what one look costs. While training,
looks are taken as long as they keep within a share of the time, so any one of them alone fills that
share: there the price of one look is what tells the parts apart.
"""

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from benchmarks import runs
from benchmarks.common import Effort, Table, alternate, in_process, main, median_ratio
from bntui.core.config import Observation
from bntui.machine.device import prepare_environment
from bntui.measure import budget
from bntui.store.recorder import StoreRecorder

AT_ENDS = Observation(live=False)
LIVE = Observation(epoch_ends=False, epoch_fresh=False, noise_scale=True)
EXPLORER = Observation(epoch_fresh=False, noise_scale=True)
"""As `bntui` has it."""
BATCH = 256
WIDTH, QUICK_WIDTH = 0.25, 0.0625
UPDATES, QUICK_UPDATES = (64, 240), (4, 16)
"""How many go before, and how many are measured: an epoch has 16."""
DRIFT = "  of which drift"


@dataclass(frozen=True, slots=True)
class Part:
    """What is switched on."""

    observation: Observation = runs.NOTHING
    looks: tuple[str, ...] = ()
    """Kinds of live looks, the last of which is priced; none for all that the observation allows."""
    store: bool = False
    screen: bool = False
    opening: bool = True
    """Whether it is the run's first minute, in which looks may take more of the time."""


NOTHING = Part()
PARTS = {
    "epoch ends: both validations, drift": Part(AT_ENDS),
    "epoch ends: those, every momentum": Part(Observation(live=False, hindsight=True)),
    "epoch ends: those, noise scale": Part(Observation(live=False, epoch_noise=True)),
    "live: both validations, drift": Part(LIVE, ("validation",)),
    "live: map of every momentum": Part(LIVE, ("hindsight",)),
    "live: noise scale": Part(LIVE, ("noise",)),
    "live: each layer exchanged": Part(LIVE, ("validation", "exchanges")),
    "live: waiting": Part(LIVE, ("validation", "waiting")),
    "live: waiting, each layer": Part(LIVE, ("validation", "exchanges", "layers' waiting")),
    "live: training beside validation images": Part(LIVE, ("validation", "data")),
    "store": Part(store=True),
    "screen": Part(screen=True),
    "everything, in the first minute": Part(EXPLORER, store=True, screen=True),
    "everything, after it": Part(EXPLORER, store=True, screen=True, opening=False),
}
COLUMNS = {
    "switched on": "",
    "time for the same updates": ".3f",
    "one look, ms": ",.1f",
    "in updates": ".2f",
}


def all_parts(width: float, before: int, updates: int) -> dict[str, dict[str, float]]:
    """Measure every part, one after the other, in this process, each beside nothing."""
    prepare_environment()
    measure(NOTHING, width, before, before)  # once for nothing: torch sets itself up
    found = {}
    for name, part in PARTS.items():
        base = measure(NOTHING, width, before, updates)["update"]
        found[name] = {"nothing": base} | measure(part, width, before, updates)
        if drift := found[name].pop("drift", None):
            found[DRIFT] = {"nothing": base, "look": drift}
    return found


def measure(part: Part, width: float, before: int, updates: int) -> dict[str, float]:
    """Return the seconds of an update and of one look, and of that the part that drift takes."""
    from bntui.measure import observer, validation
    from bntui.train.session import KEEPING

    laps: dict[str, list[float]] = defaultdict(list)
    drift: list[float] = []
    observed = budget.Budget.observed

    def note(self: budget.Budget, kind: str = "") -> None:
        before = self.observing
        observed(self, kind)
        laps[kind].append(self.observing - before)

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            begun = time.perf_counter()
            returned = function(*arguments)
            drift.append(time.perf_counter() - begun)
            return returned

        return call

    with ExitStack() as stack:
        stack.enter_context(patch.object(budget.Budget, "observed", note))
        if part.looks:
            stack.enter_context(patch.object(observer, "ROUND", part.looks))
        opening = math.inf if part.opening else 0.0
        stack.enter_context(patch.object(budget, "OPENING_SECONDS", opening))
        if part.looks == ("validation",):
            for name in ("compare_modes", "drift"):
                stack.enter_context(
                    patch.object(validation, name, timed(getattr(validation, name)))
                )
        folder = stack.enter_context(TemporaryDirectory())
        recorder = StoreRecorder(Path(folder) / "runs.sqlite") if part.store else None
        run = runs.explored if part.screen else runs.headless
        config = runs.endless(BATCH, width=width)
        stretch = run(config, before, before + updates, part.observation, recorder)
    found = {"update": stretch.seconds / stretch.updates}
    priced = set(part.looks[-1:]) or laps.keys() - {"", KEEPING}
    prices = [lap for kind, times in laps.items() if kind in priced for lap in times]
    if prices and not part.screen:
        found["look"] = statistics.fmean(prices)
    if drift:
        found["drift"] = sum(drift) / len(prices)
    return found


def tables(effort: Effort) -> Iterator[Table]:
    """Measure every part in a process of its own for each round."""
    width = QUICK_WIDTH if effort.quick else WIDTH
    counts = QUICK_UPDATES if effort.quick else UPDATES
    name = "every part"
    found = alternate({name: lambda: in_process(all_parts, width, *counts).value}, effort.rounds)
    rounds: list[dict[str, dict[str, float]]] = found[name]
    rows = []
    for name in rounds[0]:
        parts = [round_[name] for round_ in rounds]
        update = [part["nothing"] for part in parts]
        times = [part["update"] for part in parts if "update" in part]
        prices = [part["look"] for part in parts if "look" in part]
        whole = len(prices) == len(rounds)
        rows.append(
            (
                name,
                median_ratio(times, update) if times else None,
                1000 * statistics.median(prices) if whole else None,
                median_ratio(prices, update) if whole else None,
            )
        )
    share, later = budget.OPENING_SHARE, budget.LATER_SHARE
    yield Table(
        f"Observing: {counts[1]} updates of {BATCH} at width {width:g}, one part at a time",
        COLUMNS,
        rows,
        f"1 is the time with nothing on. Live looks may take {share:.0%} of the time in a run's "
        f"first minute and {later:.0%} after it, so alone each may come to {1 / (1 - share):.2f} "
        "there; what one costs tells them apart.",
    )


if __name__ == "__main__":
    main(tables)
