"""A report as lines of text: for `print`, for rich, for the command line. Reads well from 60 columns on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bntui.core.cells import cell_len, padded, pieces, shorten, wrapped
from bntui.core.text import literal
from bntui.probe.causes import Finding, Severity
from bntui.probe.report import CheckedLayer, Report
from bntui.probe.report_words import (
    KIND,
    Column,
    called,
    folded,
    headline,
    legend,
    rest,
    shown_layers,
    standing,
    summary,
    table_title,
    told_columns,
)

PLAIN_WIDTH = 100
"""Columns of `str(report)`."""
LINE = 110
"""Columns of a paragraph, however wide the terminal is."""
NARROWEST = 20
NAME_LINES = 3
"""Lines that the name of a layer takes at most; a longer one loses its beginning."""
_STYLES = {
    Severity.UNSOUND: "bold red",
    Severity.UNDECIDED: "bold yellow",
    Severity.WARNING: "bold yellow",
    Severity.REMARK: "bold green",
}
_FIRST_TO_GO = ("channels", "values", "kind", "updates", "momentum")
_NAME_ROOM = 24
"""Cells of a layer's name below which other columns make room for it."""
_BLANKS = 2
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class TextReport:
    """What rich prints of a report, at the width of its console."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the report's lines; none is longer than the console is wide, if that has 60 columns."""
        for line in lines(self.report, options.max_width):
            line.no_wrap, line.overflow = True, "ignore"
            yield line


def plain(report: Report, width: int = PLAIN_WIDTH) -> str:
    """Return the report without any style."""
    return "\n".join(line.plain for line in lines(report, width))


def lines(report: Report, width: int) -> Iterator[Text]:
    """Yield the report: first verdict, figures, its evidence and remedies, other verdicts, layers, notes."""
    first, *others = report.verdicts
    room = min(width, LINE)
    yield from _paragraph(headline(first), room, _INDENT, first="", style=_STYLES[first.severity])
    for line in _joined(summary(report), room - len(_INDENT)):
        yield Text(_INDENT + line)
    sentences = [*first.evidence, *filter(None, [standing(report)])]
    if sentences:
        yield Text()
    for sentence in sentences:
        yield from _paragraph(sentence, room, _INDENT)
    if first.remedies:
        yield from _heading("what to do")
        for remedy in first.remedies:
            yield from _remedy(remedy, room)
    if first.told_apart:
        yield from _heading("what would tell it from other causes")
        yield from _paragraph(first.told_apart, room, _INDENT)
    if others:
        yield from _heading("also")
        for one in others:
            yield from _shorter(one, room)
    yield from _layers(report.layers, width)
    if report.notes:
        yield from _heading("notes")
        for note in report.notes:
            yield from _paragraph(note, room, _INDENT + "  ", first=_INDENT + "· ")


def _shorter(finding: Finding, room: int) -> Iterator[Text]:
    """Yield a further verdict: two sentences, its first remedy, what tells it apart."""
    deeper = _INDENT * 2
    yield from _paragraph(headline(finding), room, _INDENT + "  ", first=_INDENT, style="bold")
    for sentence in (*finding.evidence[:2], finding.told_apart):
        yield from _paragraph(sentence, room, deeper)
    for remedy in finding.remedies[:1]:
        yield from _remedy(remedy, room, deeper + "→ ")


def _remedy(remedy: str, room: int, first: str = _INDENT + "→ ") -> Iterator[Text]:
    """Yield a remedy line by line: what fits is left as it is, for it may be Python."""
    hanging = " " * len(first)
    for place, line in enumerate(remedy.splitlines()):
        start, shown = hanging if place else first, literal(line)
        if len(start) + cell_len(shown) <= room:
            yield Text(start + shown)
        else:
            inner = " " * (len(line) - len(line.lstrip()))
            yield from _paragraph(line, room, hanging + inner, first=start + inner)


def _layers(layers: Sequence[CheckedLayer], width: int) -> Iterator[Text]:
    shown, others = shown_layers(layers)
    yield from _heading(table_title(len(shown), len(layers)))
    if not shown:
        return
    plan = _plan(layers, shown, width)
    room = min(width, LINE)
    if plan.folded:
        yield from _paragraph(plan.folded, room, _INDENT)
    yield from _table(shown, plan)
    if others:
        yield from _paragraph(rest(others), room, _INDENT * 2, first=_INDENT)
    yield from _paragraph(legend(plan.columns), room, _INDENT, style="dim")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which columns fit, and how."""

    columns: tuple[Column, ...]
    folded: str = ""
    """What all layers have in common, in words, in place of columns."""
    stacked: bool = False
    """Whether the words of a title stand one below the other."""
    beside: bool = True
    """Whether remarks stand beside their row, else below."""
    name: int = 0
    """Cells of the column of names."""

    def title(self, column: Column) -> list[str]:
        """Return the lines of a column's title."""
        return column.title.split() if self.stacked else [column.title]

    def width(self, column: Column, shown: Sequence[CheckedLayer]) -> int:
        """Return the cells that a column takes."""
        return max(map(cell_len, (*self.title(column), *map(column.cell, shown))))


