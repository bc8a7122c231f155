"""Textual's command palette, mended."""

from contextlib import suppress

from textual.command import CommandPalette


class Palette(CommandPalette):
    """A palette whose list can be paged through before it is laid out."""

    def _action_command_list(self, action: str) -> None:
        # Page up and down look up the line of an option, of which there is none yet: a KeyError.
        with suppress(KeyError):
            super()._action_command_list(action)
