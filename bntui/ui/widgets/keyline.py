"""The line at the bottom: the keys that matter now, as many as there is room for, and each can be clicked.

Not Textual's Footer, which is built anew at every change of focus: 20 ms and 400 bytes a key.
"""

from collections.abc import Callable, Sequence

from textual import events
from textual.keys import _character_to_key

from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.key_lines import Shown

HELP = "?"
"""The key that is on the line whatever its width, as is the last, the way out."""
NAMES = {
    "↑": "up",
    "↓": "down",
    "←": "left",
    "→": "right",
    "esc": "escape",
    "del": "delete",
    "pgup": "pageup",
    "pgdn": "pagedown",
}
"""Textual's names of keys, where the line writes others."""
Words = Sequence[str]
"""What a key does, the fullest words first: shorter ones stand where there is no room for them."""


class KeyLine(Canvas):
    """Shows keys and a word for each: from the first on as many as fit, and always the help and the last."""

    DEFAULT_CSS = "KeyLine { height: 1; background: $panel; }"

    def __init__(self, keys: Sequence[Shown]) -> None:
        super().__init__()
        self._shown = keys
        self._chosen: list[tuple[str, Words]] = []
        """What matters now."""
        self._others: list[tuple[str, Words]] = [(one.key, (one.word,)) for one in keys]
        self._places: list[tuple[int, str]] = []
        """Where each key on the line begins, and which it is; then where they end, and none."""

    def show(
        self,
        *,
        said: Callable[[str], Words],
        hidden: Callable[[str], bool],
        first: Sequence[str] = (),
        here: Sequence[Shown] = (),
        then: Sequence[str] = (),
    ) -> None:
        """Show the keys whose commands are not `hidden`, with what is `said` of one, if anything.

        Those of the commands `first` come first, in that order, then the keys `here`, of what has the
        focus, and of the commands `then`. Their words are shortened where that makes room for all of
        them. The others take what room is left.
        """
        table = {one.command: one for one in self._shown if one.command}
        leading, following = ([table[name] for name in names] for names in (first, then))
        rest = [one for one in self._shown if one not in (*leading, *following)]
        chosen, others = (
            [
                (one.key, said(one.command) or (one.word,))
                for one in group
                if not (one.command and hidden(one.command))
            ]
            for group in ((*leading, *here, *following), rest)
        )
        if (chosen, others) != (self._chosen, self._others):
            self._chosen, self._others = chosen, others
            self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line; it ends with the help, if there is one, and the last key."""
        *others, last = self._others
        ends = [(key, words[-1]) for key, words in others if key == HELP]
        ends.append((last[0], last[1][-1]))
        room = width - sum(map(_cells, ends))
        shown = _fitting(self._chosen, room)
        room -= sum(map(_cells, shown))
        shown += _fitting([one for one in others if one[0] != HELP], room)
        row: Row = []
        self._places, column = [], 0
        for key, word in (*shown, *ends):
            self._places.append((column, key))
            column += _cells((key, word))
            row += [(f" {key} ", "strong"), (f"{word} ", "faint")]
        self._places.append((column, ""))
        return [row]

    def on_click(self, event: events.Click) -> None:
        """Press the key that is clicked; of several in one place the one under the mouse."""
        if key := self.key_at(event.x):
            self.app.simulate_key(key)

    def key_at(self, x: int) -> str:
        """Return Textual's name of the key in a column; nothing where there is none."""
        start, written = next(
            ((start, key) for start, key in reversed(self._places) if start <= x), (0, "")
        )
        if not written:
            return ""
        keys, column = written.split(), start + 1
        for key in keys:
            column += len(key) + 1
            if x < column:
                break
        return NAMES.get(key) or (_character_to_key(key) if len(key) == 1 else key)


def _fitting(keys: Sequence[tuple[str, Words]], room: int) -> list[tuple[str, str]]:
    """Return as many keys as so many cells have room for, each with its fullest words that then fit.

    More keys matter more than longer words.
    """
    shown: list[tuple[str, Words, str]] = []
    for key, words in keys:
        if (cells := _cells((key, words[-1]))) <= room:
            shown.append((key, words, words[-1]))
            room -= cells
    fullest: list[tuple[str, str]] = []
    for key, words, shortest in shown:
        word = next(word for word in words if len(word) - len(shortest) <= room)
        room -= len(word) - len(shortest)
        fullest.append((key, word))
    return fullest


def _cells(entry: tuple[str, str]) -> int:
    return len(entry[0]) + len(entry[1]) + 3
