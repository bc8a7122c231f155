"""One line above the keys: what the chosen knob's value means."""

from bntui.ui.drawing.canvas import Canvas, Picture

SEPARATOR = " · "


class HintLine(Canvas):
    """A sentence, of whose parts between dots as many are shown as there is room for."""

    DEFAULT_CSS = "HintLine { height: 1; }"

    _text = ""

    def show(self, text: str) -> None:
        """Show `text`."""
        self._text = text
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line."""
        return [[(f" {whole_parts(self._text, width - 1)}", "faint")]]


def whole_parts(text: str, width: int) -> str:
    """Return as many of the parts between the dots of `text` as fit into `width`; one at least."""
    while len(text) > width and SEPARATOR in text:
        text = text.rpartition(SEPARATOR)[0]
    return text
