"""Notices of the app, and the lines above the keys that show them. They cover nothing, unlike toasts."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bntui.core.cells import wrapped
from bntui.ui.drawing.canvas import Canvas, Picture

SECONDS = 5.0
"""How long a short notice stays."""
SECONDS_A_CHARACTER = 0.07
"""How long a long notice stays, by its length: some 14 characters a second are read with ease."""
TOGETHER = 0.05
"""Seconds within which two notices are told as one."""
LOOKS = {"information": ("", "plain"), "warning": ("! ", "running"), "error": ("× ", "bad")}
"""The mark of a notice by its severity, and its role."""
SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: what it says, how severe it is, and from when until when it is shown."""

    text: str
    severity: str
    since: float
    until: float


class NoticeBoard:
    """The notices that still stand. The newest is shown; an older one again after it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._notices: list[Notice] = []

    def add(self, text: str, severity: str = "information", seconds: float | None = None) -> None:
        """Tell `text`, for so many seconds, or as long as it takes to read. What stands is not told twice."""
        now = self._clock()
        self._notices = [notice for notice in self._notices if notice.until > now]
        if any(notice.text == text for notice in self._notices):
            return
        until = now + (seconds or max(SECONDS, SECONDS_A_CHARACTER * len(text)))
        last = self._notices[-1] if self._notices else None
        if last and now - last.since < TOGETHER and last.severity == severity:
            joined = f"{last.text}{SEPARATOR}{text}"
            longest = max(until, now + SECONDS_A_CHARACTER * len(joined))
            self._notices[-1] = replace(last, text=joined, until=longest)
        else:
            self._notices.append(Notice(text, severity, now, until))

    def clear(self) -> None:
        """Take all notices away."""
        self._notices = []

    @property
    def standing(self) -> list[str]:
        """What is told at the moment, the oldest first, shown or waiting to be shown again."""
        return [notice.text for notice in self._notices if notice.until > self._clock()]

    @property
    def shown(self) -> Notice | None:
        """The notice to show now."""
        now = self._clock()
        return next((notice for notice in reversed(self._notices) if notice.until > now), None)

    @property
    def seconds_left(self) -> float:
        """How long the shown notice stays from now on; 0 if there is none."""
        notice = self.shown
        return max(0.0, notice.until - self._clock()) if notice else 0.0


class MessageLines(Canvas):
    """The newest notice, and below it a hint; a notice that needs more room takes that of the hint."""

    DEFAULT_CSS = "MessageLines { height: 1; }"

    _notice: Notice | None = None
    _page = 0
    _hint = ""
    _whole = False

    def on_mount(self) -> None:
        """Show the notice that stands already; every app of bntui has a board for them."""
        super().on_mount()
        board = getattr(self.app, "notices", None)
        if isinstance(board, NoticeBoard):
            self.show_notice(board.shown)

    def show_notice(self, notice: Notice | None) -> None:
        """Show a notice, from its beginning; None for none."""
        if notice is not self._notice:
            self._notice, self._page = notice, 0
            self.repaint()

    def show_hint(self, hint: str, *, whole: bool = False) -> None:
        """Show what the focused widget's value means: what fits in one line, or `whole` in all lines."""
        self._hint, self._whole = hint, whole
        self.repaint()

    def turn_page(self) -> None:
        """Show the next part of a notice that is longer than the lines."""
        self._page += 1
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the lines."""
        notice = self._notice
        hint = self._hint_lines(width, height if notice is None else 1)
        if notice is None:
            return [*([[]] * (height - len(hint))), *hint]
        mark, role = LOOKS[notice.severity]
        lines = wrapped(f"{mark}{notice.text}", max(8, width - 2))
        pages = [lines[first : first + height] for first in range(0, len(lines), height)]
        shown: Picture = [[(f" {line}", role)] for line in pages[self._page % len(pages)]]
        return [*shown, *hint] if len(lines) < height else shown

    def _hint_lines(self, width: int, height: int) -> Picture:
        """Return the hint, in one line unless all of it is to be read."""
        parts = [whole_parts(self._hint, width - 1)]
        lines = wrapped(self._hint, width - 2)[:height] if self._whole else parts
        return [[(f" {line}", "faint")] for line in lines]


def whole_parts(text: str, width: int) -> str:
    """Return as many of the parts between the dots of `text` as fit into `width`; one at least.

    Of a first part that does not fit, as many words as do.
    """
    while len(text) > width and SEPARATOR in text:
        text = text.rpartition(SEPARATOR)[0]
    if len(text) <= width:
        return text
    return next(iter(wrapped(text, max(width, len(text.split()[0])))))
