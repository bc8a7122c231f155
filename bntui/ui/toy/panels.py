"""The parts of the toy's screen: lines on top, momenta, the channel, the arithmetic, what came of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from textual import events
from textual.message import Message

from bntui.core.scales import YRange, grown
from bntui.core.series import Series
from bntui.core.text import exact, percent
from bntui.core.toy import MOMENTA, USUAL, Batch, Statistics, Toy, share_right
from bntui.diagnose.headline import fitting
from bntui.diagnose.headline_words import Line as Said
from bntui.ui.drawing.axes import AXIS, x_axis, y_axis
from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.drawing.plot import Line, plot
from bntui.ui.drawing.view import Axis
from bntui.ui.explorer.headline import MARGIN, MARKS, ROLES
from bntui.ui.terminal.glyphs import DOTS, Glyphs
from bntui.ui.toy.bells import ONE, ZERO, channel_picture
from bntui.ui.toy.lesson import Lesson, caption
from bntui.ui.toy.words import arithmetic, number, verdict

MOMENTUM_CELLS = (7, 5)
"""Cells of a momentum on its ladder, in much room and in little."""
LADDER_LABEL = " momentum ◂ "
TITLES = (
    "the mechanism: one channel, eight values a batch",
    "one channel, eight values a batch",
    "one channel",
)
MEANS = YRange(-1.0, 6.0)
"""The range of the channel's mean in its chart."""
RIGHT = YRange(0.4, 1.0)
"""The range of accuracies: half are right by chance."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the screen shows, at one moment."""

    toy: Toy = field(default_factory=Toy)
    momentum: float = USUAL
    lesson: Lesson = field(default_factory=Lesson)
    falling: Batch | None = None
    fallen: float = 0.0
    """How far it has come."""
    paused: bool = False
    still: bool = False
    """Whether the weights stand still."""
    pace: float = 2.0
    """Batches a second."""


class Part(Canvas):
    """Draws something of what is shown."""

    shown = Shown()

    def take(self, shown: Shown) -> None:
        """Show another moment."""
        self.shown = shown
        self.repaint()


class Top(Part):
    """One line: what this is, and how it goes."""

    DEFAULT_CSS = "Top { height: 1; background: $panel; }"

    def draw(self, width: int, height: int) -> Picture:
        """Return the line; what finds no room is left out, whole."""
        shown = self.shown
        parts = (
            "‖ paused" if shown.paused else "▶ running",
            f"update {shown.toy.update:,}",
            "weights stand still" if shown.still else "weights learn",
            f"{shown.pace:g} batch{'es' * (shown.pace != 1)} a second",
        )
        right = fitting(tuple(" · ".join(parts[:count]) for count in (4, 3, 2)), width - 40)
        left = fitting(TITLES, width - len(right) - 10)
        space = " " * max(1, width - len(" bntui ") - len(left) - len(right) - 1)
        return [[(" bntui ", "strong"), (left, "faint"), (space, ""), (right, "plain")]]


class Sentences(Part):
    """Three lines that stand still: what validation gets, why, and what to do."""

    DEFAULT_CSS = "Sentences { height: 3; }"

    leaves: Said = ("esc leaves",)

    def draw(self, width: int, height: int) -> Picture:
        """Return a row a sentence, each as long as fits."""
        shown = self.shown
        tone, what, why = verdict(shown.toy, shown.momentum)
        do = caption(shown.lesson, shown.toy, shown.momentum, self.leaves)
        role, room, below = f"{ROLES[tone]} strong", width - MARGIN, " " * MARGIN
        return [
            [(f" {MARKS[tone]} ", role), (fitting(what, room), role)],
            [(below, ""), (fitting(why, room), "")],
            [(below, ""), (fitting(do, room), "fresh")],
        ]


