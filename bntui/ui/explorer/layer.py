"""One BN layer in detail, of the run under way or of a moment of its past."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui import key_table
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.drawing.channel_strips import worst_first
from bntui.ui.explorer.available_keys import why_not
from bntui.ui.explorer.channel import ChannelScreen
from bntui.ui.explorer.layer_picture import WORST_WIDTH, LayerShown, picture
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine
from bntui.ui.widgets.wheel import WheelMoves


class Layer(Canvas):
    """The whole picture of one layer."""

    COMPONENT_CLASSES = {"canvas--chosen"}
    DEFAULT_CSS = """
    Layer { height: 1fr; background: $background; }
    Layer > .canvas--chosen { text-style: reverse; }
    """

    @dataclass
    class Pointed(Message):
        """The user points at a channel."""

        channel: int

    _snapshot = Snapshot()
    _index = 0
    _channel: int | None = None
    _past = False

    def show(self, snapshot: Snapshot, index: int, channel: int | None, *, past: bool) -> None:
        """Show a layer of `snapshot`'s last validation, with one channel chosen."""
        old, before = self._snapshot, (self._index, self._channel)
        self._snapshot, self._index, self._channel = snapshot, index, channel
        self._past = past
        same = (
            before == (index, channel)
            and old.validation is snapshot.validation
            and old.exchanges is snapshot.exchanges
            and old.channel_exchanges is snapshot.channel_exchanges
            and old.layers_waiting is snapshot.layers_waiting
            and old.knobs == snapshot.knobs
        )
        if not same:
            self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Choose the channel whose row is under the pointer."""
        offset = event.get_content_offset(self)
        line = self.render_line(offset.y).text if offset else ""
        found = re.match(r" +(\d+): ", line)
        if found and offset and offset.x < WORST_WIDTH:
            self.post_message(self.Pointed(int(found[1])))

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture, or a line saying why there is none."""
        validation = self._snapshot.validation
        if validation is None:
            return [[(" waiting for the first validation", "faint")]]
        if self._index >= len(validation.layers):
            return [[(" this network has no batch norm, so nothing can drift", "faint")]]
        shown = LayerShown(self._snapshot, validation, self._index, self._channel, self._past)
        return picture(shown, width, height, self.glyphs)


class LayerScreen(WheelMoves, Screen[int]):
    """Shows one layer; closes with the index of the layer that was shown last."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.LAYER.bindings()]

    def __init__(self, snapshot: Snapshot, ask: Callable[[], None] | None, index: int) -> None:
        """`ask` has the run's `channel_exchanges` measured anew; None for a moment of the past.

        `index` is the layer's place in the network.
        """
        super().__init__()
        self.index = index
        self.channel: int | None = None
        """The channel that was chosen; the worst one until then."""
        self._snapshot = snapshot
        self._ask = ask

    @on(Layer.Pointed)
    def _point(self, event: Layer.Pointed) -> None:
        order, place = self._order()
        if order and event.channel == order[place]:
            self.action_open()
        else:
            self.channel = event.channel
            self._draw()

    @property
    def chosen_layer(self) -> int:
        """The place of the layer whose numbers the help puts into formulas."""
        return self.index

    @property
    def then(self) -> Snapshot | None:
        """The moment of the past that is shown, if it is one."""
        return None if self._ask else self._snapshot

    def compose(self) -> ComposeResult:
        """Lay out the picture, and the keys."""
        yield StatusLine()
        yield Layer()
        yield MessageLines()
        shown = key_table.LAYER.shown()
        asks = self._ask and not self._snapshot.followed
        yield KeyLine(shown if asks else [one for one in shown if one.key != "w"])

    def on_mount(self) -> None:
        """Ask, and show what there is."""
        if self._ask and not self._snapshot.followed:
            self.action_measure()
        self._draw()

    def action_go(self, by: int) -> None:
        """Show the next layer (1) or the previous one (−1); around the ends."""
        validation = self._snapshot.validation
        if validation and validation.layers:
            self.index = (self.index + by) % len(validation.layers)
            self.channel = None
        self._draw()

    def action_move(self, by: int) -> None:
        """Choose the next channel (1) or the one before (−1), from the worst on."""
        order, place = self._order()
        if order:
            self.channel = order[min(max(place + by, 0), len(order) - 1)]
            self._draw()

    def action_open(self) -> None:
        """Show the arithmetic of the chosen channel."""
        order, place = self._order()
        if order:
            screen = ChannelScreen(self._snapshot, self.index, order[place], live=bool(self._ask))
            self.app.push_screen(screen)

    def action_measure(self) -> None:
        """Have the channels of the layers measured with the weights of now."""
        validation = self._snapshot.validation
        if self._ask is None:
            self.notify("this is a moment of the past: what channels do was not measured")
        elif reason := why_not("measure", self._snapshot):
            self.notify(reason)
        elif validation and validation.layers:
            self._ask()

    def action_close(self) -> None:
        """Return the index of the layer."""
        self.dismiss(self.index)

    def show(self, snapshot: Snapshot) -> None:
        """Show the layer as it is in `snapshot`; a moment of the past stays as it is."""
        if self._ask:
            self._snapshot = snapshot
            self._draw()

    def _draw(self) -> None:
        order, place = self._order()
        channel = order[place] if order else None
        self.query_one(Layer).show(self._snapshot, self.index, channel, past=self._ask is None)

    def _order(self) -> tuple[list[int], int]:
        """Return the channels from the worst on, and the place of the chosen one."""
        validation = self._snapshot.validation
        if validation is None or self.index >= len(validation.layers):
            return [], 0
        order = worst_first(validation.layers[self.index].detail)
        return order, order.index(self.channel) if self.channel in order else 0
