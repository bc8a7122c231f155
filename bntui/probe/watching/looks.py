"""What is measured during somebody else's training, which is left as it was."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from torch import nn

from bntui.core.config import torch_momentum
from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.measured import Validation
from bntui.core.text import exact
from bntui.core.watched import Found
from bntui.diagnose.significance import harms
from bntui.machine import clock
from bntui.measure.estimators import CORRECTED
from bntui.measure.hindsight import Moment
from bntui.measure.subsets import FEW_IMAGES
from bntui.measure.unchanged import unchanged
from bntui.probe.arguments import refuse_arguments
from bntui.probe.batches import at_most, refuse_loader, size
from bntui.probe.causes import Cause, Finding, worst_first
from bntui.probe.check import checked_layers, reported
from bntui.probe.harm import told
from bntui.probe.loader_streams import loader_unchanged
from bntui.probe.model_errors import refuse
from bntui.probe.passes import Forward, run
from bntui.probe.probed import FEWEST, SMALL, Probed
from bntui.probe.report import Report
from bntui.probe.scoring import Metric
from bntui.probe.watching.alarm import by_alarm
from bntui.probe.watching.as_it_was import as_it_was, is_synchronised
from bntui.probe.watching.call_kinds import CallKinds, Kinds, can_count
from bntui.probe.watching.counted import Counted
from bntui.probe.watching.counted_twice import counted_twice
from bntui.probe.watching.described import unwrapped
from bntui.probe.watching.findings import (
    as_found,
    in_hindsight,
    is_unsound,
    quick_findings,
    state_findings,
)
from bntui.probe.watching.kept import MOST_BYTES, Kept, keep_training, keep_validation
from bntui.probe.watching.looked_back import distances, looked_back, own_momentum, rows_of
from bntui.probe.watching.seen import SYNCHRONISED, WITHOUT_TRAINING, Seen, Unscored, Unseen
from bntui.probe.watching.validated import validated

MOST_SECONDS = 0.5
"""What one evaluation of the kept validation samples may take; a report makes ten and more."""
LEAST_SAMPLES = 64
"""Validation samples that are looked at however long it takes."""
FRESH_SAMPLES = 512
"""Training samples that a look takes fresh statistics from, at most; a report takes all that are kept."""


class Looks:
    """Looks at a model that somebody else trains. Every one leaves everything as it was, on an error, too.

    `validation` and `training` are loaded at the first look that needs them, once, and kept in memory.
    Raises ProbeError for a model or loaders that can't be looked at; whatever the model, the loaders,
    `forward` or `metric` raise within a look comes out unchanged.
    """

    def __init__(
        self,
        model: nn.Module,
        statistics: Counted,
        *,
        validation: Iterable[Any] | None = None,
        training: Iterable[Any] | None = None,
        forward: Forward | None = None,
        metric: Metric | None = None,
        samples: int = 512,
    ) -> None:
        self.model = unwrapped(model)
        refuse(self.model)
        functions = {
            "forward": (forward, ("model", "batch")),
            "metric": (metric, ("outputs", "targets")),
        }
        refuse_arguments({"samples": samples}, 0, functions, None, None)
        for loader, what in ((validation, "validation"), (training, "training")):
            if loader is not None:
                refuse_loader(loader, what)
        self.score = ""
        """What is scored on validation samples, known from the first look on; empty without these."""
        self.others: tuple[Finding, ...] = ()
        """What was found elsewhere, such as in other processes: told beside the findings of looks."""
        self.notes: tuple[str, ...] = ()
        """What looks did not measure, and why."""
        self._statistics, self._forward, self._metric = statistics, forward, metric
        self._loaders, self._samples = (validation, training), samples
        self._fresh_samples = FRESH_SAMPLES
        self._validation: Kept | None = None
        self._training: Kept | None = None
        self._modes: dict[nn.Module, bool] = {}
        self._last: tuple[int, Probed, bool] | None = None
        self._found: tuple[Finding, ...] = ()
        self._moment: Moment | None = None
        self._kinds: Kinds | None = None
        self._call_kinds: CallKinds | None = None

    def validate(self, update: int, *, whole: bool = False) -> Validation:
        """Validate the weights at hand under running and fresh statistics, and tell what is found.

        Without validation data scores are NaN, and statistics are compared all the same. Fresh statistics
        are of the `whole` of the training batches that are kept, or of some.
        """
        with self._looking():
            self._last = None
            seen = self._seen(whole=whole)
            validation = validated(seen, self._statistics, update, scored=self._scores)
            self._found = tuple(self._judged(seen))
            self.score = seen.scorer.name if self._scores else ""
            self._last = (update, seen, whole)
        return validation

    def look_back(self, update: int) -> Moment:
        """Score the weights at hand under every row of statistics: every momentum in hindsight.

        Without validation data numbers are distances: see `core.measured.Hindsight.distance`. What was not
        measured is NaN.
        """
        with self._looking():
            seen = self._seen_at(update)
            if self._scores:
                few = self._seen(fresh=seen.fresh_row, samples=FEW_IMAGES)
                before = self._moment.recommended if self._moment else None
                moment = looked_back(few, self._statistics, update, before)
            else:
                moment = distances(seen, self._statistics, update)
        self._moment = moment
        return moment

    def findings(self, update: int) -> tuple[Found, ...]:
        """Return what the last validation found, worst first, and what is known without a pass.

        `update` is that of the training, by now. No pass is run.
        """
        found = [in_hindsight(one, self._moment, self.score) for one in self._found]
        return tuple(map(as_found, worst_first([*found, *self.others])))

    def report(self, update: int) -> Report:
        """Return a check's report on the kept batches, at the weights at hand, and what watching shows.

        Without validation data it is one of statistics only. It is of the same measurements as a validation
        with the `whole` of the batches right before it.
        """
        with self._looking():
            seen = self._seen_at(update, whole=True)
            if self._scores:
                self.score = seen.scorer.name
                found = reported(seen)
            else:
                found = self._of_statistics(seen)
            more = [self._counted_twice(seen, list(found.verdicts)), *self.others]
        verdicts = [
            in_hindsight(one, self._moment, self.score) for one in (*found.verdicts, *more) if one
        ]
        if is_unsound(verdicts):
            verdicts = [one for one in verdicts if one.cause is not Cause.SOUND]
        notes = (*found.notes, *self.notes, *self._statistics.notes)
        return replace(found, verdicts=worst_first(verdicts), notes=tuple(dict.fromkeys(notes)))

    def close(self) -> None:
        """Remove what is hooked to the model, and let go of the batches."""
        if self._call_kinds:
            self._call_kinds.close()
        self._call_kinds = self._last = self._validation = self._training = None

    @property
    def _scores(self) -> bool:
        """Whether there are validation samples to score."""
        return self._loaders[0] is not None

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Look at the model, with the modes in which it trains."""
        with self._statistics.suspended():
            if self._call_kinds:
                self._kinds, self._call_kinds = self._call_kinds.seen() or self._kinds, None
            with as_it_was(self.model):
                self._load()
                self._put_modes()
                yield
        self._count_kinds()

    def _count_kinds(self) -> None:
        """Look, until the next look, where calls come from of which an update makes several."""
        calls = self._statistics.usual_calls
        unknown = self._kinds is None and self._call_kinds is None
        if unknown and max([0, *calls]) > 1 and can_count():
            layers = zip(self._statistics.layers.layers, calls, strict=True)
            self._call_kinds = CallKinds([layer for layer, count in layers if count > 1])

    def _load(self) -> None:
        """Load what is to be kept, at the first look."""
        validation, training = self._loaders
        if self._validation is None or self._training is None:
            with loader_unchanged(validation, training):
                self._validation = self._validation or self._kept_validation(validation)
                self._training = self._training or self._kept_training(training)

    def _kept_validation(self, loader: Iterable[Any] | None) -> Kept:
        if loader is None:
            return Kept()
        found = keep_validation(loader, self._samples, MOST_BYTES)
        seconds = self._seconds(found)
        if seconds > MOST_SECONDS:
            most = max(LEAST_SAMPLES, int(found.samples * MOST_SECONDS / seconds))
            self._fresh_samples = max(FEWEST, FRESH_SAMPLES * most // found.samples)
            found = found.limited(most, f"{found.samples:,} would take {seconds:.0f} seconds")
        self.notes += found.notes
        return found

    def _seconds(self, validation: Kept) -> float:
        """Return about how long an evaluation of all samples takes, by the second of two short ones."""
        few = at_most(validation.batches[0], SMALL)
        with unchanged(self.model):
            self.model.eval()
            for _ in range(2):
                began = clock.now()
                run(self.model, few, self._forward)
        return (clock.now() - began) * validation.samples / size(few)

    def _kept_training(self, loader: Iterable[Any] | None) -> Kept:
        if loader is None:
            found = Kept(notes=(WITHOUT_TRAINING,))
        elif is_synchronised(self.model):
            found = Kept(notes=(SYNCHRONISED,))
        else:
            found = keep_training(loader, MOST_BYTES)
        self.notes += found.notes
        return found

    def _put_modes(self) -> None:
        """Put modules into the modes that they had when the model was last seen in training mode."""
        if self.model.training:
            self._modes = {module: module.training for module in self.model.modules()}
        else:
            for module in self.model.modules():
                module.training = self._modes.get(module, module.training)

    def _seen_at(self, update: int, *, whole: bool = False) -> Probed:
        """Return the model as the last validation saw it, if its weights are still those.

        With the `whole` of the training batches only what was seen with these.
        """
        if self._last and self._last[0] == update and (self._last[2] or not whole):
            seen = self._last[1]
            if bool((seen.layers.running() == seen.running_row).all()):
                return seen
        return self._seen(whole=whole)

    def _seen(self, *, fresh: Any = None, samples: int = 0, whole: bool = False) -> Probed:
        """Return the model in the hands of a look.

        With fresh statistics that are known, with fewer validation `samples`, or with the `whole` of the
        training batches, as they were loaded.
        """
        training = self._training or Kept()
        batches = training.batches if whole else training.begin(self._fresh_samples)
        if fresh is None and not batches:
            fresh = self._statistics.recent()
        if not self._scores and not batches:
            return self._unseen(fresh)
        validation = self._validation if self._scores and self._validation else training
        kind = Seen if self._scores else Unscored
        return kind(
            self.model,
            validation.part(samples) if samples else validation.batches,
            batches or None,
            forward=self._forward,
            metric=self._metric if self._scores else None,
            fresh=fresh,
        )

    def _unseen(self, fresh: Any) -> Probed:
        called = [True] * len(self._statistics.layers)
        if any(self._statistics.calls):
            called = [count > 0 for count in self._statistics.calls]
        unseen = Unseen(self.model, lambda layer: layer.training, called, fresh)
        return cast("Probed", unseen)

    def _judged(self, seen: Probed) -> list[Finding]:
        """Return what is found of a model that was validated, or of its statistics alone."""
        found = quick_findings(seen) if self._scores else self._by_statistics(seen)
        several = self._counted_twice(seen, found)
        return [*found, several] if several else found

    def _by_statistics(self, seen: Probed) -> list[Finding]:
        rows = dict(zip(ROWS, rows_of(seen, self._statistics), strict=True))
        # Momentum 0 averages nothing: it is near fresh statistics by chance.
        constant = [(name, row) for name, row in rows.items() if name[0].isdigit() and name != "0"]
        found = state_findings(seen)
        if is_unsound(found):
            return found
        far = by_alarm(seen, rows[CORRECTED], constant)
        return [far, *(one for one in found if one.cause is not far.cause)]

    def _of_statistics(self, seen: Probed) -> Report:
        verdicts = worst_first(self._by_statistics(seen))
        return Report(verdicts, None, None, None, checked_layers(seen), (), "")

    def _counted_twice(self, seen: Probed, found: list[Finding]) -> Finding | None:
        """Name statistics that an update moves several times; unsound if that explains the harm."""
        statistics = self._statistics
        explained = self._explained(seen) if is_unsound(found) else ""
        names, calls = statistics.layers.names, statistics.usual_calls
        return counted_twice(names, calls, statistics.momentum, self._kinds, explained)

    def _explained(self, seen: Probed) -> str:
        """Say that statistics which an update moves once would do no harm; "" if that was not seen."""
        momentum = own_momentum(self._statistics.momentum)
        count = max([0, *self._statistics.usual_calls])
        if count < 2 or not 0.0 < momentum < 1.0 or seen.running is None or seen.fresh is None:
            return ""
        once = momentum ** (1.0 / count)
        nearest = min(MOMENTA, key=lambda one: abs(one - once))
        if abs(nearest - once) >= abs(momentum - once):
            return ""
        scored = seen.evaluate(self._statistics.row(f"{nearest:g}").to(seen.layers.device))
        if harms(scored.less(seen.fresh)) or not harms(seen.running.less(scored)):
            return ""
        return (
            f"With torch's momentum {exact(torch_momentum(nearest))}, with which {count} moves keep about as much as one "
            f"does now, validation would be {told(scored, seen)} instead of {told(seen.running, seen)}."
        )
