"""What if momentum had been another, as pictures: these weights under every estimator, and the past.

Pure functions from looks to `canvas.Picture`.
"""

import math
from dataclasses import dataclass

import numpy as np

from bntui.core.cells import wrapped
from bntui.core.scales import UNIT, YRange, settled
from bntui.core.series import Array, SeriesView
from bntui.core.snapshot import Snapshot
from bntui.core.text import exact
from bntui.ui.drawing.axes import AXIS, row_of
from bntui.ui.drawing.canvas import Picture, Span
from bntui.ui.drawing.channel_strips import rule
from bntui.ui.drawing.charts import bar, chart
from bntui.ui.drawing.curves import curves
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.plot import Line
from bntui.ui.drawing.view import FOLLOWING, along, planned_end
from bntui.ui.explorer.layer_picture import beside
from bntui.ui.explorer.looks import OWN_ROW, SOUND, WORST, Looks, is_momentum
from bntui.ui.explorer.scrubbing import name_of, past, past_in_words
from bntui.ui.terminal.glyphs import DOTS, Glyphs, cell

NOTHING_NEAR = f"nothing is within {SOUND:g} of fresh statistics"
CLOSE = 0.02
"""Accuracy below fresh statistics' that still counts as good as they are."""
_FUZZ = 1e-9
MOMENTUM_WIDTH = 6
"""Cells between two momenta on the axis, at least."""
BELOW_CURVE = 4
"""Rows under the plot: momenta, accuracies, marks, this run's."""
LEAST_CURVE = 5
"""Rows of a plot that is worth it."""
NAME_WIDTH = 16
LIST_WIDTH = 28
"""Cells of the list of all rows, where the past stands beside it."""
WIDEST_BAR = 50
LEAST_CHART = AXIS + LEGEND + 16
PAST = (6, 16)
"""Rows of the chart of the past, with its title: at least, and at most."""


@dataclass(frozen=True, slots=True, eq=False)
class WhatIfShown:
    """What the pictures are made of."""

    snapshot: Snapshot
    weights: Looks
    """One look: the weights that were measured, under every row."""
    past: Looks | None
    """The looks back of the run."""
    chosen: str
    own: str
    """The row of the run's own statistics."""


