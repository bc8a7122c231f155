"""A sweep's phase diagram as an SVG picture for print: vectors and text, without fonts or scripts of others.

Imports no torch.
"""

import math
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from bntui.core.colour_ramp import colours, lightness
from bntui.core.scales import UNIT, YRange, settled
from bntui.core.settings import SETTINGS, value_of
from bntui.core.sweep import NOT_OF_THE_NUMBERS, SweepView
from bntui.core.text import exact, literal, percent, shorten
from bntui.sweeps.export.layout import LEFT, SMALL, TOP, WIDTH, Layout, labelled, layout
from bntui.sweeps.phase import (
    MOMENTUM,
    OWN,
    SOUND_FRESH,
    SOUND_GAP,
    START_LEFT,
    UPDATES,
    Choice,
    Diagram,
    Tile,
    Value,
    diagram,
)
from bntui.sweeps.words import tile_words, value_words

TITLES = {
    Value.GAP: "Validation accuracy lost to running statistics",
    Value.RUNNING: "Validation accuracy with running statistics",
    Value.FRESH: "Validation accuracy with fresh statistics",
    Value.UNTIL_SOUND: "Updates until validation with running statistics is sound",
}
_BAR = {
    Value.GAP: "accuracy, fresh − running",
    Value.RUNNING: "accuracy",
    Value.FRESH: "accuracy",
    Value.UNTIL_SOUND: "updates",
}
_COLOURS = colours(dark=False, steps=64)
_NEVER = "#8c8c8c"
_UNLEARNED = "#c8c8c8"
_MARGIN = 16.0
_LINE = 110
"""Characters of small text across the picture."""
_ALWAYS_TOLD = {"dataset", "width", "batch_size", "learning_rate"}
_NEVER_TOLD = {*NOT_OF_THE_NUMBERS, "seed", "epochs", "steps"}
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}.small{font-size:11px}"
    ".value{font-size:11px}.light{fill:#fff}.dim{fill:#666}.frame{fill:none;stroke:#555}"
    ".tile{stroke:#fff;stroke-width:.5}.blank{fill:#fff;stroke:#ccc;stroke-width:.5}"
    ".halo{fill:none;stroke:#fff;stroke-width:5;stroke-linejoin:round}"
    ".theory{fill:none;stroke:#c3320a;stroke-width:2;stroke-dasharray:7 4;stroke-linejoin:round}"
    ".sound{fill:none;stroke:#000;stroke-width:1.6;stroke-linecap:square}"
    ".hatch{stroke:#000;stroke-opacity:.55;stroke-width:1.2}.failed{stroke:#c3320a;stroke-width:1.4}"
)
_HATCH = (
    '<defs><pattern id="running" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<path class="hatch" d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5"/></pattern></defs>'
)


def svg(view: SweepView, choice: Choice) -> str:
    """Return the picture of one diagram of a sweep."""
    drawn = diagram(view, choice)
    place, colour = layout(drawn), _colour_range(drawn)
    legend, height = _legend(drawn, place)
    title = TITLES[choice.value]
    if choice.value is not Value.UNTIL_SOUND and drawn.epoch:
        title += f", end of epoch {drawn.epoch}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>{_HATCH}",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>',
        _text(_MARGIN, 26, title, "title"),
        *(
            _text(_MARGIN, 44 + 15 * number, line, "small")
            for number, line in enumerate(_lines(_about(view, drawn)))
        ),
        *_tiles(drawn, place, colour),
        *_sound_border(drawn, place),
        *_theory(drawn, place),
        *_values(drawn, place, colour),
        *_axes(drawn, place),
        *_bar(drawn, place, colour),
        *legend,
    ]
    return "\n".join([*parts, "</svg>", ""])


def _all(drawn: Diagram) -> Iterator[tuple[int, int, Tile]]:
    for y, row in enumerate(drawn.tiles):
        for x, tile in enumerate(row):
            yield x, y, tile


def _colour_range(drawn: Diagram) -> YRange:
    """Return what the colours stand for: 0 to 1, but of updates the decades that there are."""
    if drawn.choice.value is not Value.UNTIL_SOUND:
        return UNIT
    medians = [tile.median for _, _, tile in _all(drawn) if math.isfinite(tile.median)]
    return settled(None, min(medians, default=1.0), max(medians, default=10.0), log=True)


def _colours(kind: Value) -> tuple[str, ...]:
    """Return the colours from the lowest value to the highest: what is sound is light."""
    return _COLOURS[::-1] if kind in {Value.RUNNING, Value.FRESH} else _COLOURS


def _colour(kind: Value, value: float, colour: YRange) -> str:
    if math.isinf(value):
        return _NEVER
    every = _colours(kind)
    return every[min(int(float(colour.fraction(value)) * len(every)), len(every) - 1)]


