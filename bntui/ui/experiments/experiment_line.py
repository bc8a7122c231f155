"""The lines under the headline: which experiment is under way, and what to watch."""

from bntui.core.cells import cell_len, padded, wrapped
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.experiments.progress import ExperimentProgress

LEAVE = "what would leave it asks first"
NEXT = "g goes on"
MORE = " … (g)"
PAUSES = ",;:·-–"
"""What a text does not end in before it is cut short."""


class ExperimentLine(Canvas):
    """Two lines, there only while an experiment is."""

    DEFAULT_CSS = """
    ExperimentLine { height: 2; display: none; background: $boost; }
    ExperimentLine.-shown { display: block; }
    """

    _progress: ExperimentProgress | None = None

    def show(self, progress: ExperimentProgress | None) -> None:
        """Show where the experiment stands; nothing once it is left."""
        self._progress = progress
        self.set_class(progress is not None and not progress.left, "-shown")
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines, each in whole words: `g` shows the rest."""
        progress = self._progress
        if progress is None:
            return []
        experiment = progress.experiment
        name = f" experiment {experiment.number}" if experiment.number else " experiment"
        if progress.over:
            said, right = f" · {experiment.title}: all runs are over", NEXT
        else:
            count = f" · run {progress.place + 1} of {len(experiment.arms)}"
            said = f"{count}{' has failed' * progress.failed}: {progress.arm.label}"
            right = NEXT if progress.failed else LEAVE
        room = width - cell_len(name) - 1
        if cell_len(said) + cell_len(right) + 2 > room and right is LEAVE:
            right = ""
        left = room - cell_len(right) - bool(right)
        return [
            [(name, "strong"), (padded(in_words(said, left), left), ""), (f" {right}", "faint")],
            [(f" {in_words(f'Watch {experiment.watch}', width - 2)}", "faint")],
        ]


def in_words(text: str, cells: int) -> str:
    """Return a text in at most so many cells: as many whole words as fit, and that `g` shows the rest."""
    if cell_len(text) <= cells:
        return text
    blank = " " * (len(text) - len(text.lstrip()))
    room = max(2, cells - len(MORE) - len(blank))
    return f"{blank}{wrapped(text, room)[0].rstrip(PAUSES)}{MORE}"
