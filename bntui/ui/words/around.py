"""Terms of what is around a run: other runs beside it, runs that are kept, experiments."""

import math

from bntui.ui.words.term import Shown, Term
from bntui.ui.words.thread import WHY_POSTS

NO_TWIN = " · there is none: t begins one"


def _twin(shown: Shown) -> str:
    snapshot = shown.snapshot
    if not snapshot.config.twin:
        return NO_TWIN
    mine, other = snapshot.validation, snapshot.twin.validation if snapshot.twin else None
    if mine is None or other is None:
        return f" · {snapshot.config.twin}"
    return (
        f" · {snapshot.config.twin}: {other.running.accuracy:.3f}, this run "
        f"{mine.running.accuracy:.3f}"
    )


def _apart(shown: Shown) -> str:
    mine, twin = shown.snapshot.validation, shown.snapshot.twin
    other = twin.validation if twin else None
    if not shown.snapshot.config.twin:
        return NO_TWIN
    if mine is None or other is None or mine.update != other.update:
        return ""
    apart = abs(round(mine.running.accuracy, 3) - round(other.running.accuracy, 3))
    return "" if math.isnan(apart) else f" = {apart:.3f}"


def _at_epoch(shown: Shown) -> str:
    report = shown.snapshot.report
    return f" = {report.val_acc:.4f} after epoch {report.epoch:,}" if report else ""


AROUND = (
    Term(
        "twin",
        "A second run in lockstep: the same seed, the same images in the same order, and one setting "
        "that differs.",
        "",
        _twin,
    ),
    Term(
        "apart",
        "How far the two validation accuracies of twins are apart.",
        "apart = |running − twin's running|",
        _apart,
    ),
    Term(
        "ghost",
        "The faint curves of another run, behind those of this one: “was” is the run before it, “pin” "
        "one that was pinned, six letters and digits a kept one, by its id.",
    ),
    Term("▲", "The update at which a knob was turned or the statistics were recalibrated."),
    Term(
        "crosshair",
        "The vertical line that , and . move. Values on the right are read there.",
    ),
    Term(
        "val_acc",
        "Keras's name for validation accuracy with running statistics on all validation images, at an "
        "epoch's end.",
        "val_acc = right answers / images",
        _at_epoch,
    ),
    Term(
        "gap",
        "What validation loses to running statistics at one place of a phase diagram, at one epoch's end: the "
        "median over the seeds.",
        "gap = fresh − running",
    ),
    Term(
        "updates until sound",
        "The first epoch's end, in updates, from which on the gap stays within 0.05 and fresh accuracy at 0.2 or "
        "more; “never yet” where there is none up to the last epoch that was measured.",
    ),
    Term("pinned", "A run with * stays on top of the list, however it is sorted."),
    Term(
        "over the charts",
        "A run with ● lies behind this run's curves as a ghost; enter takes it away.",
    ),
    Term("A, B", "The two runs that = compares. space marks them."),
    Term(
        "branch",
        "A new run that begins at an earlier moment of this one, with the weights and statistics that it had. "
        "b lists such moments.",
    ),
    Term(
        "± (standard error)",
        "How much a figure varies by chance with the images that it is measured on. A difference of more "
        "than twice as much is no chance.",
    ),
    Term("post", f"A post of the forum thread that bntui grew out of. {WHY_POSTS}"),
    Term(
        "prediction",
        "Your own answer to an experiment's question, before it runs. The conclusion compares it with "
        "what happened.",
    ),
    Term(
        "claim",
        "A sentence of the conclusion that is checked against what was measured on this machine: √ it "
        "holds, × it does not.",
    ),
    Term(
        "ghost batch norm",
        "Batch norm on parts of a batch, each normalised by itself.",
        "parts = batch size / ghost batch",
    ),
    Term(
        "batch renorm",
        "Batch norm that is corrected towards its running statistics in training too, so that training "
        "and validation become the same network.",
    ),
    Term(
        "group norm, layer norm",
        "They normalise every image by itself. There are no running statistics, so nothing can be stale.",
    ),
)
