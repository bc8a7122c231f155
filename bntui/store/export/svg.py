"""A stored run's accuracy and loss as an SVG picture, drawn without fonts or scripts of others."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar
from xml.sax.saxutils import escape

import numpy as np

from bntui.core.scales import UNIT, YRange, extent, nice, settled
from bntui.core.series import Array, SeriesView, thinned
from bntui.core.snapshot import Mark
from bntui.core.text import exact, literal
from bntui.core.watched_words import UNKNOWN, described
from bntui.core.watched_words import title as training
from bntui.store.database import Store
from bntui.store.rows import Points, StoredRun

Number = TypeVar("Number", float, Array)

CURVES = (
    ("train", "training", "#7f7f7f"),
    ("fresh", "validation, fresh statistics", "#0072b2"),
    ("val", "validation, running statistics", "#d55e00"),
)
"""The prefix of a series' name, what the legend calls it, its colour (distinct to the colour-blind)."""
WIDTH, HEIGHT = 960, 640
LEFT, RIGHT, TOP, BETWEEN, BOTTOM = 64, 16, 76, 28, 60
PANEL = (HEIGHT - TOP - BETWEEN - BOTTOM) / 2
LABEL = 150
"""Between two marks whose names are both written."""
BUCKETS = 2048
"""More than there are pixels across."""
_STYLE = (
    "text{font:13px sans-serif;fill:#333}.title{font-weight:bold}.small{font-size:11px}"
    ".grid{stroke:#ddd}.frame{fill:none;stroke:#999}.mark{stroke:#333;stroke-dasharray:2 3}"
    ".line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}"
)


def svg(store: Store, run: str) -> str:
    """Return the picture: accuracy above, loss below (logarithmic), over updates. Raises StoreError."""
    stored, points, marks = store.run(run), store.points(run), store.marks(run)
    x_high = float(max(stored.updates, 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<style>{_STYLE}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_heading(stored),
        *_legend(),
    ]
    for what, title, top in (("acc", "accuracy", TOP), ("loss", "loss", TOP + PANEL + BETWEEN)):
        views = _views(points, what)
        log = what == "loss"
        y = settled(None, *extent(views.values(), 0.0, x_high, log=True), log=True) if log else UNIT
        parts += _panel(title, views, marks, top, x_high, y)
    parts += _x_axis(x_high)
    return "\n".join([*parts, "</svg>", ""])


def _views(points: Mapping[str, Points], what: str) -> dict[str, SeriesView]:
    return {
        prefix: thinned(series.updates, series.values, BUCKETS)
        for prefix, _, _ in CURVES
        if (series := points.get(f"{prefix}_{what}"))
    }


def _heading(run: StoredRun) -> list[str]:
    config, knobs = run.config, run.config.knobs
    if watched := run.watched:
        told = [f"{name} {value}" for name, value in described(watched)[2:] if value != UNKNOWN]
        words = [training(watched)[:100], *told, f"run {run.id}"]
        return [
            _text(LEFT, 24, " · ".join(words), "title"),
            _text(LEFT, 42, run.note[:140], "small"),
        ]
    words = [
        *(run.facts.dataset, f"batch {knobs.batch_size}"),
        *([f"norm {config.norm}"] if config.norm != "batch" else []),
        *([f"momentum {exact(knobs.momentum)}"] if config.has_statistics else []),
        *(f"learning rate {knobs.learning_rate:g}", f"width {config.width:g}"),
        *(f"seed {config.seed}", f"run {run.id}"),
    ]
    return [
        _text(LEFT, 24, " · ".join(words), "title"),
        _text(LEFT, 42, run.note[:140], "small"),
    ]


def _legend() -> list[str]:
    parts = []
    for number, (_, name, colour) in enumerate(CURVES):
        x = LEFT + 250 * number
        parts.append(f'<path class="line" stroke="{colour}" d="M{x} 58h22"/>')
        parts.append(_text(x + 30, 62, name))
    return parts


def _panel(
    title: str,
    views: Mapping[str, SeriesView],
    marks: Sequence[Mark],
    top: float,
    x_high: float,
    y: YRange,
) -> list[str]:
    right, bottom = WIDTH - RIGHT, top + PANEL
    parts = []
    for value, text in y.ticks(5):
        height = bottom - float(y.fraction(value)) * PANEL
        parts.append(f'<path class="grid" d="M{LEFT} {height:.1f}H{right}"/>')
        parts.append(_text(LEFT - 8, height + 4, text, "small", anchor="end"))
    parts.append(
        f'<rect class="frame" x="{LEFT}" y="{top}" width="{right - LEFT}" height="{PANEL}"/>'
    )
    free = 0.0
    for mark in marks:
        x = _x(mark.update, x_high)
        parts.append(
            f'<path class="mark" d="M{x:.1f} {top}V{bottom}"><title>update {mark.update}: '
            f"{escape(literal(mark.label))}</title></path>"
        )
        if x >= free:  # the others have their name where the mouse points
            anchor = "end" if x > (LEFT + right) / 2 else "start"
            place = x - 4 if anchor == "end" else x + 4
            parts.append(_text(place, bottom - 8, mark.label[:60], "small", anchor=anchor))
            free = x + LABEL
    for prefix, _, colour in CURVES:
        if prefix in views:
            path = _path(views[prefix], top, x_high, y)
            parts.append(f'<path class="line" stroke="{colour}" d="{path}"/>')
    return [*parts, _text(LEFT + 8, top + 18, title, "title")]


def _path(view: SeriesView, top: float, x_high: float, y: YRange) -> str:
    """Return a line through the least and the greatest of each bucket, broken where it is not finite."""
    x = _x(view.x, x_high)
    low, high = (top + PANEL * (1.0 - y.fraction(values)) for values in (view.low, view.high))
    steps, broken = [], True
    for place in range(len(view)):
        if not math.isnan(view.low[place]):
            begin = "M" if broken else "L"
            ends = [low[place]] if low[place] == high[place] else [low[place], high[place]]
            steps.append(begin + "L".join(f"{x[place]:.1f} {end:.1f}" for end in ends))
            if broken:
                steps.append("h0")  # a point of its own shows as a dot
        broken = bool(view.broken[place])
    return "".join(steps)


def _x_axis(x_high: float) -> list[str]:
    step = max(nice(x_high / 8), 1.0)
    ticks = np.arange(0.0, x_high + step / 2, step)
    bottom = HEIGHT - BOTTOM
    parts = [
        _text(_x(tick, x_high), bottom + 18, f"{tick:,.0f}", "small", anchor="middle")
        for tick in ticks[ticks <= x_high].tolist()
    ]
    return [*parts, _text((LEFT + WIDTH - RIGHT) / 2, bottom + 40, "updates", anchor="middle")]


def _x(updates: Number, x_high: float) -> Number:
    return LEFT + updates / x_high * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(literal(text))}</text>"
    )
