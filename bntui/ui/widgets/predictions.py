"""What the network says: how often it predicts each class, under both kinds of statistics."""

from bntui.engine.snapshot import Score, Validation
from bntui.ui.canvas import Canvas, Picture
from bntui.ui.charts import bar


class Predictions(Canvas):
    """Two bars a class: with running and with fresh statistics."""

    BORDER_TITLE = "it says"

    _validation: Validation | None = None

    def show(self, validation: Validation | None) -> None:
        """Show the predictions of a validation."""
        self._validation = validation
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each class."""
        if self._validation is None:
            return [[(" waits for a validation", "faint")]]
        running, fresh = self._validation.running, self._validation.fresh
        size = max(1, (width - 4) // 2 - 5)
        rows: Picture = [
            [("   ", ""), (f"{'running':<{size + 5}}", "running"), (" fresh", "fresh")]
        ]
        for digit, (left, right) in enumerate(zip(shares(running), shares(fresh), strict=True)):
            rows.append(
                [
                    (f" {digit} ", "faint"),
                    (f"{bar(left, size)}{left:>5.0%}", "running"),
                    (f" {bar(right, size)}{right:>5.0%}", "fresh"),
                ]
            )
        return rows


def shares(score: Score) -> list[float]:
    """Return the share of the images that each class was predicted for."""
    total = sum(score.predicted)
    return [count / total for count in score.predicted]
