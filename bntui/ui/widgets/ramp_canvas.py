"""Canvases that show values as shades: colours of the ramp, or characters where there are too few colours."""

from typing import ClassVar

from bntui.ui.drawing.ramp import CHARACTERS, HEAT, SOLID, colours, sixteen
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.focus_canvas import FocusCanvas

LEGEND_CELLS = 10
"""Cells of the ramp in a title, where colours are the shades."""


class RampCanvas(FocusCanvas):
    """A canvas with a role for each shade: `HEAT` and its level."""

    solid: ClassVar[str] = SOLID
    """What stands for each shade in the picture where colours tell them apart."""

    def on_mount(self) -> None:
        """Take other colours with another theme."""
        super().on_mount()
        self.app.theme_changed_signal.subscribe(self, lambda _: self.take_colours())

    def take_colours(self) -> None:
        """Show what depends on the theme anew."""

    @property
    def ramp(self) -> str:
        """What stands for each shade, from the worst to the best."""
        few = self.app.no_color or self.has_class("-sixteen") or self.glyphs is Glyphs.ASCII
        return CHARACTERS[self.glyphs] if few else self.solid

    def colour(self, level: int) -> str:
        """Return the colour of a shade under the theme of now; empty without colours."""
        if self.app.no_color:
            return ""
        dark, steps = self.app.current_theme.dark, len(self.ramp)
        if self.has_class("-sixteen"):
            return sixteen(level, steps, dark=dark)
        return colours(dark=dark, steps=steps)[level]

    def legend(self) -> list[tuple[str, str]]:
        """Return the ramp as a title has it, from end to end: cells, each with its colour."""
        ramp = self.ramp
        if ramp != self.solid:
            return [(character, self.colour(level)) for level, character in enumerate(ramp)]
        last = len(ramp) - 1
        levels = [round(last * cell / (LEGEND_CELLS - 1)) for cell in range(LEGEND_CELLS)]
        return [(SOLID[level], self.colour(level)) for level in levels]


def shade_of(role: str) -> tuple[str, int | None]:
    """Return a role without its shade, and the shade's level; None if it has none."""
    names = role.split()
    heat = next((name for name in names if name.startswith(HEAT)), "")
    rest = " ".join(name for name in names if name != heat)
    return rest, int(heat.removeprefix(HEAT)) if heat else None