def _plan(layers: Sequence[CheckedLayer], shown: Sequence[CheckedLayer], width: int) -> _Plan:
    """Return the fullest table whose names have room: what layers have in common is folded first."""
    longest = max(cell_len(called(layer)) for layer in shown)
    remarks = max((cell_len(_remarks(layer)) for layer in shown if layer.remarks), default=0)
    remarks = remarks and max(remarks, cell_len("remarks"))
    for plan in _plans(layers):
        taken = len(_INDENT) + sum(_BLANKS + plan.width(one, shown) for one in plan.columns)
        room = width - taken - (_BLANKS + remarks if plan.beside and remarks else 0)
        found = replace(plan, name=max(min(longest, room), cell_len("layer")))
        if room >= min(longest, _NAME_ROOM):
            break
    return found


def _plans(layers: Sequence[CheckedLayer]) -> Iterator[_Plan]:
    yield _Plan(told_columns(layers))
    columns, common = folded(layers)
    yield _Plan(columns, common)
    yield _Plan(columns, common, stacked=True)
    for gone in range(len(_FIRST_TO_GO) + 1):
        fewer = tuple(one for one in columns if one.title not in _FIRST_TO_GO[:gone])
        yield _Plan(fewer, common, stacked=True, beside=False)


def _table(shown: Sequence[CheckedLayer], plan: _Plan) -> Iterator[Text]:
    widths = [plan.width(column, shown) for column in plan.columns]
    titles = [plan.title(column) for column in plan.columns]
    beside = plan.beside and any(layer.remarks for layer in shown)
    for below in reversed(
        range(max(map(len, titles), default=1))
    ):  # a title's last word stands lowest
        cells = [title[-1 - below] if below < len(title) else "" for title in titles]
        name, end = ("", "") if below else ("layer", "remarks" if beside else "")
        yield Text(_row(name, cells, widths, plan, end), "bold")
    for layer in shown:
        first, *more = _name(called(layer), plan.name)
        cells = [column.cell(layer) for column in plan.columns]
        yield Text(_row(first, cells, widths, plan, _remarks(layer) if beside else ""))
        for piece in more:
            yield Text(f"{_INDENT}  {piece}")
        if layer.remarks and not beside:
            whole = len(_INDENT) + plan.name + sum(widths) + _BLANKS * len(widths)
            yield from _paragraph(_remarks(layer), whole, _INDENT * 3)


def _row(name: str, cells: Sequence[str], widths: Sequence[int], plan: _Plan, end: str) -> str:
    blanks = " " * _BLANKS
    parts = [_INDENT + padded(name, plan.name)]
    for column, cell, width in zip(plan.columns, cells, widths, strict=True):
        parts.append(padded(cell, width, right=column is not KIND))
    return blanks.join([*parts, end]).rstrip()


def _remarks(layer: CheckedLayer) -> str:
    return "; ".join(map(literal, layer.remarks))


def _name(name: str, room: int) -> list[str]:
    """Return a name in pieces of at most so many cells, broken behind dots where it can be."""
    found = [""]
    for part in name.replace(".", ".\n").split("\n"):
        for piece in pieces(part, room - 2):  # a further line is indented
            if cell_len(found[-1] + piece) <= room - 2 * (len(found) > 1):
                found[-1] += piece
            else:
                found.append(piece)
    return found if len(found) <= NAME_LINES else ["…", *found[1 - NAME_LINES :]]


def _joined(parts: Sequence[str], room: int) -> Iterator[str]:
    """Yield parts with a dot between them, as many to a line as it has room for."""
    room, line = max(room, NARROWEST), ""
    for part in (shorten(part, room) for part in parts):
        if line and cell_len(f"{line} · {part}") > room:
            yield line
            line = part
        else:
            line = f"{line} · {part}" if line else part
    yield line


def _heading(text: str) -> Iterator[Text]:
    yield Text()
    yield Text(text, "bold")


def _paragraph(
    text: str, width: int, indent: str = "", *, first: str | None = None, style: str = ""
) -> Iterator[Text]:
    """Yield text in lines that are indented, the `first` perhaps otherwise; nothing for no text."""
    room = max(NARROWEST, width - len(indent))
    for place, line in enumerate(wrapped(literal(text), room)):
        yield Text((first if first is not None and not place else indent) + line, style)
