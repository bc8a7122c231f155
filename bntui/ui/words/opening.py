"""Opening the help from any screen: on the words of what has the focus, with the numbers that are shown."""

from dataclasses import replace

from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui import key_table
from bntui.ui.explorer.available_keys import NOT_LED
from bntui.ui.key_lines import HelpLine, ScreenKeys, Section
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
    followed = snapshot is not None and snapshot.followed
    sections = _sections(app.screen, followed=followed)
    app.push_screen(HelpScreen(Content(here, sections, shown), Page(page)))


def _sections(screen: Screen[object], *, followed: bool) -> tuple[Section, ...]:
    """Return the keys of a screen: those that its help shows, or all that it has.

    Where a run is `followed`, without those that would lead it.
    """
    keys: ScreenKeys = KEYS.get(type(screen).__name__, key_table.EXPLORER)
    sections = keys.sections or (Section(keys.name, keys.others),)
    if not followed:
        return sections
    return tuple(replace(one, lines=tuple(filter(_looks, one.lines))) for one in sections)


def _looks(line: HelpLine) -> bool:
    """Tell whether a line of the help has a key that does something with a run that is followed."""
    return (
        bool(line.elsewhere)
        or not line.bindings
        or any(one.id not in NOT_LED for one in line.bindings)
    )


def _layer(node: DOMNode, snapshot: Snapshot) -> str:
    """Return the name of the layer that a widget or its screen has chosen, empty for none."""
    layers = snapshot.validation.layers if snapshot.validation else ()
    for one in node.ancestors_with_self:
        place = getattr(one, "chosen_layer", None)
        if isinstance(place, int) and place < len(layers):
            return layers[place].name
    return ""
