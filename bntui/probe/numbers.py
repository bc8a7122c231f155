"""How numbers are written in findings and reports."""

import math

NOTHING = "–"
"""Where there is no number: it was not measured, or there is none."""


def percent(share: float) -> str:
    """Write a share as a percentage that is 0 or 100 only if the share is 0 or 1."""
    value = 100 * share
    if value in {0, 100} or 1 <= value <= 99 or value > 100:
        return f"{value:.0f} %"
    return f"{min(99.9, max(0.1, value)):.1f} %"


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 layer, 12 layers."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def figure(value: float | None, form: str = "") -> str:
    """Write a number, with a dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:{form}}".replace("-", "−", 1) if value < 0 else f"{value:{form}}"


def spanned(numbers: set[int], noun: str) -> str:
    """Write numbers of things as one, or as the least and the largest: 1 update, 3 to 12 updates."""
    return f"{span(numbers)} {noun}{'s' * (max(numbers) != 1)}"


def span(numbers: set[int]) -> str:
    """Write numbers as one, or as the least and the largest."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
