"""What the mouse's wheel does where ↓ and ↑ choose one below or above."""

from typing import Protocol

from textual import events


class _Moves(Protocol):
    def action_move(self, by: int) -> None: ...


class WheelMoves:
    """A widget or a screen with an action `move`: 1 is one further, −1 one back."""

    def on_mouse_scroll_down(self: _Moves, event: events.MouseScrollDown) -> None:
        """Choose the next one."""
        event.stop()
        self.action_move(1)

    def on_mouse_scroll_up(self: _Moves, event: events.MouseScrollUp) -> None:
        """Choose the one before."""
        event.stop()
        self.action_move(-1)
