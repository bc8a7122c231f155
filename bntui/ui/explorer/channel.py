"""One channel of a BN layer, down to the arithmetic: the screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui import key_table
from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.drawing.channel_strips import worst_first
from bntui.ui.explorer.channel_picture import picture
from bntui.ui.widgets.keyline import KeyLine
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.widgets.status import StatusLine
from bntui.ui.widgets.wheel import WheelMoves


class ChannelScreen(WheelMoves, Screen[None]):
    """Shows how a channel's running statistics moved last, and what validation makes of them."""

    BINDINGS: ClassVar[list[BindingType]] = [*key_table.CHANNEL.bindings()]

    def __init__(self, snapshot: Snapshot, layer: int, channel: int, *, live: bool) -> None:
        """`layer` is its place in the network; not `live`, it is a moment of the past and stays so."""
        super().__init__()
        self.channel = channel
        self._snapshot = snapshot
        self._layer = layer
        self._live = live

    @property
    def chosen_layer(self) -> int:
        """The place of the layer whose numbers the help puts into formulas."""
        return self._layer

    @property
    def then(self) -> Snapshot | None:
        """The moment of the past that is shown, if it is one."""
        return None if self._live else self._snapshot

    def compose(self) -> ComposeResult:
        """Lay out the picture, and the keys."""
        yield StatusLine()
        yield Channel()
        yield MessageLines()
        yield KeyLine(key_table.CHANNEL.shown())

    def on_mount(self) -> None:
        """Show what there is."""
        self._draw()

    def action_move(self, by: int) -> None:
        """Show the next channel (1) or the one before (−1), from the worst on."""
        validation = self._snapshot.validation
        if validation and self._layer < len(validation.layers):
            order = worst_first(validation.layers[self._layer].detail)
            if self.channel in order:
                place = order.index(self.channel) + by
                self.channel = order[min(max(place, 0), len(order) - 1)]
                self._draw()

    def show(self, snapshot: Snapshot) -> None:
        """Show the channel as it is in `snapshot`; a moment of the past stays as it is."""
        if self._live:
            self._snapshot = snapshot
            self._draw()

    def _draw(self) -> None:
        self.query_one(Channel).show(self._snapshot, self._layer, self.channel)


class Channel(Canvas):
    """The whole picture of one channel."""

    DEFAULT_CSS = "Channel { height: 1fr; background: $background; }"

    _snapshot = Snapshot()
    _layer = 0
    _channel = 0

    def show(self, snapshot: Snapshot, layer: int, channel: int) -> None:
        """Show a channel as `snapshot`'s last validation found it."""
        old, before = self._snapshot.validation, (self._layer, self._channel)
        self._snapshot, self._layer, self._channel = snapshot, layer, channel
        if old is not snapshot.validation or before != (layer, channel):
            self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the picture, or a line saying why there is none."""
        validation = self._snapshot.validation
        if validation is None or self._layer >= len(validation.layers):
            return [[(" there is no such layer now", "faint")]]
        watched = self._snapshot.watched is not None
        place = self._layer, self._channel
        return picture(validation, *place, width, height, self.glyphs, watched=watched)
