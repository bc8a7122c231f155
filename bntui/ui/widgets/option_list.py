"""Textual's list of options, without its error in a tiny terminal."""

from contextlib import suppress

from textual.events import Click
from textual.widgets import OptionList


class Options(OptionList):
    """A list in which a click chooses, and another one on the chosen line opens it.

    It can be paged through where nothing of it is laid out, as in a tiny terminal: Textual then looks
    up the line of an option, of which there is none, a KeyError.
    """

    async def _on_click(self, event: Click) -> None:
        """Choose what was clicked; take it if it was chosen already. Textual would always take it."""
        event.prevent_default()
        clicked = event.style.meta.get("option")
        if clicked is None:
            return
        if clicked == self.highlighted:
            self.action_select()
        else:
            self.highlighted = clicked

    def action_page_up(self) -> None:
        """Move up a page."""
        with suppress(KeyError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        """Move down a page."""
        with suppress(KeyError):
            super().action_page_down()  # type: ignore[no-untyped-call]
