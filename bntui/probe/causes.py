"""What can be wrong with a model's batch norm, and how a finding is told."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why validation suffers, or what will make it suffer; the worst come first."""

    NON_FINITE = "non-finite"
    PRECISION = "precision"
    EXPORTED_DIFFERENTLY = "exported-differently"
    BATCH_DEPENDENT = "batch-dependent"
    AVERAGED_WEIGHTS = "averaged-weights"
    MOMENTUM_TOO_SMALL = "momentum-too-small"
    NEVER_UPDATED = "never-updated"
    PARTLY_UNTOUCHED = "partly-untouched"
    RANKS_DIFFER = "ranks-differ"
    PADDING = "padding"
    SORTED_BATCHES = "sorted-batches"
    MIXED_SOURCES = "mixed-sources"
    FEW_VALUES = "few-values"
    MOMENTUM_CONVENTION = "momentum-convention"
    COUNTED_TWICE = "counted-twice"
    NOT_FROZEN = "not-frozen"
    DROPOUT_SHIFT = "dropout-shift"
    START_VALUES = "start-values"
    LAG = "lag"
    VALIDATION_DIFFERS = "validation-differs"
    OVERFITTING = "overfitting"
    NOT_LEARNED = "not-learned"
    UNDECIDED = "undecided"
    SOUND = "sound"


class Severity(StrEnum):
    """What a finding means for the model."""

    UNSOUND = "unsound"
    """Batch norm does harm, and putting this right was seen to help, or it is plain from what is put out."""
    WARNING = "warning"
    """A fact of the model or its loader that was not seen to do harm."""
    UNDECIDED = "undecided"
    """What was measured can't tell whether there is harm."""
    REMARK = "remark"
    """Nothing that batch norm is to blame for: it is sound, or the trouble lies elsewhere."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, the numbers behind it, and what helps."""

    cause: Cause
    severity: Severity
    evidence: tuple[str, ...]
    """Sentences, each with what was measured."""
    remedies: tuple[str, ...] = ()
    """What to do, in torch's words: a line of Python where there is one."""
    told_apart: str = ""
    """What would tell it from another cause that explains the same numbers; empty where none does."""


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order of their severity, then of their causes."""
    severities, causes = list(Severity), list(Cause)
    return tuple(
        sorted(findings, key=lambda one: (severities.index(one.severity), causes.index(one.cause)))
    )
