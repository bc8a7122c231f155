"""A report in a notebook: well-formed, without scripts or anything from elsewhere."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from bntui.probe.report import Report
from tests.probe import reports

ALL = [reports.report, reports.unsound, reports.large, reports.unmeasured, reports.hostile]


def tree(report: Report) -> ElementTree.Element:
    """Parse the HTML as XML, which forgives nothing."""
    text = report._repr_html_()
    return ElementTree.fromstring(text.replace("<br>", "<br/>").replace("<wbr>", "<wbr/>"))


@pytest.mark.parametrize("made", ALL)
def test_it_is_well_formed_and_fetches_and_runs_nothing(made: Callable[[], Report]) -> None:
    found = tree(made())
    allowed = "div p strong br wbr ul li table thead tbody tr th td svg title rect path"
    assert {one.tag for one in found.iter()} <= set(allowed.split())
    attributes = {name for one in found.iter() for name in one.attrib}
    assert not {
        name for name in attributes if name.startswith("on") or name in {"href", "src", "id"}
    }
    text = made()._repr_html_()
    assert not re.search(r"https?:|url\(|@import|\bnan\b|\binf\b", text)
    colours = re.findall(r"\b(?:color|background|fill|stroke)[:=]\"?(\w+)", text)
    assert set(colours) <= {"inherit", "none", "currentColor"}


def test_one_table_and_two_strips_with_a_bar_for_each_layer() -> None:
    found = tree(reports.large())
    assert len(list(found.iter("table"))) == 1
    strips = list(found.iter("svg"))
    assert [len(list(strip.iter("rect"))) for strip in strips] == [200, 200]
    titles = [strip.findtext("title") for strip in strips]
    assert titles == [
        "mean gap by layer, first to last, full height 2.30 σ; ▾ the largest: 2.30 σ, backbone.stage1.block60.norm",
        "network error by layer, first to last, full height 1.00; ▾ the largest: 0.96, backbone.stage3.block199.norm",
    ]
    full = [bar for bar in strips[0].iter("rect") if bar.get("opacity") == "1"]
    assert [bar.findtext("title") for bar in full] == ["backbone.stage1.block60.norm: 2.30 σ"]
    assert len(list(found.iter("tr"))) == 1 + 10 + 1
    assert len(reports.large()._repr_html_()) < 100_000


def test_a_small_drift_is_drawn_small() -> None:
    bars = list(next(tree(reports.report()).iter("svg")).iter("rect"))
    assert all(1 <= float(bar.attrib["height"]) < 5 for bar in bars)


def test_what_was_not_measured_has_no_bar_and_what_is_infinite_a_full_one() -> None:
    found = tree(reports.unmeasured())
    (strip,) = found.iter("svg")
    (bar,) = strip.iter("rect")
    assert bar.attrib["height"] == "44.0"
    assert bar.findtext("title") == "last: ∞ σ"
    assert "network error by layer: not measured" in "".join(found.itertext())


def test_a_model_without_layers() -> None:
    found = tree(reports.report(layers=()))
    assert not list(found.iter("svg"))
    assert not list(found.iter("table"))
    assert "no layer with running statistics" in "".join(found.itertext())


def test_texts_of_the_user_are_shown_as_they_are() -> None:
    text = "".join(tree(reports.hostile()).itertext())
    for written in (
        "[red]norm[/red]",
        "<script>alert(1)</script>",
        r"</script>\x1b[31m",
        "</svg><b>F1",
    ):
        assert written in text


def test_it_says_what_the_text_says() -> None:
    told = "".join(tree(reports.unsound()).itertext())
    for part in (
        "✖ unsound · start-values",
        "87 % of predictions flip",
        "layer.momentum = 0.1",
        "÷2.01",
    ):
        assert part in str(reports.unsound())
        assert part in told
