"""What a check found: values only, to be printed, kept as JSON, or asserted on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.errors import ProbeError

if TYPE_CHECKING:
    from bntui.probe.text_report import TextReport


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The model on the validation samples, in eval mode, under one set of statistics."""

    score: float
    """Mean of the metric: accuracy for class labels; higher is better."""
    loss: float | None
    """Mean cross-entropy of class labels; None for another metric."""
    samples: int


@dataclass(frozen=True, slots=True)
class CheckedLayer:
    """One layer with running statistics, or one that should have them."""

    name: str
    kind: str
    """The name of its class."""
    channels: int
    values: int | None
    """Values per channel that a training batch brings it: samples times positions; None where unknown."""
    momentum: float | None
    """torch's: the share of the new value that an update takes. None: a cumulative average, or none at all."""
    updates: int | None
    """`num_batches_tracked`; None where the layer has no counter."""
    mean_gap: float
    """Mean of |running mean − fresh mean| in fresh standard deviations; NaN where not measured."""
    log_var_ratio: float
    """Mean of ln((running variance + ε)/(fresh variance + ε)); NaN where not measured."""
    network_error: float
    """RMS difference of its output between eval and training mode with all layers before it as they are,
    relative to that in training mode; NaN where not measured."""
    remarks: tuple[str, ...] = ()
    """Facts of its state, such as "untouched", "float16 buffers", "frozen", "no running statistics"."""


class UnsoundError(AssertionError):
    """A report names a cause that does harm."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `bntui.check` found. `print` it, keep `to_json()`, or assert `sound`."""

    verdicts: tuple[Finding, ...]
    """Worst first; at least one."""
    running: Evaluation | None
    """Under the model's own running statistics."""
    fresh: Evaluation | None
    """The same weights on the same samples, under statistics of training batches; None without these."""
    flipped: float | None
    """Share of predictions that differ between the two; None where outputs are no classes."""
    layers: tuple[CheckedLayer, ...]
    """In the order of the model's modules."""
    notes: tuple[str, ...]
    """What was not measured, and why; how many samples there were."""
    metric: str = "accuracy"
    """What scores are called."""

    @property
    def sound(self) -> bool:
        """Whether nothing harms validation that batch norm is to blame for, and that could be told."""
        return not any(
            one.severity in {Severity.UNSOUND, Severity.UNDECIDED} for one in self.verdicts
        )

    @property
    def exit_status(self) -> int:
        """What a program that only reports this exits with: 0 sound, 1 unsound, 3 undecided."""
        if any(one.severity is Severity.UNSOUND for one in self.verdicts):
            return 1
        return 0 if self.sound else 3

    def raise_for_verdict(self, ignore: Iterable[Cause | str] = ()) -> None:
        """Raise UnsoundError with the first cause that does harm and is not in `ignore`.

        Raises ProbeError for a cause that there is not.
        """
        ignored = set(map(str, ignore))
        if unknown := sorted(ignored - set(Cause)):
            raise ProbeError(f"cause {unknown[0]!r} is unknown: ignore one of {', '.join(Cause)}.")
        for one in self.verdicts:
            if one.severity is Severity.UNSOUND and one.cause not in ignored:
                raise UnsoundError(f"{one.cause}: {' '.join(one.evidence)}")

    def to_json(self) -> str:
        """Return all of it as one line of strict JSON; docs/check.md explains every key."""
        from bntui.probe.json_report import to_json

        return to_json(self)

    def __str__(self) -> str:
        """Return what rich prints, without styles, in lines of at most 100 characters."""
        from bntui.probe.text_report import plain

        return plain(self)

    def __rich__(self) -> "TextReport":
        """Return what rich prints, as wide as its console."""
        from bntui.probe.text_report import TextReport

        return TextReport(self)

    def _repr_html_(self) -> str:
        """Return what notebooks show."""
        from bntui.probe.html_report import html

        return html(self)
