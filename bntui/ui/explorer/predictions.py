"""What the network says: how often it predicts each class, under both kinds of statistics."""

from bntui.core.cells import cell_len, padded, shorten
from bntui.core.measured import Score
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.canvas import Picture, Row
from bntui.ui.drawing.charts import bar
from bntui.ui.widgets.focus_canvas import FocusCanvas


class Predictions(FocusCanvas):
    """Two bars a class: with running and with fresh statistics."""

    BORDER_TITLE = "predictions"
    hint = "how often the network predicts each class, with running and with fresh statistics"

    _snapshot = Snapshot()

    def show(self, snapshot: Snapshot) -> None:
        """Show the predictions of a snapshot's last validation."""
        self._snapshot = snapshot
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the header and a row for each class.

        Where there are more classes than rows, those predicted most often, and the others together.
        """
        validation, facts = self._snapshot.validation, self._snapshot.facts
        if validation is None or facts is None:
            return [[(" waits for a validation", "faint")]]
        running, fresh = shares(validation.running), shares(validation.fresh)
        shown = classes_to_show(running, fresh, max(1, height - 1))
        others = set(range(len(running))) - set(shown)
        names = {place: facts.class_names[place] for place in shown}
        label = min(max(map(cell_len, names.values())), max(1, width // 3 - 2))
        size = max(1, (width - label - 3) // 2 - 5)

        def row(name: str, left: float, right: float) -> Row:
            return [
                (f" {padded(shorten(name, label), label)} ", "faint"),
                (f"{bar(left, size)}{left:>5.0%}", "running"),
                (f" {bar(right, size)}{right:>5.0%}", "fresh"),
            ]

        rows: Picture = [
            [(" " * (label + 2), ""), (f"{'running':<{size + 5}}", "running"), (" fresh", "fresh")],
            *(row(name, running[place], fresh[place]) for place, name in names.items()),
        ]
        if others:
            left, right = (sum(share[place] for place in others) for share in (running, fresh))
            rows.append(row(f"+{len(others)}", left, right))
        return rows


def classes_to_show(running: list[float], fresh: list[float], rows: int) -> list[int]:
    """Return the classes to show in so many rows, in their own order; a row is for the others."""
    classes = range(len(running))
    if len(classes) <= rows:
        return list(classes)
    most = sorted(classes, key=lambda place: -max(running[place], fresh[place]))
    return sorted(most[: max(1, rows - 1)])


def shares(score: Score) -> list[float]:
    """Return the share of the images that each class was predicted for."""
    total = sum(score.predicted)
    return [count / total for count in score.predicted]
