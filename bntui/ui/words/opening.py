"""Opening the help from any screen: on the words of what has the focus, with the numbers that are shown."""

from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui import key_table
from bntui.ui.key_lines import ScreenKeys, Section
from bntui.ui.words.help_screen import Content, HelpScreen, Page
from bntui.ui.words.places import KEYS, places
from bntui.ui.words.term import Shown


def open_help(app: App[None], snapshot: Snapshot | None, page: int = Page.HERE) -> None:
    """Open a page of the help over the screen in front.

    `snapshot` is what is shown of the run under way, None where there is none. A screen of a moment of
    its past has that as `then`, one that shows a channel of a layer its number as `channel`.
    """
    snapshot = getattr(app.screen, "then", None) or snapshot
    node = app.screen.focused or app.screen
    here = places(node)
    of_this_run = snapshot is not None and all(place.of_this_run for place in here)
    channel = getattr(app.screen, "channel", None)
    shown = Shown(snapshot, _layer(node, snapshot), channel) if snapshot and of_this_run else None
    app.push_screen(HelpScreen(Content(here, _sections(app.screen), shown), Page(page)))


def _sections(screen: Screen[object]) -> tuple[Section, ...]:
    """Return the keys of a screen: those that its help shows, or all that it has."""
    keys: ScreenKeys = KEYS.get(type(screen).__name__, key_table.EXPLORER)
    return keys.sections or (Section(keys.name, keys.others),)


def _layer(node: DOMNode, snapshot: Snapshot) -> str:
    """Return the name of the layer that a widget or its screen has chosen, empty for none."""
    layers = snapshot.validation.layers if snapshot.validation else ()
    for one in node.ancestors_with_self:
        place = getattr(one, "chosen_layer", None)
        if isinstance(place, int) and place < len(layers):
            return layers[place].name
    return ""
