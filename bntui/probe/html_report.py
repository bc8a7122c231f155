"""A report for notebooks: HTML without scripts, style sheets or anything from elsewhere.

Colours are the page's own, so that it reads on a light and on a dark background.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from bntui.core.text import literal
from bntui.probe.causes import Finding
from bntui.probe.report import CheckedLayer, Report
from bntui.probe.report_words import (
    KIND,
    called,
    decimals,
    folded,
    gap,
    headline,
    legend,
    rest,
    shown_layers,
    standing,
    summary,
    table_title,
)

WIDTH, HEIGHT = 640, 44
"""Of a strip's bars, in pixels of a page that is not narrower."""
_ABOVE, _BELOW = 10, 2
_WIDEST_BAR = 24.0
_LEAST = 1.0
"""Height of the smallest bar: a layer that was measured is seen."""
_CELL = "padding:2px 8px;border:0;border-bottom:1px solid;vertical-align:top;background:none;"
_TEXT, _NUMBER = _CELL + "text-align:left", _CELL + "text-align:right;white-space:nowrap"
_SHORT, _ENDLESS = 24, 80
"""Characters of a name that is never broken, and of one that may be broken anywhere."""
_GAP, _ERROR = 0.5, 1.0
"""What a bar of full height stands for at least: no tiny drift looks like a large one."""
_ITEM = "white-space:pre-wrap;overflow-wrap:anywhere"
_QUIET = "opacity:.75;font-size:90%"


def html(report: Report) -> str:
    """Return verdicts, figures, two strips of bars in the order of the layers, one table, notes."""
    return "\n".join(_parts(report))


def _parts(report: Report) -> Iterator[str]:
    first, *others = report.verdicts
    yield '<div style="color:inherit;max-width:64em;overflow-wrap:anywhere">'
    yield f"<p><strong>{_safe(headline(first))}</strong><br>{_safe(' · '.join(summary(report)))}</p>"
    yield from _finding(first, standing(report))
    for one in others:
        yield f"<p><strong>{_safe(headline(one))}</strong></p>"
        yield from _finding(one)
    yield f"<p><strong>{_safe(table_title(len(shown_layers(report.layers)[0]), len(report.layers)))}</strong></p>"
    if report.layers:
        yield from _strips(report.layers)
        yield from _table(report.layers)
    if report.notes:
        yield "<p><strong>notes</strong></p>"
        yield _list(report.notes)
    yield "</div>"


def _finding(finding: Finding, standing: str = "") -> Iterator[str]:
    sentences = [*finding.evidence, *filter(None, [standing])]
    if sentences:
        yield f"<p>{'<br>'.join(map(_safe, sentences))}</p>"
    if finding.remedies:
        yield "<p>what to do</p>"
        yield _list(finding.remedies)
    if finding.told_apart:
        yield f"<p>what would tell it from other causes: {_safe(finding.told_apart)}</p>"


def _list(texts: Iterable[str]) -> str:
    items = (f'<li style="{_ITEM}">{_lines(text)}</li>' for text in texts)
    return f"<ul>{''.join(items)}</ul>"


def _table(layers: Sequence[CheckedLayer]) -> Iterator[str]:
    shown, others = shown_layers(layers)
    columns, common = folded(layers)
    remarks = any(layer.remarks for layer in shown)
    titles = [("layer", _TEXT), *((one.title, _style(one is KIND)) for one in columns)]
    titles += [("remarks", _TEXT)] if remarks else []
    if common:
        yield f'<p style="{_QUIET};margin:8px 0 0">{_safe(common)}</p>'
    yield '<div style="overflow-x:auto;overflow-wrap:normal;margin:8px 0 0">'
    yield '<table style="border-collapse:collapse;border:0;font-size:90%;margin:0">'
    head = "".join(
        f'<th scope="col" style="{style}">{_safe(title)}</th>' for title, style in titles
    )
    yield f"<thead><tr>{head}</tr></thead><tbody>"
    for layer in shown:
        cells = [(one.cell(layer), _style(one is KIND)) for one in columns]
        cells += [("; ".join(layer.remarks), _TEXT)] if remarks else []
        row = "".join(f'<td style="{style}">{_safe(cell)}</td>' for cell, style in cells)
        yield f'<tr style="background:none">{_name(layer)}{row}</tr>'
    if others:
        counted = f'<td colspan="{len(titles)}" style="{_TEXT}">{_safe(rest(others))}</td>'
        yield f'<tr style="background:none">{counted}</tr>'
    yield "</tbody></table></div>"
    yield f'<p style="{_QUIET}">{_safe(legend(columns))}</p>'


def _name(layer: CheckedLayer) -> str:
    """Return the cell of a name, which may be broken behind dots; an endless one anywhere."""
    name = called(layer)
    style = f"{_TEXT};overflow-wrap:anywhere;min-width:12em" if len(name) > _ENDLESS else _TEXT
    shown = _safe(name) if len(name) <= _SHORT else _safe(name).replace(".", ".<wbr>")
    return f'<td style="{style}">{shown}</td>'


def _style(is_text: bool) -> str:
    return _TEXT if is_text else _NUMBER


def _strips(layers: Sequence[CheckedLayer]) -> Iterator[str]:
    yield from _strip("mean gap", layers, [one.mean_gap for one in layers], gap, _GAP)
    yield from _strip(
        "network error", layers, [one.network_error for one in layers], decimals, _ERROR
    )


def _strip(
    title: str,
    layers: Sequence[CheckedLayer],
    values: Sequence[float],
    write: Callable[[float], str],
    least: float,
) -> Iterator[str]:
    """Yield a bar for each layer, first to last, the worst one full and marked; no bar for NaN.

    A bar of full height stands for `least`, or for the largest number if that is more.
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        yield f'<p style="{_QUIET}">{title} by layer: not measured</p>'
        return
    worst, top = values.index(max(known)), max([least, *filter(math.isfinite, known)])
    words = _safe(
        f"{title} by layer, first to last, full height {write(top)}; "
        f"▾ the largest: {write(values[worst])}, {called(layers[worst])}"
    )
    height, step = _ABOVE + HEIGHT + _BELOW, min(WIDTH / len(layers), _WIDEST_BAR)
    yield f'<p style="{_QUIET};margin:8px 0 0">{words}</p>'
    yield (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" fill="currentColor" style="display:block;max-width:100%">'
    )
    yield f"<title>{words}</title>"
    for place, (layer, value) in enumerate(zip(layers, values, strict=True)):
        if not math.isnan(value):
            tall = max(_LEAST, HEIGHT * min(value / top, 1.0))
            yield (
                f'<rect x="{place * step:.2f}" y="{_ABOVE + HEIGHT - tall:.1f}"'
                f' width="{step * 0.8:.2f}" height="{tall:.1f}"'
                f' opacity="{1 if place == worst else 0.45}">'
                f"<title>{_safe(f'{called(layer)}: {write(value)}')}</title></rect>"
            )
    yield f'<path d="M{max((worst + 0.4) * step - 4, 0):.1f} 0h8l-4 7z"/>'
    ground = f"M0 {_ABOVE + HEIGHT + 1}h{step * len(layers):.1f}"
    yield f'<path d="{ground}" stroke="currentColor" opacity=".45"/></svg>'


def _lines(text: str) -> str:
    return "<br>".join(map(_safe, text.splitlines()))


def _safe(text: str) -> str:
    """Return text that is shown as it is: no markup, and nothing that moves or turns what follows."""
    return escape(literal(text))
