"""What a term of the screen is: its name, a sentence, and a formula that the run's numbers are put into."""

from collections.abc import Callable
from dataclasses import dataclass

from bntui.core.measured import LayerDrift
from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.drift_rows import in_order

NOT_YET = " · not measured yet"
NO_STATISTICS = " · this network keeps no running statistics"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen as a term was asked for."""

    snapshot: Snapshot
    layer: str = ""
    """The name of the layer that is chosen; empty where none is."""
    channel: int | None = None
    """The channel of it that is chosen; None where none is."""

    @property
    def drift(self) -> LayerDrift | None:
        """Drift of the chosen layer, else of the most harmful one; None before it is measured."""
        validation = self.snapshot.validation
        layers = validation.layers if validation else ()
        named = [layer for layer in layers if layer.name == self.layer]
        if named or not layers:
            return named[0] if named else None
        return layers[in_order(self.snapshot)[0]]


@dataclass(frozen=True, slots=True)
class Term:
    """One word or sign of the screen."""

    name: str
    """As the screen writes it; a longer or a shorter form in brackets."""
    sentence: str
    """What it means, in plain English, for a reader who knows what accuracy is."""
    letters: str = ""
    """Its formula."""
    numbers: Callable[[Shown], str] | None = None
    """Returns what follows the formula, with figures that are on the screen as well: " = 0.99^97 = 38 %".
    Nothing where they are not measured yet. None where there are no figures."""
    of_statistics: bool = False
    """Whether there is no such thing in a network without running statistics."""
    role: str = ""
    """In which role of a canvas the name is drawn, as the screen draws what it stands for."""


def figures(term: Term, shown: Shown | None) -> str:
    """Return what follows a term's formula: its numbers, or why there are none.

    `shown` is None on a screen that shows no single run: nothing follows then.
    """
    if shown is None or term.numbers is None:
        return ""
    if term.of_statistics and not shown.snapshot.config.has_statistics:
        return NO_STATISTICS
    return term.numbers(shown) or NOT_YET
