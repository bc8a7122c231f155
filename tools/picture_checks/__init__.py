"""Is a screen fit to be shown? Nothing cut, nothing over anything else, no panel that is mostly empty.

The checks look at a running app, not at pixels: there every text is known whole, so what is missing of
it on the screen can be told. `faults` returns a sentence for each thing that is wrong. Tests of the
gallery assert that there is none.
"""

from textual.app import App

from tools.picture_checks.cut import cut_texts
from tools.picture_checks.empty import MUST_BE_FULL, too_empty
from tools.picture_checks.overlap import overlaps

__all__ = ["faults"]


def faults(app: App[None], *, measured: bool = True) -> list[str]:
    """Return what is wrong with the screen that `app` shows now.

    Before anything is `measured` its panels may be empty.
    """
    found = [*cut_texts(app), *overlaps(app)]
    large = app.size.width >= MUST_BE_FULL[0] and app.size.height >= MUST_BE_FULL[1]
    return [*found, *(too_empty(app) if large and measured else ())]
