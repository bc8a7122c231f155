"""Stored runs as tables and pages of text. What users and files say is shown with escapes written out."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from rich.text import Text

from bntui.core.cells import cell_len, padded, shorten, wrapped
from bntui.core.config import Change
from bntui.core.settings import change_words, values_of
from bntui.core.snapshot import EpochReport, Mark
from bntui.core.text import exact, literal, percent
from bntui.core.watched import Watched
from bntui.core.watched_words import described, title
from bntui.store.listing import batch_told, momentum_told
from bntui.store.rows import StoredRun, StoredVerdict

EPOCHS = 10
"""Epochs that a page shows: the last ones."""
BLANKS = 2
"""Blanks between two columns."""
NARROWEST = 20
"""Cells of a line of text, however narrow the terminal is."""
NOTE_WIDTH, DATASET_WIDTH, SCRIPT_WIDTH = 8, 13, 16
"""Cells to which a note, the name of a data set, and a script may be shortened."""
_FIRST_TO_GO = (
    "started",
    "data",
    "updates",
    "note",
    "norm",
    "momentum",
    "batch",
    "script",
    "state",
)
_EPOCHS_FIRST_TO_GO = ("fresh loss", "loss", "val_loss", "acc", "update")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    texts: Sequence[str]
    number: bool = False
    least: int | None = None
    """Cells to which it may be shortened; None for names and figures, which are never cut."""

    @property
    def width(self) -> int:
        """The cells that all of it takes."""
        return max(map(cell_len, (self.title, *self.texts)))


def table(columns: Sequence[Column], width: int | None, first_to_go: Sequence[str]) -> Text:
    """Return a header and a line for each row, in at most `width` cells, None for any number.

    Where there is too little room the last column that may be is shortened first, then those before
    it; then columns go, one after another. What is left over is never cut.
    """
    for gone in range(len(first_to_go) + 1):
        kept = [column for column in columns if column.title not in first_to_go[:gone]]
        widths = {column.title: column.width for column in kept}
        over = sum(widths.values()) + BLANKS * (len(kept) - 1) - (width or math.inf)
        for column in reversed(kept):
            if column.least is not None and over > 0:
                less = int(min(over, max(0, column.width - column.least)))
                widths[column.title] -= less
                over -= less
        if over <= 0:
            break
    lines = [_line(kept, widths, [column.title for column in kept])]
    rows = zip(*(column.texts for column in kept), strict=True)
    lines += [_line(kept, widths, row) for row in rows]
    return Text("\n").join([Text(lines[0], "bold"), *map(Text, lines[1:])])


def _line(columns: Sequence[Column], widths: Mapping[str, int], texts: Sequence[str]) -> str:
    cells = (
        padded(shorten(text, widths[column.title]), widths[column.title], right=column.number)
        for column, text in zip(columns, texts, strict=True)
    )
    return (" " * BLANKS).join(cells).rstrip()


def listing(runs: Sequence[StoredRun], width: int | None = None) -> Text:
    """Return a table with a row for each run; see `table`."""
    scripts = [title(run.watched) if run.watched else "–" for run in runs]
    columns = [
        Column("run", [("★ " if run.pinned else "") + run.id for run in runs]),
        Column("state", [str(run.state) for run in runs]),
        Column("started", [local_time(run.started) for run in runs]),
        *([Column("script", scripts, least=SCRIPT_WIDTH)] if any(r.watched for r in runs) else []),
        Column("data", [run.facts.dataset or "–" for run in runs], least=DATASET_WIDTH),
        Column("norm", ["–" if run.watched else run.config.norm for run in runs]),
        Column("batch", list(map(batch_told, runs)), number=True),
        Column("momentum", list(map(momentum_told, runs)), number=True),
        Column("updates", [f"{run.updates:,}" for run in runs], number=True),
        Column("val_acc", [_figure(run.val_acc) for run in runs], number=True),
        Column("fresh", [_figure(run.val_acc_fresh) for run in runs], number=True),
        Column("note", [run.note for run in runs], least=NOTE_WIDTH),
    ]
    shown = [replace(column, texts=list(map(literal, column.texts))) for column in columns]
    return table(shown, width, _FIRST_TO_GO)


def page(
    run: StoredRun,
    marks: Sequence[Mark],
    verdicts: Sequence[StoredVerdict],
    reports: Sequence[EpochReport],
    width: int | None = None,
) -> Iterator[Text]:
    """Return all about one run, part by part, in lines of at most `width` cells, None for any number."""
    yield _text(f"run {run.id} · {run.state}{' · pinned' if run.pinned else ''}", "bold")
    if run.note:
        yield _paragraph(run.note, width)
    yield _pairs(_result(run), width)
    if run.watched:
        yield from _watched(run.watched, width)
    else:
        yield _heading("settings")
        settings = values_of(run.config).items()
        yield _pairs([(name, _setting(value)) for name, value in settings], width)
    if run.unknown:
        yield _paragraph(
            f"This bntui does not know {', '.join(run.unknown)} of this run: what is shown, and the"
            " line that repeats it, lack that.",
            width,
        )
    for twin in dict.fromkeys(report.twin for report in reports):
        some = [report for report in reports if report.twin == twin]
        which = "epochs" if len(some) <= EPOCHS else f"the last {EPOCHS} epochs"
        yield _heading(f"{which} of the twin, {literal(twin)}" if twin else which)
        yield _epochs(some[-EPOCHS:], width)
    if marks:
        yield _heading("marks")
        yield _pairs([(f"update {mark.update:,}", mark.label) for mark in marks], width)
    if verdicts and not run.watched:  # of those, what was found says more
        yield from _verdicts(verdicts, width)


def _verdicts(verdicts: Sequence[StoredVerdict], width: int | None) -> Iterator[Text]:
    """Return the last verdict, and below it every one before, each with its last sentences."""
    spans = [list(span) for _, span in groupby(verdicts, attrgetter("cause"))]
    for place, span in enumerate(reversed(spans)):
        if place < 2:
            yield _heading("verdicts before" if place else "verdict")
        first, last = span[0], span[-1]
        since = "" if first.at == last.at else f", since update {first.at:,}"
        yield _text(f"update {last.at:,}: {last.cause}{since}")
        for sentence in (*last.evidence, last.outlook):
            if sentence:
                yield _paragraph(sentence, width, indent="    ")


def _watched(watched: Watched, width: int | None) -> Iterator[Text]:
    """Return what is known of a training that is not ours, and what was found in it."""
    yield _heading("watched training")
    score = watched.score or "none: no validation data were given"
    taken = f"{percent(watched.share)} of the training's time"
    yield _pairs([*described(watched), ("score", score), ("watching took", taken)], width)
    if watched.findings:
        yield _heading(f"found, as of update {watched.looked:,}")
    for found in watched.findings:
        yield _text(f"{found.severity}: {found.title}")
        for sentence in (*found.evidence, *(f"What helps: {remedy}" for remedy in found.remedies)):
            yield _paragraph(sentence, width, indent="    ")
    if watched.notes:
        yield _heading("notes")
    for sentence in watched.notes:
        yield _paragraph(sentence, width, indent="  ")


def _data(run: StoredRun) -> str:
    """Return the data set and how many images it has, as far as that is known."""
    facts = run.facts
    if not run.watched and not facts.loaded:
        return f"{facts.dataset}, never loaded"
    if not run.watched:
        return f"{facts.dataset}: {facts.train:,} training, {facts.validation:,} validation images"
    counts = ((facts.train if facts.train > 1 else 0, "training"), (facts.validation, "validation"))
    known = ", ".join(f"{count:,} {what} samples" for count, what in counts if count)
    return ": ".join(filter(None, (facts.dataset, known))) or "–"


def _result(run: StoredRun) -> list[tuple[str, str]]:
    facts = run.facts
    threads = f", {facts.threads} threads" if facts.threads else ""
    rows = [
        ("started", local_time(run.started)),
        ("last written", local_time(run.ended)),
        ("data", _data(run)),
        ("network", f"{facts.parameters:,} parameters" if facts.loaded else "–"),
        ("device", facts.device + threads),
        ("versions", ", ".join(f"{name} {number}" for name, number in run.versions.items())),
        ("trained", f"{run.updates:,} updates, epoch {run.epoch}, {run.seconds:,.1f} s"),
        ("training", f"loss {_figure(run.loss)}, accuracy {_figure(run.acc)}"),
        ("validation", f"running {_figure(run.val_acc)}, fresh {_figure(run.val_acc_fresh)}"),
    ]
    if run.message:
        rows.append(("failed", run.message))
    if run.parent:
        rows.append(("branched", f"off {run.parent} after {run.branched} updates"))
    if run.checkpoint is not None:
        rows.append(("checkpoint", f"update {run.checkpoint:,}"))
    return rows


def _epochs(reports: Sequence[EpochReport], width: int | None) -> Text:
    figures: dict[str, Callable[[EpochReport], float]] = {
        "loss": lambda report: report.loss,
        "acc": lambda report: report.acc,
        "val_loss": lambda report: report.val_loss,
        "val_acc": lambda report: report.val_acc,
        "fresh loss": lambda report: report.val_loss_fresh,
        "fresh acc": lambda report: report.val_acc_fresh,
    }
    columns = [
        Column("epoch", [f"{report.epoch}" for report in reports], number=True),
        Column("update", [f"{report.update:,}" for report in reports], number=True),
        *(
            Column(name, [_figure(of(report)) for report in reports], number=True)
            for name, of in figures.items()
        ),
    ]
    return table(columns, width, _EPOCHS_FIRST_TO_GO)


def _pairs(rows: Sequence[tuple[str, str]], width: int | None) -> Text:
    names = [f"  {literal(name)}  " for name, _ in rows]
    first = max(map(cell_len, names))
    parts = [
        _paragraph(value, width, first=padded(name, first), indent=" " * first)
        for name, (_, value) in zip(names, rows, strict=True)
    ]
    return Text("\n").join(parts)


def _paragraph(text: str, width: int | None, *, first: str | None = None, indent: str = "") -> Text:
    """Return text whose lines are indented, the `first` perhaps otherwise; one line without a width."""
    room = max(NARROWEST, width - cell_len(indent)) if width else None
    lines = wrapped(literal(text), room) if room else [literal(text)]
    first = indent if first is None else first
    return Text("\n".join((indent if n else first) + line for n, line in enumerate(lines or [""])))


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold")


def _text(text: str, style: str = "") -> Text:
    """Return text that is neither markup nor able to move the cursor."""
    return Text(literal(text), style)


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, tuple) and value:
        return ", ".join(map(_setting, value))
    if isinstance(value, Change):
        return change_words(value)
    return "–" if value in (None, (), "") else str(value)


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"


def local_time(moment: datetime) -> str:
    """Write a moment as the user's clock has it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
