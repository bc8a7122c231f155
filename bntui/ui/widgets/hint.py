"""One line above the keys: what the chosen knob's value means."""

from bntui.ui.canvas import Canvas, Picture


class HintLine(Canvas):
    """A sentence."""

    DEFAULT_CSS = "HintLine { height: 1; }"

    _text = ""

    def show(self, text: str) -> None:
        """Show `text`."""
        self._text = text
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the line."""
        return [[(f" {self._text}", "faint")]]
