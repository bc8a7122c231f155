"""The pages of the help as pictures, wrapped to the room there is. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bntui.core.cells import cell_len, padded, pieces
from bntui.ui.drawing.canvas import Picture, Row, Span
from bntui.ui.drawing.channel_strips import rule
from bntui.ui.key_lines import Section
from bntui.ui.words.followed import worded
from bntui.ui.words.term import Shown, Term, figures

INDENT = 3
"""Cells before a line that goes on."""
UNITS = {"%", "σ"}
"""Words that stay on the line of the number before them."""
KEYS_WIDTH = 12
"""Cells for keys, and the blanks behind them."""
CONNECTIVES = " ·=:"
"""What a term without a formula in letters does not begin its numbers with."""


@dataclass(frozen=True, slots=True)
class Part:
    """Terms under a title, and what there is to read before them."""

    title: str
    terms: Sequence[Term]
    about: Sequence[str] = ()


def terms_page(parts: Iterable[Part], shown: Shown | None, width: int, *, airy: bool) -> Picture:
    """Return terms under titles; `airy` puts an empty line between two of them."""
    picture: Picture = []
    for part in parts:
        picture += [[]] if picture else []
        picture += text_page(part.title, part.about, width)
        picture += [[]] if part.about else []
        for place, term in enumerate(part.terms):
            if airy and place:
                picture.append([])
            picture += explained(term, shown, width)
    return picture


def explained(term: Term, shown: Shown | None, width: int) -> Picture:
    """Return a term's name and sentence, and below them its formula with the run's numbers."""
    term = worded(term, shown)
    sentence = [(f"{term.name}:", f"{term.role} strong".strip()), (term.sentence, "")]
    rows = flowed(sentence, width, first=1)
    numbers = figures(term, shown)
    if not term.letters:
        return rows + flowed([(numbers.lstrip(CONNECTIVES), "")], width, first=INDENT) * bool(
            numbers
        )
    together = flowed([(term.letters, "faint"), (numbers, "")], width, first=INDENT)
    if len(together) == 1 or not numbers:
        return rows + together
    rows += flowed([(term.letters, "faint")], width, first=INDENT)
    return rows + flowed([(numbers.removeprefix(" · "), "")], width, first=INDENT)


def next_word(picture: Picture, letter: str, after: int) -> int | None:
    """Return the row of the next term, or key, that begins with a letter; around the end.

    A form in brackets counts as well: s leads to "σ (sigma)".
    """
    rows = [place for place, row in enumerate(picture) if letter.casefold() in _initials(row)]
    return next((place for place in rows if place > after), rows[0] if rows else None)


def _initials(row: Row) -> set[str]:
    """Return the first letters of the name that a row begins with, none if it begins with no name."""
    words = [(text.strip(), role) for text, role in row if text.strip()]
    if not words or not words[0][1].endswith("strong"):
        return set()
    name = [text.casefold() for text, role in words if role.endswith("strong")]
    return {name[0][0], *(word[1] for word in name if len(word) > 1 and word.startswith("("))}


def keys_page(sections: Iterable[Section], width: int) -> Picture:
    """Return keys and what they do, under the titles of their sections."""
    picture: Picture = []
    for section in sections:
        picture += [[]] if picture else []
        picture.append(rule(section.title, width))
        for line in section.lines:
            beside = cell_len(line.keys) < KEYS_WIDTH
            told = flowed([(line.does, "")], width - KEYS_WIDTH - 1, first=0, then=0)
            keys = [(f" {padded(line.keys, KEYS_WIDTH)}", "strong")]
            if beside:
                picture.append([*keys, *told[0]])
            picture += [
                [(" " * (KEYS_WIDTH + 1), ""), *row] for row in (told[1:] if beside else told)
            ]
            if not beside:
                picture.insert(len(picture) - len(told), keys)
    return picture


def text_page(title: str, paragraphs: Iterable[str], width: int) -> Picture:
    """Return paragraphs under a title, with an empty line between two."""
    picture: Picture = []
    for text in paragraphs:
        picture += [[]] if picture else []
        picture += flowed([(text, "")], width, first=1, then=1)
    return [rule(title, width), *picture]


def flowed(spans: Iterable[Span], width: int, *, first: int, then: int = INDENT) -> Picture:
    """Return styled text as lines that end between words; a unit stays with its number.

    `first` and `then` are the cells before the first line and before those that follow.
    """
    picture: Picture = []
    row: Row = [(" " * first, "")]
    room, empty = width - first, True
    for word, role in _words(spans, max(2, width - max(first, then))):
        if not empty and cell_len(word) + 1 > room:
            picture.append(row)
            row, room, empty = [(" " * then, "")], width - then, True
        text = word if empty else f" {word}"
        row.append((text, role))
        room -= cell_len(text)
        empty = False
    return [*picture, row]


def _words(spans: Iterable[Span], longest: int) -> list[Span]:
    """Return the words of spans, each with its unit, none longer than so many cells."""
    words: list[Span] = []
    for text, role in spans:
        for word in text.split():
            if word.rstrip(").,;:") in UNITS and words:
                before, its = words[-1]
                words[-1] = (f"{before} {word}", its)
            else:
                words += [(piece, role) for piece in pieces(word, longest)]
    return words
