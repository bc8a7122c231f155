"""The table of all terms, by name: what the help explains, and the page “words” lists."""

from bntui.ui.words.around import AROUND
from bntui.ui.words.layers import LAYERS
from bntui.ui.words.statistics import STATISTICS
from bntui.ui.words.term import Term
from bntui.ui.words.training import TRAINING

TERMS: dict[str, Term] = {
    term.name.partition(" (")[0]: term for term in (*STATISTICS, *TRAINING, *LAYERS, *AROUND)
}
"""Every term of every screen by its name, without what stands in brackets."""


def alphabetical() -> list[Term]:
    """Return all terms as in a dictionary; signs come last."""
    return sorted(
        TERMS.values(), key=lambda term: (not term.name[0].isascii(), term.name.casefold())
    )