def _fill(kind: Value, tile: Tile, colour: YRange) -> str:
    return _UNLEARNED if tile.unlearned else _colour(kind, tile.median, colour)


def _about(view: SweepView, drawn: Diagram) -> list[str]:
    """Return what the sweep's runs have in common, and what of the others is drawn."""
    varied = {axis.setting for axis in view.design.axes if len(axis.values) > 1}
    single = {
        axis.setting: axis.values[0] for axis in view.design.axes if axis.setting not in varied
    }
    words = [f"sweep {view.name}"]
    for name, row in SETTINGS.items():
        value = single.get(name, value_of(view.design.base, name))
        if name in varied | _NEVER_TOLD or (name not in _ALWAYS_TOLD and value == row.default):
            continue
        shown = shorten(row.show(value), 40)
        words.append(shown if name == "dataset" else f"{row.label} {shown}")
    knobs = view.design.base.knobs
    plain = knobs.estimator == "momentum" and not varied & {"momentum", "estimator"}
    for label, value in drawn.held:
        own = exact(knobs.momentum) if plain and value == OWN else value
        words.append(f"{label} {own}")
    seeds = len(view.design.seeds)
    return [*words, f"median of {seeds} seeds" if seeds > 1 else "one seed"]


def _lines(words: Iterable[str]) -> list[str]:
    """Return what is said in at most two lines."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} · {word}".removeprefix(" · ")
        if len(longer) > _LINE and lines[-1] and len(lines) < 2:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shorten(line, _LINE) for line in lines]


def _tiles(drawn: Diagram, place: Layout, colour: YRange) -> Iterator[str]:
    wide, high = place.x.size, place.y.size
    for x, y, tile in _all(drawn):
        left, top = place.corner(x, y)
        at = f'x="{left:.2f}" y="{top:.2f}" width="{wide:.2f}" height="{high:.2f}"'
        fill = _fill(drawn.choice.value, tile, colour) if tile.measured else ""
        looks = f'class="tile" fill="{fill}"' if fill else 'class="blank"'
        yield f"<rect {looks} {at}><title>{escape(tile_words(drawn, x, y))}</title></rect>"
        if tile.running:
            yield f'<rect fill="url(#running)" {at}/>'
        if tile.failed:
            yield f'<path class="failed" d="M{left + 3:.2f} {top + 3:.2f}l5 5m0 -5l-5 5"/>'


def _values(drawn: Diagram, place: Layout, colour: YRange) -> Iterator[str]:
    """Write the values where there is room, each on a ground of its tile's colour that stops lines."""
    kind = drawn.choice.value
    texts = {
        (x, y): value_words(kind, tile.median)
        for x, y, tile in _all(drawn)
        if tile.measured and not tile.running and math.isfinite(tile.median)
    }
    wide = SMALL * max(map(len, texts.values()), default=0)
    if wide + 4 > place.x.size or place.y.size < 14:
        return
    for (x, y), text in texts.items():
        fill = _fill(kind, drawn.tiles[y][x], colour)
        at, height = place.point(x, y)
        ground = SMALL * len(text)
        yield (
            f'<rect fill="{fill}" x="{at - ground / 2:.1f}" y="{height - 6:.1f}" '
            f'width="{ground:.1f}" height="12" rx="3"/>'
        )
        looks = "value light" if lightness(fill) < 0.62 else "value"
        yield _text(at, height + 4, text, looks, anchor="middle")


def _sound_border(drawn: Diagram, place: Layout) -> Iterator[str]:
    """Draw the line between tiles where validation is sound and others."""
    if drawn.choice.value is not Value.GAP:
        return
    sound = {(x, y): tile.sound for x, y, tile in _all(drawn) if tile.measured}
    wide, high = place.x.size, place.y.size
    lines = []
    for (x, y), here in sound.items():
        left, top = place.corner(x, y)
        if place.x.touches(x) and sound.get((x + 1, y), here) != here:
            lines.append(f"M{left + wide:.2f} {top:.2f}v{high:.2f}")
        if place.y.touches(y) and sound.get((x, y + 1), here) != here:
            lines.append(f"M{left:.2f} {top:.2f}h{wide:.2f}")
    if lines:
        yield f'<path class="sound" d="{"".join(lines)}"/>'


def _theory(drawn: Diagram, place: Layout) -> Iterator[str]:
    """Draw the theory's line, with its formula at its end beside the plot."""
    over_x = drawn.line_over == "x"
    points = [
        (place.point(along, at) if over_x else place.point(at, along))
        for along, at in enumerate(drawn.line)
        if not math.isnan(at)
    ]
    if not points:
        return
    path = (
        "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points) + ("h0" if len(points) == 1 else "")
    )
    yield f'<path class="halo" d="{path}"/><path class="theory" d="{path}"/>'
    x, y = points[-1]
    if over_x:
        yield _text(place.right + 6, y + 4, _formula(), "small")
    else:
        yield _text(x, TOP - 6, _formula(), "small", anchor="middle")


