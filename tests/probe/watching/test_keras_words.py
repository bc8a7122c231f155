"""Findings on a Keras model speak of momentum as Keras does."""

import pytest

from bntui.core.watched import Found
from bntui.probe.watching.keras_words import in_keras, spoken


@pytest.mark.parametrize(
    ("torchs", "kerass"),
    [
        (
            "torch's momentum is 0.01, after 48 updates.",
            "Keras's momentum is 0.99, after 48 updates.",
        ),
        ("torch's momentum is 0.01 to 0.1.", "Keras's momentum is 0.99 to 0.9."),
        (
            "Had torch's momentum been 0.1, 0.05 all along, they would be within ×1.2.",
            "Had Keras's momentum been 0.9, 0.95 all along, they would be within ×1.2.",
        ),
        (
            "With torch's momentum 0.1 an update then keeps 0.656 of it, as one move with momentum 0.344 would.",
            "With Keras's momentum 0.9 an update then keeps 0.656 of it, as one move with momentum 0.656 would.",
        ),
        (
            "layer.momentum = 0.1 (torch's: the share of the new value)",
            "layer.momentum = 0.9 (Keras's: the share of the old value)",
        ),
        (
            "layer.momentum = 0.026 (torch's): 4 moves then keep as much as one does now",
            "layer.momentum = 0.974 (Keras's): 4 moves then keep as much as one does now",
        ),
        (
            "layer.momentum = 0.1: torch's is the share of the new value, Keras's that of the old one",
            "layer.momentum = 0.9: Keras's is the share of the old value, torch's that of the new one",
        ),
        (
            "lower the learning rate before validating, or raise torch's momentum",
            "lower the learning rate before validating, or lower Keras's momentum",
        ),
        (
            "train for more updates, with smaller batches, or a larger momentum",
            "train for more updates, with smaller batches, or a smaller momentum",
        ),
        ("Validation 0.1 under running statistics.", "Validation 0.1 under running statistics."),
    ],
)
def test_sentences_are_of_keras(torchs: str, kerass: str) -> None:
    assert spoken(torchs) == kerass
    assert spoken(kerass) == kerass


def test_a_finding_keeps_the_rest() -> None:
    found = Found("lag", "unsound", "title", ("torch's momentum is 0.1.",), ("wait",))
    assert in_keras(found) == Found(
        "lag", "unsound", "title", ("Keras's momentum is 0.9.",), ("wait",)
    )
