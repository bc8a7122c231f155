"""What is said at the end of a watched training, in one paragraph."""

from bntui.core.snapshot import Snapshot


def paragraph(snapshot: Snapshot) -> str:
    """Return what was watched, what was found first, and where to look."""
    watched = snapshot.watched
    if watched is None:
        return ""
    where = f" `bntui attach {snapshot.run}` shows it." if snapshot.run else ""
    said = f"bntui watched {snapshot.update:,} updates of {watched.model}."
    if watched.findings:
        first = watched.findings[0]
        said += f" {first.title}. {' '.join((*first.evidence, *first.remedies))}"
    return said + where
