"""The picture of a phase diagram: well-formed, with every tile, and with what the colours mean."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from bntui.core.colour_ramp import colours, lightness
from bntui.core.config import Knobs
from bntui.core.estimators import MOMENTA, ROWS
from bntui.core.sweep import Cell, Standing, SweepView
from bntui.sweeps.export.layout import APART, LEFT, WIDTH, labelled, layout
from bntui.sweeps.export.svg import svg
from bntui.sweeps.phase import (
    MOMENTUM,
    NO_AXIS,
    UPDATES,
    Choice,
    Scale,
    Value,
    diagram,
    first_choice,
)
from tests.sweeps.made_up import BASE, design, outcome, view, waiting, with_cell

NAMESPACE = "{http://www.w3.org/2000/svg}"
BATCHES = (64, 256, 1024)
SEEN = view(
    design(("batch_size", BATCHES), ("learning_rate", (0.001, 0.01)), seeds=3),
    lambda cell, epoch: outcome(
        cell, epoch, 0.95, 0.9 if cell.config.knobs.batch_size == 64 else 0.1
    ),
    name="tom&jerry",
)
CHOICE = Choice("batch_size", MOMENTUM)


def drawn(of: SweepView, choice: Choice) -> Element:
    return ElementTree.fromstring(svg(of, choice))


def texts(root: Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter(f"{NAMESPACE}text")]


def tiles(root: Element) -> list[Element]:
    return [
        one
        for one in root.iter(f"{NAMESPACE}rect")
        if one.get("class") in {"tile", "blank"} and one.get("width") != "22"
    ]


def paths(root: Element, kind: str) -> list[Element]:
    """Return the paths of a kind, without the samples of the legend."""
    samples = {id(one) for group in root.iter(f"{NAMESPACE}g") for one in group}
    return [
        one
        for one in root.iter(f"{NAMESPACE}path")
        if one.get("class") == kind and id(one) not in samples
    ]


def test_every_tile_is_there_with_its_value_and_its_words() -> None:
    root = drawn(SEEN, CHOICE)
    assert len(tiles(root)) == 3 * len(ROWS)
    words = ["".join(tile.itertext()) for tile in tiles(root)]
    assert words[21 + 1].startswith("batch 256, m 0.99, epoch 3, update 48: gap 0.843 (3 seeds)")
    assert texts(root).count(".84") > 1
    (low, high) = colours(dark=False, steps=64)[0], colours(dark=False, steps=64)[-1]
    assert low != high
    fills = [tile.get("fill") for tile in tiles(root)]
    assert (
        len({fills[row * 3] for row in range(10)} & {fills[row * 3 + 1] for row in range(10)}) == 0
    )


@pytest.mark.parametrize("value", [Value.GAP, Value.RUNNING, Value.FRESH])
def test_what_is_sound_is_light_whatever_is_drawn(value: Value) -> None:
    fails = 0.0 if value is Value.GAP else 0.8  # as badly with fresh statistics
    of = view(
        SEEN.design,
        lambda cell, epoch: outcome(
            cell, epoch, 0.95 - fails * large(cell), 0.94 - 0.8 * large(cell)
        ),
    )
    light, _, dark = (
        shade(tile) for tile in tiles(drawn(of, Choice("batch_size", NO_AXIS, value)))
    )
    assert light > dark + 0.1


def test_few_updates_until_sound_are_light() -> None:
    of = view(SEEN.design, lambda cell, epoch: outcome(cell, epoch, 0.9, 0.9))
    shades = [
        shade(tile) for tile in tiles(drawn(of, Choice("batch_size", NO_AXIS, Value.UNTIL_SOUND)))
    ]
    assert shades == sorted(shades)
    assert len(set(shades)) == 3


def shade(tile: Element) -> float:
    return lightness(tile.attrib["fill"])


def large(cell: Cell) -> bool:
    return cell.config.knobs.batch_size == 1024


def test_rows_go_upwards_and_estimators_stand_apart_from_momenta() -> None:
    tops = [float(tile.attrib["y"]) for tile in tiles(drawn(SEEN, CHOICE))[::3]]
    assert tops == sorted(tops, reverse=True)
    steps = [one - other for one, other in pairwise(tops)]
    assert steps[len(MOMENTA) - 1] == pytest.approx(steps[0] + APART, abs=0.02)
    assert steps[3] == pytest.approx(steps[0], abs=0.02)


def test_title_axes_and_settings_are_written_in_words_and_escaped() -> None:
    root = drawn(SEEN, CHOICE)
    said = texts(root)
    assert said[0] == "Validation accuracy lost to running statistics, end of epoch 3"
    assert (
        said[1] == "sweep tom&jerry · digits · width 0.25 · learning rate 0.001 · median of 3 seeds"
    )
    assert "sweep tom&amp;jerry" in svg(SEEN, CHOICE)
    assert {"batch size", "momentum (Keras's)", *map(str, BATCHES), *ROWS} <= set(said)
    assert {"189", "48", "12", "updates by then"} <= set(said)


def test_other_settings_than_the_defaults_are_told() -> None:
    base = replace(BASE, norm="ghost", knobs=Knobs(batch_size=512))
    said = texts(
        drawn(
            view(design(("learning_rate", (0.001, 0.01)), base=base)),
            Choice("learning_rate", MOMENTUM),
        )
    )
    assert said[1] == "sweep made up · digits · norm ghost · width 0.25 · batch size 512 · one seed"


def test_what_is_common_has_two_lines_where_one_is_too_short() -> None:
    base = replace(BASE, train_size=2000, optimizer="sgd", lr_rule="sqrt", lr_warmup=16, depth=11)
    of = view(design(("batch_size", (8, 64)), ("learning_rate", (0.001, 0.01)), base=base))
    said = texts(drawn(of, Choice("batch_size", "learning_rate")))
    assert said[1] == (
        "sweep made up · digits · train size 2000 · depth 11 · width 0.25 · optimizer sgd · rate rule sqrt"
    )
    assert said[2] == "rate warm-up 16 · momentum (Keras's) 0.99 · one seed"


def test_the_runs_own_momentum_is_told_where_all_have_it() -> None:
    choice = Choice("batch_size", "learning_rate")
    cumulative = replace(BASE, knobs=Knobs(estimator="cumulative"))
    of = view(design(("batch_size", (8, 64)), ("learning_rate", (0.001, 0.01)), base=cumulative))
    (told,) = [text for text in texts(drawn(of, choice)) if text.startswith("sweep")]
    assert told.endswith("estimator cumulative · momentum (Keras's) the run's own · one seed")
    assert any("momentum (Keras's) 0.99" in text for text in texts(drawn(SEEN, choice)))


def test_the_theorys_line_goes_through_its_places() -> None:
    shown = diagram(SEEN, CHOICE)
    place = layout(shown)
    root = drawn(SEEN, CHOICE)
    (line,) = paths(root, "theory")
    points = re.findall(r"(-?[\d.]+) (-?[\d.]+)", line.attrib["d"])
    expected = [place.point(x, at) for x, at in enumerate(shown.line)]
    assert [(float(x), float(y)) for x, y in points] == [
        pytest.approx(one, abs=0.01) for one in expected
    ]
    assert "mᵗ = 0.02" in texts(root)
    assert "theory: 2 % of the start values left after epoch 3" in texts(root)


def test_turned_round_the_line_is_over_y() -> None:
    turned = Choice(MOMENTUM, "batch_size")
    shown = diagram(SEEN, turned)
    place = layout(shown)
    (line,) = paths(drawn(SEEN, turned), "theory")
    points = [
        (float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", line.attrib["d"])
    ]
    assert points == [
        pytest.approx(place.point(at, y), abs=0.01) for y, at in enumerate(shown.line)
    ]


def test_the_border_of_soundness_lies_between_sound_tiles_and_others() -> None:
    root = drawn(SEEN, CHOICE)
    (border,) = paths(root, "sound")
    # Batch 64 is sound and its neighbour is not: a line down beside each of its 13 tiles.
    assert border.attrib["d"].count("v") == len(ROWS)
    assert "h" not in border.attrib["d"]
    lefts = {float(x) for x in re.findall(r"M([\d.]+) ", border.attrib["d"])}
    (left,) = lefts
    assert left == pytest.approx(LEFT + layout(diagram(SEEN, CHOICE)).x.size, abs=0.01)
    assert not paths(drawn(SEEN, Choice("batch_size", MOMENTUM, Value.FRESH)), "sound")


def test_what_runs_is_hatched_what_is_not_measured_blank_and_what_failed_crossed() -> None:
    of = with_cell(waiting(SEEN.design), 0, standing=Standing.RUNNING, epochs=SEEN.cells[0].epochs)
    of = with_cell(of, 4, standing=Standing.FAILED, message="out of memory")
    root = drawn(of, CHOICE)
    hatched = [one for one in root.iter(f"{NAMESPACE}rect") if one.get("fill") == "url(#running)"]
    assert len(hatched) == len(ROWS) + 1  # and the legend's
    assert [tile.get("class") for tile in tiles(root)] == ["tile", "blank", "blank"] * len(ROWS)
    assert len(paths(root, "failed")) == len(ROWS)
    assert {"running", "not measured", "a run failed"} <= set(texts(root))
    assert not {"running", "not measured", "a run failed"} & set(texts(drawn(SEEN, CHOICE)))


def test_a_small_gap_where_little_is_learned_is_grey_and_not_sound() -> None:
    of = view(
        design(("batch_size", BATCHES)),
        lambda cell, epoch: outcome(cell, epoch, 0.1 if large(cell) else 0.9, 0.1),
    )
    root = drawn(of, Choice("batch_size", NO_AXIS))
    greys = [one.get("fill") == "#c8c8c8" for one in tiles(root)]
    assert greys == [size == 1024 for size in BATCHES]
    assert "fresh below 0.2: too little is learned to tell" in texts(root)
    assert paths(root, "sound") == []  # neither side of it is sound


def test_updates_until_sound_have_a_scale_of_decades_and_a_grey_for_never() -> None:
    root = drawn(SEEN, Choice("batch_size", MOMENTUM, Value.UNTIL_SOUND))
    said = texts(root)
    assert said[0] == "Updates until validation with running statistics is sound"
    assert "not sound yet" in said
    assert {"10", "100", "63"} <= set(said)
    greys = {tile.get("fill") for tile in tiles(root)[1::3]}
    assert len(greys) == 1
    assert greys.isdisjoint(colours(dark=False, steps=64))


@pytest.mark.parametrize(
    "choice",
    [
        Choice(UPDATES, MOMENTUM),
        Choice("learning_rate", NO_AXIS, Value.FRESH),
        Choice(NO_AXIS, NO_AXIS, Value.RUNNING),
        Choice("batch_size", "learning_rate", epoch=7),
    ],
)
def test_any_choice_can_be_drawn(choice: Choice) -> None:
    for of in (SEEN, with_cell(waiting(SEEN.design), 0, train=4000)):
        root = drawn(of, choice)
        assert tiles(root)
        for one in root.iter(f"{NAMESPACE}text"):
            if "x" in one.attrib:
                assert 0 <= float(one.attrib["x"]) <= WIDTH


def test_nothing_measured_is_a_blank_picture() -> None:
    of = waiting(SEEN.design)
    root = drawn(of, first_choice(of))
    assert {tile.get("class") for tile in tiles(root)} == {"blank"}
    assert texts(root)[0] == "Validation accuracy lost to running statistics"
    assert not paths(root, "theory")


def test_many_places_have_labels_that_do_not_touch() -> None:
    scale = Scale("batch_size", "batch size", tuple(map(str, range(8, 208))))
    wide = layout(replace(diagram(SEEN, CHOICE), x=scale))
    labels = labelled(wide.x, upright=False, longest=5)
    assert 5 < len(labels) < 30
    centres = [wide.x.centre(place) for place, _ in labels]
    assert min(b - a for a, b in pairwise(centres)) > 5 * 6.6
    assert math.isclose(wide.x.length, WIDTH - LEFT - 136)
