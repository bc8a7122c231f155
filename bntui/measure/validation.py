"""Validations of a run's weights at hand, under its own, fresh and every other estimator's statistics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from bntui.core.measured import Difference, Validation
from bntui.diagnose.recommendation import HORIZON, Look, constant_rows
from bntui.diagnose.recommendation import recommended as recommend
from bntui.measure.counterfactuals import GONE
from bntui.measure.drift import compare_modes, drift
from bntui.measure.estimators import ESTIMATORS, OWN
from bntui.measure.evaluation import Outcome, evaluate
from bntui.measure.hindsight import Moment
from bntui.measure.statistics import pool
from bntui.measure.subject import Samples, TrainingRun
from bntui.measure.subsets import Subsets

RECALIBRATION_BATCH = 256
HINDSIGHT_NAMES = tuple(name for name in ESTIMATORS if name != OWN)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was found with the same weights so far, each of it once."""

    fresh: list[Tensor] = field(default_factory=list)
    """Fresh statistics (2, C), once they were taken."""
    outcomes: dict[tuple[Samples, bytes], Outcome] = field(default_factory=dict)
    """By the samples, each equal to itself alone, and the row's bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Validator:
    """Validates the weights at hand. Changes nothing.

    `check_stop` is called wherever waiting is possible: it may wait (a pause) or raise (a stop).
    """

    run: TrainingRun
    subsets: Subsets
    check_stop: Callable[[], None]
    known: Known | None = None

    def at_these_weights(self) -> "Validator":
        """Return one that measures nothing twice: to be used until the weights change."""
        return replace(self, known=Known())

    def fresh(self) -> Tensor:
        """Return fresh statistics: (2, C)."""
        if self.known and self.known.fresh:
            return self.known.fresh[0]
        self.check_stop()
        statistics = self.run.subject.collect(self.subsets.fresh.inputs)
        if self.known:
            self.known.fresh.append(statistics)
        return statistics

    def recalibrated(self) -> Tensor:
        """Return the pooled statistics of several training batches: (2, C)."""
        rows = []
        for batch in self.subsets.recalibration.split(RECALIBRATION_BATCH):
            self.check_stop()
            rows.append((self.run.subject.collect(batch), len(batch)))
        return pool(rows)

    def under(self, rows: Sequence[Tensor], samples: Samples) -> list[Outcome]:
        """Evaluate on `samples` under each of `rows` (2, C)."""
        if not self.known:
            return evaluate(self.run.subject, rows, samples, self.check_stop)
        known = self.known.outcomes
        keyed = {(samples, row.cpu().numpy().tobytes()): row for row in rows}
        missing = {key: row for key, row in keyed.items() if key not in known}
        found = evaluate(self.run.subject, list(missing.values()), samples, self.check_stop)
        known |= zip(missing, found, strict=True)
        return [known[samples, row.cpu().numpy().tobytes()] for row in rows]

    def validate(self, samples: Samples) -> Validation:
        """Validate under the run's own and under fresh statistics, and tell how far they are apart."""
        run, estimators = self.run, self.run.estimators
        layers, own = run.subject.layers, estimators[OWN]
        if not layers:
            (only,) = self.under([own], samples)
            score = only.score
            return Validation(
                run.update, len(samples), score, score, (), difference=only.less(only)
            )
        statistics = self.fresh()
        rows = [own, statistics, *([estimators.unstarted] if estimators.start_left else [])]
        running, fresh, *corrected = self.under(rows, samples)
        self.check_stop()
        few = self.subsets.few
        modes = compare_modes(run.subject, own, few.inputs)
        return Validation(
            run.update,
            len(samples),
            running.score,
            fresh.score,
            drift(
                layers,
                own,
                statistics,
                estimators.unstarted,
                estimators.start_left,
                modes.errors,
                estimators.last_move,
            ),
            modes.flipped,
            len(few),
            running.less(fresh),
            corrected[0].score if corrected else None,
            modes.logits_error,
        )

    def moment(self, samples: Samples, recommended: float | None = None) -> Moment:
        """Validate under every estimator, for the map of all momenta.

        `recommended` is the momentum that the look before has led to.
        """
        run, estimators = self.run, self.run.estimators
        statistics = self.fresh()
        rows = [estimators[name] for name in (*HINDSIGHT_NAMES, OWN)]
        *each, own, fresh = self.under([*rows, statistics], samples)
        best = max(each, key=lambda row: (row.score.accuracy, -row.score.loss))
        gains, behind = [row.less(own) for row in each], [row.less(best) for row in each]

        def healed(momentum: float | None) -> Difference:
            moves = HORIZON * run.moves
            if momentum is None:
                left = estimators.left_after(moves, run.momentum)
            else:
                left = momentum**moves
            if left < GONE:
                return fresh.less(fresh)
            waited = torch.lerp(statistics, estimators[OWN], left)
            return self.under([waited], samples)[0].less(fresh)

        look = Look(run.momentum, own.less(fresh), constant_rows(HINDSIGHT_NAMES, gains, behind))
        return Moment(
            run.update,
            tuple(row.score.accuracy for row in each),
            own.score.accuracy,
            fresh.score.accuracy,
            run.momentum,
            tuple(gains),
            tuple(behind),
            recommend(recommended, look, healed),
        )
