"""What watching a training has found, in full: every finding, what was not measured, what it cost. Pure."""

from collections.abc import Iterator

from bntui.core.text import percent
from bntui.core.watched import Found, Watched
from bntui.diagnose.watched import titled
from bntui.ui.drawing.canvas import Span


def told(watched: Watched) -> list[Span]:
    """Return all findings with evidence and remedies, the notes and the cost, a sentence each with its role."""
    return [
        *(line for found in watched.findings for line in _finding(found)),
        *((f"Note: {note}", "faint") for note in watched.notes),
        (cost(watched), "faint"),
    ]


def paragraphs(watched: Watched) -> Iterator[str]:
    """Yield the same as paragraphs, for a screen of its own."""
    for found in watched.findings:
        yield f"{titled(found)} ({found.severity})"
        yield from found.evidence
        yield from (f"What helps: {remedy}" for remedy in found.remedies)
    if watched.looked:
        yield f"Looked at update {watched.looked:,}."
    yield from (f"Note: {note}" for note in watched.notes)
    yield cost(watched)


def cost(watched: Watched) -> str:
    """Say what share of the training's time watching has taken."""
    return f"Watching has taken {percent(watched.share)} of the training's time."


def _finding(found: Found) -> Iterator[Span]:
    yield f"{titled(found)}.", "strong"
    yield from ((sentence, "") for sentence in found.evidence)
    yield from ((f"What helps: {remedy}", "fresh") for remedy in found.remedies)