def _formula() -> str:
    return f"mᵗ = {exact(START_LEFT)}"


def _axes(drawn: Diagram, place: Layout) -> Iterator[str]:
    for at, text in labelled(place.y, upright=True):
        yield _text(LEFT - 8, place.point(0, at)[1] + 4, text, anchor="end")
    below: list[str] = []
    if drawn.x.name in {"batch_size", UPDATES} and drawn.epoch:
        measured = [
            max(row[at].updates for row in drawn.tiles) for at in range(len(drawn.x.values))
        ]
        below = [f"{updates:,}" if updates else "" for updates in measured]
        yield _text(LEFT - 22, place.bottom + 33, "updates by then", "small dim", anchor="end")
    for at, text in labelled(place.x, upright=False, longest=max(map(len, below), default=0)):
        x = place.point(at, 0)[0]
        looks = "small" if drawn.x.name == MOMENTUM else ""
        yield _text(x, place.bottom + 18, text, looks, anchor="middle")
        if below:
            yield _text(x, place.bottom + 33, below[at], "small dim", anchor="middle")
    middle = (TOP + place.bottom) / 2
    yield _text((LEFT + place.right) / 2, place.bottom + 54, drawn.x.label, anchor="middle")
    yield (
        f'<text text-anchor="middle" transform="translate(20 {middle:.1f}) rotate(-90)">'
        f"{escape(drawn.y.label)}</text>"
    )


def _bar(drawn: Diagram, place: Layout, colour: YRange) -> Iterator[str]:
    """Draw what the colours stand for."""
    left, high = WIDTH - 58.0, min(place.bottom - TOP, 320.0)
    each = high / len(_COLOURS)
    for number, one in enumerate(_colours(drawn.choice.value)):
        top = TOP + high - (number + 1) * each
        yield f'<rect fill="{one}" x="{left}" y="{top:.2f}" width="14" height="{each + 0.3:.2f}"/>'
    yield f'<rect class="frame" x="{left}" y="{TOP}" width="14" height="{high:.2f}"/>'
    for value, text in colour.ticks(5):
        y = TOP + high * (1.0 - float(colour.fraction(value)))
        yield f'<path class="frame" d="M{left + 14} {y:.2f}h3"/>'
        yield _text(left + 20, y + 4, text, "small")
    yield (
        f'<text class="small" text-anchor="middle" transform="translate({left - 8} '
        f'{TOP + high / 2:.1f}) rotate(-90)">{escape(_BAR[drawn.choice.value])}</text>'
    )


def _legend(drawn: Diagram, place: Layout) -> tuple[list[str], float]:
    """Explain the lines, and the tiles that have no colour of the bar; return where that ends, too."""
    parts, x, y = [], _MARGIN, place.bottom + 80
    for sample, text in _signs(drawn):
        wide = 40 + 6.0 * len(text)
        if x + wide > WIDTH and x > _MARGIN:
            x, y = _MARGIN, y + 20
        word = _text(30, 4, text, "small")
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{sample}{word}</g>')
        x += wide
    return parts, y + 20


def _signs(drawn: Diagram) -> Iterable[tuple[str, str]]:
    tiles = [tile for _, _, tile in _all(drawn)]
    box = '<rect {} x="0" y="-6" width="22" height="12"/>'
    if any(not math.isnan(at) for at in drawn.line):
        left = f"theory: {percent(START_LEFT)} of the start values left after epoch {drawn.epoch}"
        yield '<path class="theory" d="M0 0h22"/>', left
    if drawn.choice.value is Value.GAP:
        sound = f"border of sound validation (at most {exact(SOUND_GAP)} lost)"
        yield '<path class="sound" d="M0 0h22"/>', sound
    if any(tile.running for tile in tiles):
        yield box.format('class="blank"') + box.format('fill="url(#running)"'), "running"
    if any(not tile.measured for tile in tiles):
        yield box.format('class="blank"'), "not measured"
    if any(tile.unlearned for tile in tiles):
        little = f"fresh below {exact(SOUND_FRESH)}: too little is learned to tell"
        yield box.format(f'fill="{_UNLEARNED}"'), little
    if any(math.isinf(tile.median) for tile in tiles):
        yield box.format(f'fill="{_NEVER}"'), "not sound yet"
    if any(tile.failed for tile in tiles):
        yield '<path class="failed" d="M8 -3l6 6m0 -6l-6 6"/>', "a run failed"


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    looks = f' class="{kind}"' if kind else ""
    return f'<text{looks} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(literal(text))}</text>'
