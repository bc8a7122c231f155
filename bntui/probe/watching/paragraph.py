"""What is said at the end of a watched training, in one paragraph."""

from collections.abc import Iterator
from pathlib import Path

from bntui.core.snapshot import Snapshot
from bntui.core.watched import Found, Watched
from bntui.machine.places import attaching
from bntui.probe.causes import Cause, Severity
from bntui.probe.numbers import counted, percent

UNSEEN = (
    "No step of an optimiser was seen that holds its parameters: where an optimiser is none of torch's, call "
    "step() of what bntui.watch returns after each update."
)
EVIDENCE, NOTES = 3, 3
"""Sentences of each that are told; the rest is shown by `bntui attach`."""


def paragraph(snapshot: Snapshot, store: Path, *, unkept: str = "") -> str:
    """Return what was watched, what was found first, what helps, what was not measured, and where to look.

    That is in `store`, or `unkept` says why it is not. One line, in torch's words; empty for a run of our own.
    """
    watched = snapshot.watched
    return "" if watched is None else " ".join(_sentences(snapshot, watched, store, unkept))


def _sentences(snapshot: Snapshot, watched: Watched, store: Path, unkept: str) -> Iterator[str]:
    yield _what(snapshot, watched)
    if watched.findings:
        first, *others = watched.findings
        yield from _found(first, watched)
        if named := [one.cause for one in others if one.severity != Severity.REMARK]:
            yield f"Also found: {', '.join(named)}."
    elif not snapshot.update:
        yield UNSEEN
    else:
        yield "Nothing was looked at before it ended, so nothing can be said of its batch norm."
    yield from watched.notes[:NOTES]
    if unkept:
        yield f"{unkept[:1].upper()}{unkept[1:]}"
    elif snapshot.run:
        yield f"`{attaching(snapshot.run, store)}` shows all of it."


def _what(snapshot: Snapshot, watched: Watched) -> str:
    """Say what was watched, and what it cost."""
    validation = snapshot.validation
    layers = (
        f" ({counted(len(validation.layers), 'BN layer')})"
        if validation and validation.layers
        else ""
    )
    took = f", which took {percent(watched.share)} of the time" if watched.share > 0.0 else ""
    return f"bntui watched {counted(snapshot.update, 'update')} of {watched.model}{layers}{took}."


def _found(finding: Found, watched: Watched) -> Iterator[str]:
    """Tell the first finding, its evidence, and what helps."""
    at = f"At update {watched.looked:,} " if watched.looked else ""
    said = f"{at}{finding.title}"
    named = "" if finding.cause == Cause.SOUND else f" ({_named(finding)})"
    yield f"{said[:1].upper()}{said[1:]}{named}."
    yield from finding.evidence[:EVIDENCE]
    if finding.remedies:
        yield f"What helps: {finding.remedies[0].rstrip('.')}."


def _named(finding: Found) -> str:
    """Name a finding's cause, and what it means for the model."""
    if finding.cause == finding.severity:
        return finding.cause
    sound = finding.severity == Severity.REMARK
    return f"{finding.cause}, {'batch norm is sound' if sound else finding.severity}"
