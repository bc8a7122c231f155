"""The sentences of docs/phase-diagram.md: each says figures of the data, and stands only where it is true of them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from bntui.core.config import BN_LAYERS
from bntui.core.sweep import SweepView
from bntui.sweeps.phase import SOUND_GAP, START_LEFT, Tile
from tools.phase_diagram.figures import (
    KERAS,
    LARGE,
    Border,
    border,
    final_gap,
    looks,
    until_sound,
)

Views = Mapping[str, SweepView]
"""By the names of `data.PARTS`."""
Table = list[list[str]]
"""Its first row is the heading."""


NO_START = 0.001
"""A share of the start values that is next to nothing."""


class UntrueError(Exception):
    """A sentence that the data do not bear out."""


def says(claim: bool, sentence: str) -> str:
    """Return a sentence whose claim is true. Raises UntrueError."""
    if not claim:
        raise UntrueError(sentence)
    return sentence


def keras_table(view: SweepView) -> Table:
    """Return by batch size when momentum 0.99 becomes sound."""
    gaps = final_gap(view, "batch_size")
    rows = [["batch size", "updates an epoch", "sound from update", "accuracy lost at the end"]]
    for size, tile in until_sound(view, "batch_size").items():
        updates = -(-_train(view) // int(size))
        rows.append([size, f"{updates}", _when(tile), _spread(gaps[size])])
    return rows


def keras_sentences(view: SweepView) -> Iterator[str]:
    """Yield when Keras's default fails."""
    tiles = until_sound(view, "batch_size")
    epochs = view.design.base.epochs
    sound = [size for size, tile in tiles.items() if math.isfinite(tile.greatest)]
    failing = [size for size, tile in tiles.items() if math.isinf(tile.least)]
    yield says(
        bool(sound and failing) and [*sound, *failing] == list(tiles),
        f"Within {epochs} epochs of {_train(view):,} images, validation at momentum {KERAS} becomes sound at "
        f"batch sizes {_first_to_last(sound)}, and not at {_first_to_last(failing)}.",
    )
    fails_until, sound_from = _turning(view)
    yield says(
        fails_until < sound_from <= 1.5 * fails_until,
        f"Updates decide, not epochs: up to update {fails_until} each of these {len(view.cells)} runs fails at every "
        f"epoch's end, and from update {sound_from} on each is sound.",
    )
    few, largest = view.cells[-1].epochs[-1].update, list(tiles)[-1]
    lost = final_gap(view, "batch_size")[largest]
    yield says(
        few < sound_from / 4 and lost.least > SOUND_GAP,
        f"At batch size {largest} these epochs are {few} updates, and validation ends {_spread(lost)} below what fresh "
        "statistics give.",
    )


def border_sentences(view: SweepView) -> Iterator[str]:
    """Yield what the runs that became sound have in common."""
    seen = looks(view)
    found = border(seen)
    sizes = [str(value) for value in view.design.axes[0].values]
    yield says(
        found.wrong <= 0.02 * found.looks,
        f"One number tells failing from sound, at all momenta from {min(LARGE):g} to {max(LARGE):g} and batch sizes "
        f"from {sizes[0]} to {sizes[-1]}: the share mᵗ of the start values (mean 0, variance 1) that t updates have "
        f"left. {_told(found)}, in {found.looks - found.wrong:,} of {found.looks:,} looks.",
    )
    ours = [(momentum, found.updates(momentum)) for momentum in (0.9, KERAS, 0.999)]
    fails_until, sound_from = _turning(view)
    yield says(
        0.9 * fails_until <= found.updates()[0] <= found.updates()[1] <= 1.1 * sound_from,
        "So momentum m needs t = ln(share) / ln(m) updates: "
        + ", ".join(f"{momentum:g} needs {_from_to(*counts)}" for momentum, counts in ours)
        + ".",
    )
    late = sum(not look.sound and look.left <= START_LEFT for look in seen)
    early = sum(look.sound and look.left > START_LEFT for look in seen)
    yield says(
        early + late <= 0.01 * len(seen),
        f"The line that the program draws is at {_percent(START_LEFT)} left: with more left {early} of {len(seen):,} "
        f"looks are sound, with less {late} fail.",
    )


