"""The verdict on a training that is watched: what its last look found. Imports no torch.

Its sentences are the watcher's own. Nothing is concluded from the settings of a run of ours: of a
training by other code they are defaults.
"""

from bntui.core.snapshot import Divergence, Phase, Snapshot
from bntui.core.watched import Found, Watched
from bntui.diagnose.causes import Cause, Verdict
from bntui.diagnose.headline_words import Line, Said, at_words
from bntui.diagnose.remedies import Remedy, RemedyName

CAUSES = {
    "unsound": Cause.FOUND,
    "warning": Cause.WARNED,
    "undecided": Cause.UNDECIDED,
    "remark": Cause.REMARKED,
}
"""What a finding of each severity is."""
SOUND = "sound"
"""The watcher's cause that says that nothing is wrong."""
REPAIRED_BY_RECALIBRATION = {
    "momentum-too-small",
    "never-updated",
    "partly-untouched",
    "momentum-convention",
    "start-values",
    "lag",
}
"""The watcher's causes whose harm fresh statistics take away at once."""
NOT_YET = "Nothing is looked at yet"


def watched_verdict(snapshot: Snapshot, watched: Watched) -> Verdict:
    """Judge a watched training by the worst that its last look found."""
    if snapshot.phase is Phase.FAILED:
        return Verdict(Cause.FAILED, tuple(filter(None, (snapshot.message,))))
    if watched.findings:
        worst = watched.findings[0]
        remedies = tuple(f"What helps: {remedy}" for remedy in worst.remedies)
        return Verdict(cause_of(worst), (f"{titled(worst)}.", *worst.evidence, *remedies))
    if snapshot.divergence:
        return Verdict(Cause.NON_FINITE, (_diverged(snapshot.divergence),))
    return Verdict(Cause.WAITING, (f"{NOT_YET}.",))


def cause_of(found: Found) -> Cause:
    """Return what a finding amounts to."""
    return Cause.SOUND_SO_FAR if found.cause == SOUND else CAUSES.get(found.severity, Cause.FOUND)


def watched_said(snapshot: Snapshot, watched: Watched) -> Said:
    """Return the first two lines of the headline of a watched training."""
    if snapshot.phase is Phase.FAILED:
        reason = snapshot.message or "It gives no reason"
        return ("The training failed",), at_words(reason, "Its message is too long for this line")
    if watched.findings:
        return _found(watched)
    if snapshot.divergence:
        what = ("Training broke down: its numbers are no longer finite", "Training broke down")
        return what, at_words(_diverged(snapshot.divergence))
    if snapshot.phase in {Phase.LOADING, Phase.RUNNING, Phase.PAUSED}:
        name = watched.model or "the model"
        return at_words(f"{name} is watched, and nothing is looked at yet", NOT_YET), (
            "The first look follows once its statistics have moved a few times",
            "The first look follows within a few updates",
        )
    return (f"{NOT_YET}, and the training is over",), (
        "It ended before its statistics could be compared with fresh ones",
        "It ended before the first look",
    )


def advice(snapshot: Snapshot, watched: Watched) -> tuple[tuple[Remedy, ...], Line]:
    """Return what its user can do from here, and what the worst finding says helps, if anything does."""
    if snapshot.phase is Phase.FAILED or not watched.findings:
        return (), ()
    worst = watched.findings[0]
    helped = worst.cause in REPAIRED_BY_RECALIBRATION and worst.severity == "unsound"
    asked = helped and watched.control and snapshot.phase in {Phase.RUNNING, Phase.PAUSED}
    told = at_words(worst.remedies[0]) if worst.remedies else ()
    return (Remedy(RemedyName.RECALIBRATE),) if asked else (), told


def titled(found: Found) -> str:
    """Return what a finding is, as a sentence begins and without its end."""
    title = found.title or found.cause
    return (title[:1].upper() + title[1:]).rstrip(".")


def _found(watched: Watched) -> Said:
    worst, *others = watched.findings
    title, count = titled(worst), len(others)
    more = (f"{title} · {count} more finding{'s' * (count > 1)}",) if count else ()
    why = worst.evidence[0] if worst.evidence else f"Looked at update {watched.looked:,}"
    lines = tuple(dict.fromkeys((*more, *at_words(title))))
    return lines, at_words(why, f"Looked at update {watched.looked:,}")


def _diverged(found: Divergence) -> str:
    place = "the loss" if found.layer == "loss" else found.layer
    return f"At update {found.update:,} {place} became infinite or NaN."
