"""The toy: one channel of batch norm, seen batch by batch.

The state is `core.toy.Toy`; the screen has a clock, keys, and what they change. It trains no network and
knows no run: over the explorer the run goes on.
"""

from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Label

from bntui.core.toy import MOMENTA, Toy, next_batch, recalibrate, share_right, step
from bntui.diagnose.headline_words import Line
from bntui.ui import course_keys
from bntui.ui.terminal import capabilities
from bntui.ui.toy.lesson import (
    MOVING,
    RECALIBRATED,
    STILL,
    Lesson,
    after,
    anew,
    memory,
)
from bntui.ui.toy.panels import (
    MEANS,
    RIGHT,
    ArithmeticPanel,
    ChannelPanel,
    Ladder,
    Part,
    PastPanel,
    Sentences,
    Shown,
    Top,
)
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines

FULL, WIDE, SMALLEST = (116, 34), 160, (60, 16)
"""Columns and rows from which on panels have borders; columns for two charts; columns and rows needed."""
BARE = (76, 20)
"""Columns and rows below which there is no chart and no title."""
FRAMES_PER_SECOND = 8.0
"""Pictures a second, at most."""
PACES = (1.0, 2.0, 4.0, 16.0)
"""Batches a second to choose from."""
SAID = {
    ("pause", True): ("go on",),
    ("pause", False): ("pause",),
    ("weights", True): ("weights learn",),
    ("weights", False): ("weights stand still",),
}
"""What the keys of two commands do: whether the toy is paused, whether the weights stand still."""


