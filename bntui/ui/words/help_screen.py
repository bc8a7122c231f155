"""The help: the words of the panel with the focus, the keys, all words, and the thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size

from bntui.ui import dialog_keys
from bntui.ui.dialogs.dialog import Dialog
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.key_lines import Section
from bntui.ui.terminal.glyphs import fit
from bntui.ui.words import thread
from bntui.ui.words.followed import belongs
from bntui.ui.words.page import Part, keys_page, next_word, terms_page, text_page
from bntui.ui.words.places import Place
from bntui.ui.words.term import Shown
from bntui.ui.words.terms import TERMS, alphabetical

AIRY = 28
"""Rows from which on there is an empty line between two terms."""


class Page(IntEnum):
    """The pages, by the keys that open them."""

    HERE = 1
    KEYS = 2
    WORDS = 3
    THREAD = 4


NAMES = {
    Page.HERE: "this panel",
    Page.KEYS: "keys",
    Page.WORDS: "all words",
    Page.THREAD: "the thread",
}


@dataclass(frozen=True, slots=True)
class Content:
    """What the help is to tell."""

    places: Sequence[Place]
    """Where the focus was, the innermost place first."""
    sections: Sequence[Section]
    """Of keys."""
    shown: Shown | None
    """What the screen shows of the run under way; None where it shows something else."""

    @property
    def title(self) -> str:
        """From when the numbers are: of the run, and of its last validation, which most are of."""
        if self.shown is None:
            return "help"
        snapshot, validation = self.shown.snapshot, self.shown.snapshot.validation
        validated = f" · validated at {validation.update:,}" if validation else ""
        return f"help · numbers of update {snapshot.update:,}{validated}"

    @property
    def parts(self) -> list[Part]:
        """The places with their terms; each term once, where it comes first."""
        told: set[str] = set()
        parts = []
        for place in self.places:
            here = (name for name in place.terms if belongs(name, self.shown))
            names = [name for name in here if name not in told]
            told.update(names)
            if names or place.about:
                parts.append(Part(place.title, [TERMS[name] for name in names], place.about))
        return parts


class HelpScreen(Dialog[None]):
    """Tells what words mean with the numbers of the moment it was opened; the run goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_keys.HELP.bindings()]

    def __init__(self, content: Content, page: Page = Page.HERE) -> None:
        super().__init__()
        self._content = content
        self._page = page

    def compose(self) -> ComposeResult:
        """Lay out the names of the pages, and the page."""
        with Scrolled(classes="box") as box:
            box.border_title = fit(self.app, self._content.title)
            box.border_subtitle = fit(self.app, "← → page · ↑ ↓ read on · a – z find · esc closes")
            yield Names()
            yield PageText(self._content)

    def on_mount(self) -> None:
        """Open the first page."""
        self.query_one(Scrolled).focus()
        self.action_page(self._page)

    def action_page(self, number: int) -> None:
        """Open a page, from its beginning."""
        self._page = Page(number)
        self.query_one(Names).show(self._page)
        self.query_one(PageText).show(self._page)
        self.query_one(Scrolled).scroll_home(animate=False)

    def action_read(self, lines: int) -> None:
        """Read on by so many lines, or back; as far as there is something."""
        self.query_one(Scrolled).scroll_relative(y=lines, animate=False)

    def action_read_page(self, pages: int) -> None:
        """Read on by so many screenfuls, or back; a line of the one before stays in sight."""
        rows = self.query_one(Scrolled).size.height - self.query_one(Names).size.height
        self.action_read(pages * max(1, rows - 1))

    def on_key(self, event: events.Key) -> None:
        """Go to the next word that begins with the letter that was typed."""
        if event.character and event.character.isalpha():
            text, box = self.query_one(PageText), self.query_one(Scrolled)
            row = next_word(text.draw(text.size.width, 0), event.character, round(box.scroll_y))
            if row is not None:
                event.stop()
                box.scroll_to(y=row, animate=False)

    def action_turn(self, by: int) -> None:
        """Open the next page (1) or the one before (−1); around the ends."""
        self.action_page((self._page - 1 + by) % len(Page) + 1)


class Scrolled(VerticalScroll, inherit_bindings=False):
    """A box without keys of its own: the screen's scroll at once, where Textual's glide."""


class Names(Canvas):
    """The names of the pages with their keys; a click opens one."""

    DEFAULT_CSS = "Names { dock: top; height: 1; background: $surface; }"

    _page = Page.HERE

    def show(self, page: Page) -> None:
        """Mark the page that is open."""
        self._page = page
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the names in a row."""
        return [
            [(text, "strong" if page is self._page else "faint") for text, page in self._texts()]
        ]

    def on_click(self, event: events.Click) -> None:
        """Open the page under the mouse."""
        left = 0
        for text, page in self._texts():
            left += len(text)
            if event.x < left:
                screen = self.screen
                if isinstance(screen, HelpScreen):
                    screen.action_page(page)
                return

    def _texts(self) -> list[tuple[str, Page]]:
        return [
            (f"{'▸' if page is self._page else ' '}{page:d} {NAMES[page]} ", page) for page in Page
        ]


class PageText(Canvas):
    """The page that is open, as long as it is."""

    DEFAULT_CSS = "PageText { height: auto; background: $surface; }"

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content
        self._page = Page.HERE

    def show(self, page: Page) -> None:
        """Show another page."""
        self._page = page
        self.drawn = None
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows the page takes."""
        return len(self.draw(width, 0))

    def draw(self, width: int, height: int) -> Picture:
        """Return the whole page; nothing touches the scrollbar."""
        content, airy = self._content, self.app.size.height >= AIRY
        width = max(8, width - 1)
        match self._page:
            case Page.HERE:
                return terms_page(content.parts, content.shown, width, airy=airy)
            case Page.KEYS:
                return keys_page(content.sections, width)
            case Page.WORDS:
                every = [Part("all words", alphabetical())]
                return terms_page(every, content.shown, width, airy=airy)
            case Page.THREAD:
                return text_page("the forum thread", thread.paragraphs(), width)
