"""Textual's command palette, without its error before its list is laid out."""

from contextlib import suppress

from textual.command import CommandPalette


class Palette(CommandPalette):
    """A palette whose list can be paged through before it is laid out."""

    def _action_command_list(self, action: str) -> None:
        # As in `Options`, and the list is made by Textual.
        with suppress(KeyError):
            super()._action_command_list(action)