class ToyScreen(Screen[None]):
    """Closes with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*course_keys.TOY.bindings()]
    DEFAULT_CSS = """
    ToyScreen {
        layout: vertical;
        MessageLines { height: 1; }
        ChannelPanel { height: 1fr; }
        #below { height: 11; }
        ArithmeticPanel { width: 62; }
        #right-answers, #means { width: 1fr; }
        #means, #too-small { display: none; }
        &.-wide #means { display: block; }
        &.-compact {
            Ladder { height: 1; }
            #below { height: 8; }
            ArithmeticPanel { width: 50; }
        }
        &.-bare {
            #below { height: 2; }
            ArithmeticPanel { width: 1fr; }
            #right-answers { display: none; }
        }
        &.-tiny {
            Top, Sentences, Ladder, ChannelPanel, #below, MessageLines, KeyLine { display: none; }
            #too-small { display: block; }
        }
    }
    """

    def __init__(
        self,
        leaves: Line,
        *,
        seed: int = 0,
        frames_per_second: float | None = None,
        ticks: bool = True,
    ) -> None:
        """`leaves` says what esc does here, the longest way first.

        Without `frames_per_second` there are as many as suit the terminal. Unless it `ticks`, whoever
        opens it calls `frame`.
        """
        super().__init__()
        self._leaves = leaves
        most = capabilities.updates_per_second() if frames_per_second is None else frames_per_second
        self._frames = min(most, FRAMES_PER_SECOND)
        self.now = Shown(Toy(seed=seed), pace=1.0 if self._frames < FRAMES_PER_SECOND else 2.0)
        """What is on the screen."""
        self._ticks = ticks
        self._frame = 0
        """Frames since the batch that falls began to."""
        self._single = False
        """Whether the run pauses again after one batch."""

    def compose(self) -> ComposeResult:
        """Lay out the parts."""
        self._arrange(self.app.size)
        yield Top()
        yield (sentences := Sentences())
        sentences.leaves = self._leaves
        yield Ladder()
        yield ChannelPanel(classes="panel")
        with Horizontal(id="below"):
            yield ArithmeticPanel(classes="panel")
            yield PastPanel("right answers", RIGHT, share_right, id="right-answers")
            yield PastPanel("the mean", MEANS, lambda _, one: one.mean, id="means")
        yield Label(
            f"the toy needs {SMALLEST[0]} columns and {SMALLEST[1]} rows: please enlarge the terminal.",
            id="too-small",
        )
        yield MessageLines()
        yield KeyLine(course_keys.TOY.shown())

    def on_mount(self) -> None:
        """Show the start, and let batches drop."""
        self._tell()
        self.set_interval(1 / self._frames, self.frame, pause=not self._ticks)

    def on_resize(self, event: events.Resize) -> None:
        """Choose the arrangement that fits."""
        self._arrange(event.size)

    def _arrange(self, size: Size) -> None:
        width, height = size
        full = width >= FULL[0] and height >= FULL[1]
        tiny = width < SMALLEST[0] or height < SMALLEST[1]
        bare = not tiny and (width < BARE[0] or height < BARE[1])
        self.update_classes(
            {
                "-wide": full and width >= WIDE,
                "-compact": not full,
                "-bare": bare,
                "-tiny": tiny,
            }
        )

    def frame(self) -> None:
        """Go on by one picture: a batch falls further, or lands and is learned from."""
        now = self.now
        if now.paused and not self._single:
            return
        self._frame += 1
        each, batches = self._rhythm()
        if self._frame < each:
            if batches == 1:
                falling, fallen = next_batch(now.toy), (self._frame - 1) / (each - 1)
                self.now = replace(now, falling=falling, fallen=fallen)
                self.query_one(ChannelPanel).take(self.now)
            return
        for _ in range(1 if self._single else batches):
            self._land()
        self._single = False
        self._tell()

    def _rhythm(self) -> tuple[int, int]:
        """Return in how many pictures batches drop, two at least, and how many batches that are."""
        each = max(2, round(self._frames / self.now.pace))
        return each, max(1, round(each * self.now.pace / self._frames))

    def _land(self) -> None:
        now = self.now
        toy = step(now.toy, now.momentum, pace=0.0 if now.still else 1.0)
        lesson = after(now.lesson, toy, now.momentum)
        self.now = replace(now, toy=toy, lesson=lesson, falling=None)
        self._frame = 0
        for panel in self.query(PastPanel):
            panel.add(toy)

    def _tell(self) -> None:
        """Show everything anew."""
        now = self.now
        toggled = {"pause": now.paused, "weights": now.still}
        with self.app.batch_update():
            for part in self.query(Part):
                part.take(now)
            self.query_one(MessageLines).show_hint(memory(now.momentum))
            self.query_one(KeyLine).show(
                said=lambda command: SAID.get((command, toggled.get(command, False)), ()),
                hidden=lambda _: False,
            )

    def _change(self, **changes: Any) -> None:
        """Change something of what is shown."""
        now = replace(self.now, **changes)
        self.now = replace(now, lesson=after(now.lesson, now.toy, now.momentum))
        self._tell()

    def action_momentum(self, by: int) -> None:
        """Choose the next momentum (1) or the one before (−1)."""
        place = MOMENTA.index(self.now.momentum) + by
        if 0 <= place < len(MOMENTA):
            self._choose(MOMENTA[place])

    @on(Ladder.Chosen)
    def _clicked(self, event: Ladder.Chosen) -> None:
        self._choose(event.momentum)

    def _choose(self, momentum: float) -> None:
        self._change(momentum=momentum)

    def action_speed(self, by: int) -> None:
        """Let more batches drop in a second, or fewer."""
        place = PACES.index(self.now.pace) + by
        self._change(pace=PACES[min(max(place, 0), len(PACES) - 1)])

    def action_go_or_pause(self) -> None:
        """Stop dropping batches, or go on."""
        self._change(paused=not self.now.paused)

    def action_drop(self) -> None:
        """Let one batch drop, and no other."""
        self._single = True
        self._change(paused=True)

    def action_weights(self) -> None:
        """Have the weights stand still, or learn on."""
        still = not self.now.still
        self._change(still=still)
        self.notify(STILL if still else MOVING)

    def action_take_fresh(self) -> None:
        """Take the statistics of all training values."""
        self._change(toy=recalibrate(self.now.toy))
        self.notify(RECALIBRATED)

    def action_begin_again(self) -> None:
        """Begin again with the same batches, and the momentum of now."""
        now = self.now
        for panel in self.query(PastPanel):
            panel.forget()
        self._frame = 0
        self._change(toy=Toy(seed=now.toy.seed), lesson=Lesson(now.lesson.step), falling=None)
        self.notify(anew(now.momentum))

    def action_leave_toy(self) -> None:
        """Go back to what is under the toy, or end the program if there is nothing."""
        if len(self.app.screen_stack) > 1:
            self.dismiss(None)
        else:
            self.app.exit()