def what_if(shown: WhatIfShown, width: int, height: int, glyphs: Glyphs) -> Picture:
    """Draw accuracy against momentum, the other estimators, and the past under the chosen row.

    In less room all rows are a list, with the past beside it or below.
    """
    weights = shown.weights
    momenta = [name for name in reversed(weights.rows) if is_momentum(name)]
    others = [name for name in weights.rows if not is_momentum(name) and name != OWN_ROW]
    words = in_words(shown, width, height // 4)
    room = height - len(words) - len(others) - 2
    most = min(PAST[1], room // 2)
    wide = width - AXIS - LEGEND >= MOMENTUM_WIDTH * len(momenta)
    if wide and most >= PAST[0] and room - most >= BELOW_CURVE + LEAST_CURVE:
        below = [*bars(shown, others, width), [], *words, *past_chart(shown, width, most, glyphs)]
        return [*curve(shown, width, height - len(below) - 1, glyphs), [], *below]
    if width >= LIST_WIDTH + LEAST_CHART:
        left = bars(shown, weights.kept(height - len(words), shown.chosen), LIST_WIDTH)
        right = past_chart(shown, width - LIST_WIDTH, height - len(words), glyphs)
        return [*beside(left, right, LIST_WIDTH), *words]
    least = min(PAST[0], height // 2)
    kept = weights.kept(height - len(words) - least, shown.chosen)
    chart_rows = height - len(words) - len(kept)
    return [*bars(shown, kept, width), *past_chart(shown, width, chart_rows, glyphs), *words]


def curve(shown: WhatIfShown, width: int, height: int, glyphs: Glyphs = Glyphs.BRAILLE) -> Picture:
    """Draw accuracy, 0 to 1, or distance, against the constant momenta, evenly spaced by rank.

    Straight lines join the points: nothing in between was measured, and it is not monotonic.
    """
    weights = shown.weights
    columns, rows = width - AXIS - LEGEND, height - BELOW_CURVE
    names = [name for name in reversed(weights.rows) if is_momentum(name)]
    values = np.array([accuracy(weights, name) for name in names])
    rank = np.arange(len(names), dtype=np.float64)
    low, high = -0.5, len(names) - 0.5
    momentum, own, fresh = (float(one[0]) for one in (weights.momentum, weights.own, weights.fresh))
    own_x = rank_of(momentum, [float(name) for name in names])
    lines = [
        Line("fresh", "fresh", _view([low, high], [fresh, fresh])),
        Line(OWN_ROW, "running", _view([own_x], [own])),
        Line(name_of(weights, names[-1]), "plain", _view(rank, values)),
    ]
    y_range = range_of(weights)
    picture = chart(
        lines, width=width, height=rows + 1, x_low=low, x_high=high, y=y_range, glyphs=glyphs
    )[:rows]
    cells = [[(character, role) for text, role in row for character in text] for row in picture]
    across, up = DOTS[glyphs]

    def column(x: float) -> int:
        return AXIS + cell((x - low) / (high - low), columns, across)

    def point(x: float, y: float, glyph: str, role: str) -> None:
        cells[row_of(y_range, y, rows, up)][column(x)] = (glyph, role)

    near = [close(weights, name) for name in names]
    for x, y, good in zip(rank, values, near, strict=True):
        point(x, y, "●" if good else "○", "good strong" if good else "strong")
    point(own_x, own, "■", "running strong")
    if shown.chosen in names:
        point(names.index(shown.chosen), accuracy(weights, shown.chosen), "◆", "scrub strong")
    places = [column(x) for x in rank]
    marks = " " * column(own_x) + f"▲ {OWN_ROW}"
    if np.isnan(momentum):  # the layers' momenta differ
        marks = f"{' ' * AXIS}▲ {OWN_ROW}, whose layers' momenta differ"
    elif momentum not in [float(name) for name in names]:
        marks += f": {weights.counted(momentum)}"
    labels = [weights.label(name) for name in names]
    ticks = _placed(labels, places).ljust(width - LEGEND)
    return [
        *cells,
        [
            *_marked(ticks, labels, places, weights.label(shown.chosen)),
            (f" {weights.momentum_name}", "axis"),
        ],
        [(_placed([f"{value:.3f}" for value in values], places), "")],
        [(_placed(["√" if good else "" for good in near], places), "good")],
        [(marks, "running")],
    ]


def bars(shown: WhatIfShown, names: list[str], width: int) -> Picture:
    """Return a row with a bar for each of `names`, the chosen one marked."""
    weights, picture = shown.weights, Picture()
    size = min(WIDEST_BAR, max(0, width - NAME_WIDTH - 12))
    for name in names:
        value, good = accuracy(weights, name), name != OWN_ROW and close(weights, name)
        own, chosen = name == shown.own, name == shown.chosen
        label, length = weights.label(name), float(weights.goodness(np.array([value]))[0])
        picture.append(
            [
                (" ", ""),
                (label, "cursor" if chosen else "running strong" if own else ""),
                (" " * (NAME_WIDTH - 1 - len(label)), ""),
                (bar(length, size), "running" if own else "good" if good else "plain"),
                (f" {value:.3f} ", "running strong" if own else ""),
                ("√" if good else " ", "good"),
                (" ◂" if own else "", "running"),
            ]
        )
    return picture


def row_at(shown: WhatIfShown, line: str, column: int, width: int) -> str:
    """Return the row of the map that a cell of the picture belongs to; nothing where none does.

    `line` is the text that the cell stands in: that of a row with its bar, or one of the curve.
    """
    columns = width - AXIS - LEGEND
    if line[AXIS - 1 : AXIS] in {"│", "┤"}:
        names = [name for name in reversed(shown.weights.rows) if is_momentum(name)]
        inside = 0 <= column - AXIS < columns
        return names[(column - AXIS) * len(names) // columns] if inside else ""
    word = line[1:NAME_WIDTH].split(" ")[0]
    named = {shown.weights.label(row): row for row in shown.weights.rows}
    return named.get(word, "")


def past_chart(shown: WhatIfShown, width: int, height: int, glyphs: Glyphs) -> Picture:
    """Draw validation over the updates so far: fresh, the run's own, and under the chosen row."""
    if shown.past is None or height < PAST[0] - 1 or width < LEAST_CHART:
        return []
    snapshot, y = shown.snapshot, range_of(shown.past)
    if shown.past.distance:
        own = shown.past.curve(shown.past.own_row)
        lines = [Line("running", "running", along(own, None))]
    else:
        drawn = curves("acc", snapshot, FOLLOWING)
        lines = [line for line in drawn if line.label in {"fresh", "running"}]
    title = "the past of this run"
    if shown.chosen not in {shown.own, OWN_ROW}:
        lines.append(past(shown.past, shown.chosen, snapshot, FOLLOWING))
        title = f"the past {past_in_words(shown.past, shown.chosen)}"
        if len(title) > width - 4:
            title = f"the past {name_of(shown.past, shown.chosen)}"
    planned = planned_end(snapshot, FOLLOWING.axis)
    x_low, x_high = FOLLOWING.sight(float(snapshot.update), None, planned)
    picture = chart(
        lines, width=width, height=height - 1, x_low=x_low, x_high=x_high, y=y, glyphs=glyphs
    )
    return [rule(title, width), *picture]


def range_of(looks: Looks) -> YRange:
    """Return the range of what looks hold: of accuracies 0 to 1, of distances as far as they go."""
    if not looks.distance:
        return UNIT
    values = np.array([looks.row(name) for name in looks.rows])
    return settled(
        None, 0.0, max(WORST, float(np.max(values, initial=0.0, where=values == values)))
    )


def in_words(shown: WhatIfShown, width: int, most: int) -> Picture:
    """Say which rows are as good as fresh statistics, and what enter would do.

    In more than `most` lines the last is left out, then the first, down to what enter does.
    """
    near, does = (near_in_words(shown.weights), "faint"), would(shown)
    lines: Picture = []
    for above, sentences in ([near], does), ([near], does[:2]), ([], does[:2]), ([], does[:1]):
        said = [*above, (" ".join(sentences), "scrub")]
        lines = [
            [(f" {line}", role)] for text, role in said for line in wrapped(text, max(8, width - 2))
        ]
        if len(lines) <= most:
            break
    return lines


def near_in_words(weights: Looks) -> str:
    """Say which estimators are as good as fresh statistics."""
    good = [name for name in weights.names if close(weights, name)]
    if weights.distance:
        near = ", ".join(map(weights.label, good))
        return f"√ up to {SOUND:g} from fresh statistics: {near}" if near else NOTHING_NEAR
    fresh = f"{CLOSE:g} of fresh statistics' {weights.fresh[0]:.3f}"
    if not good:
        return f"nothing comes within {fresh}"
    momentum = f"{weights.momentum_name} " if is_momentum(good[0]) else ""
    return f"√ within {fresh}: {momentum}{', '.join(map(weights.label, good))}"


def would(shown: WhatIfShown) -> tuple[str, ...]:
    """Say what enter does with the chosen row, in sentences; of a run that is followed, what the row gives."""
    weights, chosen = shown.weights, shown.chosen
    if shown.snapshot.followed:
        return _would_have(shown)
    if chosen in {shown.own, OWN_ROW}:
        return ("← → choose another momentum; enter uses it.",)
    knobs = shown.snapshot.knobs
    value, own = accuracy(weights, chosen), weights.own[0]
    before = exact(knobs.momentum) if knobs.estimator == "momentum" else knobs.estimator
    does = f"enter: {before} → {weights.called(chosen)}, from the next update on."
    if not is_momentum(chosen):
        return does, f"These weights: {value:.3f} instead of {own:.3f}."
    kept = float(chosen)
    count = math.ceil(math.log(0.1) / math.log(kept)) if kept else 1
    left = "10 %" if kept else "nothing"
    return (
        does,
        f"Used from the start, it would give {value:.3f} instead of {own:.3f}.",
        f"{count} update{'s' * (count > 1)} after the change {left} of what is remembered now is "
        "left.",
    )


def _would_have(shown: WhatIfShown) -> tuple[str, ...]:
    """Say what the chosen row would have given, had the run used it from its start."""
    weights, chosen = shown.weights, shown.chosen
    if chosen in {shown.own, OWN_ROW}:
        return ("← → choose another momentum.",)
    value, own = (weights.told(one) for one in (accuracy(weights, chosen), weights.own[0]))
    far = " from fresh statistics" if weights.distance else ""
    return (f"{weights.called(chosen)}, used from the start: {value} instead of {own}{far}.",)


def close(weights: Looks, name: str) -> bool:
    """Tell whether an estimator comes within `CLOSE` of fresh statistics, or beats them.

    Of distances, whether it is one that was never seen to do harm.
    """
    if weights.distance:
        return accuracy(weights, name) <= SOUND
    return float(weights.fresh[0]) - accuracy(weights, name) <= CLOSE + _FUZZ


def accuracy(weights: Looks, name: str) -> float:
    """Return the accuracy of the weights at hand under one row."""
    return float(weights.row(name)[0])


def rank_of(momentum: float, ladder: list[float]) -> float:
    """Return a momentum's place among ascending ones: its rank, or halfway between two; of NaN the left end."""
    if np.isnan(momentum):
        return -0.5
    above = int(np.searchsorted(ladder, momentum))
    return float(above) if above < len(ladder) and ladder[above] == momentum else above - 0.5


def _view(x: Array | list[float], y: Array | list[float]) -> SeriesView:
    values = np.asarray(y, dtype=np.float64)
    return SeriesView(np.asarray(x, dtype=np.float64), values, values, values, ~np.isfinite(values))


def _placed(texts: list[str], columns: list[int]) -> str:
    """Write texts into one line, each centred on its column."""
    line = ""
    for text, column in zip(texts, columns, strict=True):
        line = line.ljust(column - len(text) // 2) + text
    return line


def _marked(line: str, names: list[str], columns: list[int], chosen: str) -> list[Span]:
    """Return a line of `_placed` names with the chosen one marked."""
    if chosen not in names:
        return [(line, "axis")]
    start = columns[names.index(chosen)] - len(chosen) // 2
    end = start + len(chosen)
    return [(line[:start], "axis"), (chosen, "cursor"), (line[end:], "axis")]