class Ladder(Part):
    """The momenta to choose from, and what each would have got; a click chooses one."""

    DEFAULT_CSS = "Ladder { height: 2; }"

    @dataclass
    class Chosen(Message):
        """A momentum was clicked."""

        momentum: float

    def draw(self, width: int, height: int) -> Picture:
        """Return the momenta, the chosen one in brackets, and below each its accuracy."""
        shown, size = self.shown, self._cells(width)
        row: Row = [(LADDER_LABEL, "")]
        for momentum in MOMENTA:
            text = exact(momentum).removeprefix("0.") if momentum else "0"
            text = f".{text}" if momentum else text
            chosen = momentum == shown.momentum
            if chosen:
                row.append((f"[{text}]".center(size), "running strong"))
            else:
                row.append((text.center(size), "plain"))
        row.append((" ▸", ""))
        if height < 2:
            return [row]
        would: Row = [(" would get  ", "faint")]
        for momentum, statistics in zip(MOMENTA, shown.toy.ladder, strict=True):
            right = percent(share_right(shown.toy, statistics))
            would.append((right.center(size), "plain" if momentum == shown.momentum else "faint"))
        told = " right, had it been used from the start"
        if width >= len(LADDER_LABEL) + size * len(MOMENTA) + len(told) + 1:
            would.append((told, "faint"))
        return [row, would]

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        place = (event.x - len(LADDER_LABEL)) // self._cells(self.size.width)
        if event.x >= len(LADDER_LABEL) and place < len(MOMENTA):
            self.post_message(self.Chosen(MOMENTA[place]))

    def _cells(self, width: int) -> int:
        wide, narrow = MOMENTUM_CELLS
        return wide if width >= len(LADDER_LABEL) + wide * len(MOMENTA) + 2 else narrow


class ChannelPanel(Part):
    """The channel's values: the batch, the fresh curve and the remembered one."""

    def on_mount(self) -> None:
        """Say what drops in; in ASCII a 0 and a 1 are drawn as such."""
        zero, one = "01" if self.glyphs is Glyphs.ASCII else (ZERO, ONE)
        self.border_title = (
            f"one channel: batches of eight values drop in, {zero} of images of a 0, {one} of a 1"
        )

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture."""
        shown = self.shown
        return channel_picture(
            shown.toy,
            width,
            height,
            falling=shown.falling,
            fallen=shown.fallen,
            glyphs=self.glyphs,
        )


class ArithmeticPanel(Part):
    """The formula with the numbers of the last update."""

    BORDER_TITLE = "arithmetic of the last update"

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines."""
        plain = self.glyphs is Glyphs.ASCII
        return arithmetic(self.shown.toy, self.shown.momentum, width, height, plain=plain)


class PastPanel(Part):
    """One quantity over the updates, with fresh and with running statistics."""

    def __init__(
        self,
        title: str,
        y: YRange,
        read: Callable[[Toy, Statistics], float],
        *,
        id: str,  # noqa: A002
    ) -> None:
        """`read` returns the quantity with some statistics."""
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._y = y
        self._read = read
        self.forget()

    def forget(self) -> None:
        """Begin again without a past."""
        self._with_fresh, self._with_running = Series(512), Series(512)

    def add(self, toy: Toy) -> None:
        """Take note of the state after an update."""
        self._with_fresh.append(toy.update, self._read(toy, toy.fresh))
        self._with_running.append(toy.update, self._read(toy, toy.running))

    def draw(self, width: int, height: int) -> Picture:
        """Return the chart."""
        lines = (
            Line("fresh", "fresh", self._with_fresh.view()),
            Line("running", "running", self._with_running.view()),
        )
        return history(lines, width, height, self._y, self.glyphs)


def history(
    lines: tuple[Line, ...], width: int, height: int, y: YRange, glyphs: Glyphs = Glyphs.BRAILLE
) -> Picture:
    """Draw lines over updates, their names and latest values above and the x axis below."""
    columns, rows = width - AXIS - 1, height - 2
    if columns < 2 or rows < 1:
        return []
    across, up = DOTS[glyphs]
    end = grown(max((float(line.view.x[-1]) for line in lines if len(line.view)), default=0.0))
    dots = plot(lines, width=columns, height=rows, x_low=0.0, x_high=end, y=y, glyphs=glyphs)
    names: Row = [(" ", "")]
    for line in lines:
        value = line.view.latest
        written = percent(value) if y is RIGHT else number(value, 2)
        names += [(f"{line.label} {'' if math.isnan(value) else written}  ", line.style)]
    below = x_axis(columns, 0.0, end, Axis.UPDATES, (), across)
    return [
        names,
        *([(tick, "axis"), *row] for tick, row in zip(y_axis(y, rows, up), dots, strict=True)),
        [(" " * AXIS, ""), *below],
    ]
