"""The keys that open something to read about the run under way, or write it to a file.

What they open is imported by then: the first picture needs none of it.
"""

from functools import partial

from textual.screen import Screen

from bntui.core.command_line import command_line
from bntui.core.run import Command
from bntui.core.snapshot import Snapshot
from bntui.core.watched_words import repeating
from bntui.ui.dialogs.saving import save_and_tell
from bntui.ui.explorer.current_run import CurrentRun
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.past import nearest
from bntui.ui.explorer.scrubbing import Turn, use_row


def open_what_if(screen: Screen[None], current: CurrentRun, turn: Turn) -> None:
    """Open the what-if of the weights at hand, from which knobs can be turned."""
    from bntui.ui.explorer.whatif import WhatIfScreen

    ask = current.run.command
    screen.app.push_screen(
        WhatIfScreen(
            current.snapshot,
            lambda: ask(Command.WHAT_IF),
            lambda row, told: use_row(current, row, turn=turn, told=told),
        )
    )


def open_layer(screen: Screen[None], current: CurrentRun, index: int) -> None:
    """Open the layer in place `index` of the network; the table then marks the one shown last."""
    from bntui.ui.explorer.layer import LayerScreen

    def closed(index: int | None) -> None:
        table = screen.query_one(DriftTable)
        table.chosen = index or 0
        table.repaint()

    ask = current.run.command
    screen.app.push_screen(
        LayerScreen(current.snapshot, lambda: ask(Command.CHANNELS), index), closed
    )


def open_moment(screen: Screen[None], snapshot: Snapshot, update: float) -> None:
    """Open the layers as the last validation up to `update` found them, or say why that can't be."""
    from bntui.ui.explorer.moment import MomentScreen

    found = nearest(snapshot, update)
    if found:
        screen.app.push_screen(MomentScreen(snapshot, found))
    else:
        screen.notify(f"no validation up to update {update:,.0f} was kept with its layers")


def open_verdict(screen: Screen[None], snapshot: Snapshot) -> None:
    """Show the whole verdict, and every measurement behind it."""
    from bntui.ui.dialogs.text_screen import TextScreen
    from bntui.ui.explorer.evidence import why

    screen.app.push_screen(TextScreen("verdict", partial(why, snapshot)))


def open_command_line(screen: Screen[None], snapshot: Snapshot) -> None:
    """Show and copy the command line that repeats this run, or watches it anew, and why it failed if it did."""
    from bntui.ui.dialogs.text_screen import TextScreen

    line = repeating(snapshot.watched) if snapshot.watched else command_line(snapshot)
    screen.app.copy_to_clipboard(line)
    text = f"{line}\n\n{snapshot.traceback}".rstrip()
    screen.app.push_screen(TextScreen("to repeat this run (sent to the clipboard)", text))


def save_data(screen: Screen[None], snapshot: Snapshot) -> None:
    """Write what the charts show to a CSV file."""
    from bntui.store.export.csv_and_json import series_csv

    save_and_tell(screen.app, series_csv(snapshot), "csv")
