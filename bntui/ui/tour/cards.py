"""What the cards of the first start say. Pure text, in the roles that pictures are drawn in."""

from dataclasses import dataclass

from bntui.core.cells import NO_BREAK, bound, cell_len
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.words.thread import IN_ONE_SENTENCE


@dataclass(frozen=True, slots=True)
class Card:
    """One card: what stands on its border, and its paragraphs."""

    title: str
    paragraphs: tuple[Row, ...]


def _key(key: str, does: str) -> Row:
    return [(f"{key:<5}", "strong"), (does, "plain")]


CARDS = (
    Card(
        "what you see",
        (
            [
                (
                    "A small network learns to classify images while you watch. Training can go well "
                    f"and validation fail all the same. {IN_ONE_SENTENCE}",
                    "plain",
                )
            ],
            [("The three lines at the top say what happens, why, and what to do.", "plain")],
        ),
    ),
    Card(
        "what to look at",
        (
            [
                ("Two curves of the accuracy chart tell the story. ", "plain"),
                ("fresh", "fresh strong"),
                (" is what the network can do. ", "plain"),
                ("running", "running strong"),
                (
                    " is what you get: in validation, batch norm uses averages that it remembers, and "
                    "these can lag behind.",
                    "plain",
                ),
            ],
            [("The gap between the two is lost to that alone. Here you can close it.", "plain")],
        ),
    ),
    Card(
        "what to press",
        (
            _key("c", "repair the averages: fresh ones take their place"),
            _key("← →", "turn a knob: a lower momentum forgets sooner"),
            _key("?", "read what the words on this panel mean"),
            _key("g", "open the experiments, which answer the thread"),
        ),
    ),
)
"""All three, in their order."""


def laid_out(card: Card, width: int) -> Picture:
    """Return the lines of a card in so many cells: words are not cut."""
    return [line for paragraph in card.paragraphs for line in _wrapped(paragraph, width)]


def _wrapped(paragraph: Row, width: int) -> Picture:
    lines: Picture = [[]]
    used = 0
    for text, role in paragraph:
        for word in _words(text):
            length = cell_len(word.rstrip())
            if used and used + length > width:
                lines.append([])
                used = 0
            if used or word.strip():
                lines[-1].append((word, role))
                used += cell_len(word)
    return lines


def _words(text: str) -> list[str]:
    """Return the words of a text, each with the blank behind it; a number and its unit are one."""
    *words, last = (word.replace(NO_BREAK, " ") for word in bound(text).split(" "))
    return [*(f"{word} " for word in words), *filter(None, [last])]
