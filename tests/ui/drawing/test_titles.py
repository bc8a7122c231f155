"""Titles in shorter and shorter forms."""

import pytest

from bntui.ui.drawing.titles import MARGIN, fitted_title

PARTS = (
    ("accuracy in training and validation", "accuracy"),
    ("at update 96",),
    ("24.8k images", ""),
    ("was 0.974 0.114", "was 0.97", ""),
)


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (99, "accuracy in training and validation · at update 96 · 24.8k images · was 0.974 0.114"),
        (82, "accuracy · at update 96 · 24.8k images · was 0.974 0.114"),
        (55, "accuracy · at update 96 · 24.8k images · was 0.97"),
        (48, "accuracy · at update 96 · 24.8k images"),
        (37, "accuracy · at update 96"),
        (5, "accuracy · at update 96"),
    ],
)
def test_the_first_part_gives_way_first_and_then_the_last(room: int, expected: str) -> None:
    assert fitted_title(PARTS, room + MARGIN) == expected


def test_wide_characters_count_twice() -> None:
    assert fitted_title([("数字数字", "数字")], 8 + MARGIN) == "数字数字"
    assert fitted_title([("数字数字", "数字")], 7 + MARGIN) == "数字"
