"""What a phase diagram says in words: of a tile, and of a value. Pure; imports no torch."""

import math

from bntui.core.estimators import MOMENTA
from bntui.core.text import fixed, percent
from bntui.sweeps.phase import (
    MOMENTUM,
    SOUND_FRESH,
    SOUND_GAP,
    UPDATES,
    Diagram,
    Scale,
    Tile,
    Value,
    is_small,
)

_SHORT = {
    "batch_size": "batch {}",
    UPDATES: "{} updates an epoch",
    "learning_rate": "rate {}",
    "momentum": "own m {}",
}
"""How a place on an axis is called; the others by the axis's label."""


def tile_words(diagram: Diagram, x: int, y: int) -> str:
    """Return what the tile at the place (x, y) says.

    "batch 1024, m 0.99, epoch 10, update 40: gap 0.814 (0.780 to 0.840, 3 seeds), 67 % of the start values
    left".
    """
    tile = diagram.tiles[y][x]
    words = [place_words(diagram.x, x), place_words(diagram.y, y)]
    if tile.measured and diagram.choice.value is not Value.UNTIL_SOUND:
        words += [f"epoch {diagram.epoch}", f"update {tile.updates:,}"]
    return f"{', '.join(filter(None, words))}: {', '.join(reading(diagram, tile))}"


def reading(diagram: Diagram, tile: Tile) -> list[str]:
    """Return what was measured at a tile: first its value over the seeds; then what is to be known of it."""
    return [_measured(diagram, tile), *_unlearned(tile), *_left(diagram, tile), *_standing(tile)]


def place_words(scale: Scale, place: int) -> str:
    """Return what a place on an axis is called: "batch 1024", "m 0.99", "bias-corrected"."""
    value = scale.values[place]
    if scale.name == MOMENTUM:
        return f"m {value}" if place < len(MOMENTA) else value
    return _SHORT.get(scale.name, f"{scale.label} {{}}").format(value).strip()


def value_words(kind: Value, value: float) -> str:
    """Return a value as it is written: .81 of an accuracy, 1,234 updates; "–" where none was measured."""
    if math.isnan(value):
        return "–"
    if kind is Value.UNTIL_SOUND:
        return "never yet" if math.isinf(value) else f"{value:,.0f}"
    text = _accuracy(kind, value, 2 if kind is Value.GAP else 3)
    return text.replace("0.", ".", 1) if abs(float(text)) < 1.0 else text


def measured(kind: Value, value: float) -> str:
    """Return a value as a sentence has it: accuracies with three decimals."""
    if kind is Value.UNTIL_SOUND or math.isnan(value):
        return value_words(kind, value)
    return _accuracy(kind, value, 3)


def _accuracy(kind: Value, value: float, places: int) -> str:
    """Return a value with so many decimals; a gap with more where rounded it would be sound, and is not."""
    text = fixed(value, places)
    while kind is Value.GAP and not is_small(value) and float(text) <= SOUND_GAP:
        places += 1
        text = fixed(value, places)
    return text


def _measured(diagram: Diagram, tile: Tile) -> str:
    """Return the median, and between what the seeds lie."""
    kind = diagram.choice.value
    if not tile.measured:
        return f"{kind} not measured{'' if tile.over else ' yet'}"
    least, median, greatest = (
        measured(kind, value) for value in (tile.least, tile.median, tile.greatest)
    )
    said = f"{kind} {median}"
    if kind is Value.UNTIL_SOUND:
        said = "not sound yet" if math.isinf(tile.median) else f"sound from update {median} on"
    if len(tile.runs) == 1:
        return said
    several = UPDATES in {diagram.x.name, diagram.y.name}  # batch sizes may share a place
    noun = "runs" if several else "seeds"
    some = f" of {len(tile.runs)}" if tile.measured < len(tile.runs) else ""
    seeds = f"{tile.measured}{some} {noun}"
    return f"{said} ({seeds})" if least == greatest else f"{said} ({least} to {greatest}, {seeds})"


def _unlearned(tile: Tile) -> list[str]:
    return [f"fresh below {SOUND_FRESH:g}: too little is learned to tell"] * tile.unlearned


def _left(diagram: Diagram, tile: Tile) -> list[str]:
    """Return how much of the start values is left, where that is what the tile is about."""
    of_one_moment = diagram.choice.value in {Value.GAP, Value.RUNNING}
    if not of_one_moment or not tile.measured or math.isnan(tile.left):
        return []
    return [f"{percent(tile.left)} of the start values left"]


def _standing(tile: Tile) -> list[str]:
    return ["a run is under way"] * tile.running + ["a run has failed"] * tile.failed
