"""Textual's list of options, without its error in a tiny terminal."""

from contextlib import suppress

from textual.widgets import OptionList


class Options(OptionList):
    """A list that can be paged through where nothing of it is laid out, as in a tiny terminal.

    Textual then looks up the line of an option, of which there is none: a KeyError.
    """

    def action_page_up(self) -> None:
        """Move up a page."""
        with suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down a page."""
        with suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]