def border_table(view: SweepView) -> Table:
    """Return by value of the sweep's setting where the border is."""
    (axis,) = view.design.axes
    rows = [
        [
            "",
            "start values left at the border",
            f"updates that {KERAS} needs",
            "looks it tells wrongly",
            f"{KERAS} sound from update",
        ]
    ]
    tiles = until_sound(view, axis.setting)
    for (label, tile), found in zip(tiles.items(), borders(view), strict=True):
        rows.append(
            [
                label,
                f"{_percent(found.low)} to {_percent(found.high)}",
                _from_to(*found.updates()),
                f"{found.wrong} of {found.looks}",
                _when(tile),
            ]
        )
    return rows


def scaled_table(scaled: SweepView, plain: SweepView) -> Table:
    """Return by batch size when m^(B/64) becomes sound, beside m itself."""
    rows = [
        ["batch size", "momentum", "sound from epoch", "accuracy lost at the end", f"{KERAS}: lost"]
    ]
    gaps, plain_gaps = final_gap(scaled, "batch_size", None), final_gap(plain, "batch_size")
    for size, tile in until_sound(scaled, "batch_size", None).items():
        momentum = KERAS ** (int(size) / scaled.design.base.base_batch)
        epochs = tile._replace(
            **{
                name: getattr(tile, name) / -(-_train(scaled) // int(size))
                for name in ("median", "least", "greatest")
            }
        )
        rows.append(
            [size, f"{momentum:.3f}", _when(epochs), _spread(gaps[size]), _spread(plain_gaps[size])]
        )
    return rows


def scaled_sentences(scaled: SweepView, plain: SweepView) -> Iterator[str]:
    """Yield what m^(B/64) does."""
    tiles = until_sound(scaled, "batch_size", None)
    epochs = {size: tile.median / -(-_train(scaled) // int(size)) for size, tile in tiles.items()}
    without = until_sound(plain, "batch_size")
    here = without["64"].median / -(-_train(plain) // 64)
    sizes = _first_to_last(list(tiles))
    yield says(
        all(
            math.isfinite(tile.greatest) and math.isinf(without[size].least)
            for size, tile in tiles.items()
        ),
        f"With momentum {KERAS}^(B/64) validation becomes sound at batch sizes {sizes}, from epoch "
        f"{min(epochs.values()):g} to {max(epochs.values()):g} on; with {KERAS} itself it doesn't in "
        f"{scaled.design.base.epochs} epochs.",
    )
    yield says(
        max(abs(one - here) for one in epochs.values()) <= 2,
        f"That is as many images as at batch size 64, where {KERAS} is sound from epoch {here:g} on: the rule makes "
        "statistics forget their start by images, not by updates.",
    )


def borders(view: SweepView) -> list[Border]:
    """Return the border at each value of the sweep's setting, in the order in which the axis has them."""
    (axis,) = view.design.axes
    values = sorted(axis.values) if not isinstance(axis.values[0], str) else axis.values
    return [border(looks(_only(view, value))) for value in values]


def _only(view: SweepView, value: object) -> SweepView:
    cells = tuple(cell for cell in view.cells if cell.cell.values == (value,))
    return SweepView(view.name, view.design, cells)


def _told(found: Border) -> str:
    return (
        f"Validation fails with more than {_percent(found.high)} left, and is sound with less than "
        f"{_percent(found.low)}"
    )


def _from_to(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _train(view: SweepView) -> int:
    return view.cells[0].train


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _when(tile: Tile) -> str:
    """Say from which update on: the median, and the least and greatest where seeds differ."""
    if tile.least == tile.greatest:
        return _update(tile.median)
    return f"{_update(tile.median)} ({_update(tile.least)} to {_update(tile.greatest)})"


def _update(value: float) -> str:
    return "not yet" if math.isinf(value) else f"{value:,.0f}"


def _spread(tile: Tile) -> str:
    """Write accuracies: the median, and the least and greatest where seeds differ."""
    if f"{tile.least:.3f}" == f"{tile.greatest:.3f}":
        return f"{tile.median:.3f}"
    return f"{tile.median:.3f} ({tile.least:.3f} to {tile.greatest:.3f})"


def _first_to_last(sizes: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((*sizes[:1], *sizes[-1:])))


def learning_rate_sentences(view: SweepView) -> Iterator[str]:
    """Yield how the line moves with the learning rate."""
    *lower, highest = sorted(view.design.axes[0].values)
    yield from _stays(view, "the learning rate", lower)
    failing = {rate: _failing_without_start(view, rate) for rate in (*lower, highest)}
    worst, of = failing.pop(highest)
    yield says(
        worst > 0 and not any(count for count, _ in failing.values()),
        f"At {highest:g} validation also fails for another reason than its start: with less than "
        f"{_percent(NO_START)} of it left, {worst} of {of} looks fail, and at the lower rates none of "
        f"{sum(looked for _, looked in failing.values())}.",
    )
    found = border(looks(_only(view, highest)))
    yield says(
        found.wrong > 3 * max(border(looks(_only(view, rate))).wrong for rate in lower),
        f"So there one share tells {found.wrong} of {found.looks} looks wrongly.",
    )


def depth_sentences(view: SweepView) -> Iterator[str]:
    """Yield how the line moves with depth."""
    depths = sorted(view.design.axes[0].values)
    yield from _stays(view, "the depth", depths)
    layers = [BN_LAYERS + depth for depth in depths]
    yield says(layers == sorted(set(layers)), f"These networks have {_listed(layers)} BN layers.")


def width_sentences(view: SweepView) -> Iterator[str]:
    """Yield how the line moves with width."""
    values = sorted(view.design.axes[0].values)
    found = borders(view)
    yield says(
        all(one.low >= wider.high for one, wider in pairwise(found)) and _fits(found),
        f"The wider the network, the less of its start it bears, and the longer it fails: {KERAS} needs "
        f"{_needs(zip(values, found, strict=True), 'at')}.",
    )


def data_sentences(view: SweepView) -> Iterator[str]:
    """Yield how the line moves with the data set."""
    digits, photos = found = borders(view)
    yield says(
        photos.high < digits.low and _fits(found),
        f"On photos validation fails until less is left than on digits: {KERAS} needs "
        f"{_needs(zip(view.design.axes[0].values, found, strict=True), 'on')}.",
    )


def _needs(found: Iterable[tuple[object, Border]], where: str) -> str:
    return ", ".join(f"{_from_to(*one.updates())} updates {where} {value}" for value, one in found)


def _turning(view: SweepView) -> tuple[int, int]:
    """Return the last update up to which every look under 0.99 fails, and the first from which on every one is sound."""
    seen = looks(view, (KERAS,))
    first_sound = min((look.update for look in seen if look.sound), default=0)
    last_failing = max((look.update for look in seen if not look.sound), default=0)
    return (
        max((look.update for look in seen if look.update < first_sound), default=0),
        min((look.update for look in seen if look.update > last_failing), default=0),
    )


def _fits(found: Sequence[Border]) -> bool:
    return all(one.wrong <= 0.03 * one.looks for one in found)


def _stays(view: SweepView, what: str, values: Sequence[object]) -> Iterator[str]:
    found = [border(looks(_only(view, value))) for value in values]
    low, high = max(one.low for one in found), min(one.high for one in found)
    yield says(
        low < high and _fits(found),
        f"From {values[0]} to {values[-1]} one border fits, whatever {what}: "
        f"{_told(Border(low, high, 0, 0)).lower()}, so that {KERAS} needs "
        f"{_from_to(*Border(low, high, 0, 0).updates())} updates; {sum(one.wrong for one in found)} of "
        f"{sum(one.looks for one in found)} looks are on the wrong side.",
    )


def _failing_without_start(view: SweepView, value: object) -> tuple[int, int]:
    """Return how many looks with next to nothing left of the start values fail, and how many there are."""
    seen = [look for look in looks(_only(view, value)) if look.left < NO_START]
    return sum(not look.sound for look in seen), len(seen)


OF_SETTINGS = {
    "learning-rate": learning_rate_sentences,
    "depth": depth_sentences,
    "width": width_sentences,
    "data-set": data_sentences,
}
"""By the names of `data.PARTS`."""


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last
