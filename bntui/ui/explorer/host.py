"""An app that shows an explorer: what its keys are called now, and what its widgets ask the app for."""

from typing import Any

from textual import on
from textual.binding import Binding
from textual.screen import Screen

from bntui.core.snapshot import Snapshot
from bntui.ui.explorer.available_keys import NOT_LED, sentence, why_not
from bntui.ui.explorer.screen import Explorer
from bntui.ui.terminal_app import TerminalApp
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.status import StatusLine


class ExplorerHost(TerminalApp):
    """An app with an explorer among its screens, always or at times."""

    @property
    def shown_explorer(self) -> Explorer | None:
        """The explorer among its screens; None while there is none."""
        raise NotImplementedError

    def offers(self, screen: Screen[Any], binding: Binding) -> bool:
        """Leave out what only a run of one's own can be told to do, where a run is followed."""
        explorer = self.shown_explorer
        followed = explorer is screen and explorer.run.snapshot.followed
        return not (followed and binding.id in NOT_LED)

    def palette_words(self, screen: Screen[Any], binding: Binding) -> tuple[str, str]:
        """Say of the explorer's commands what they do now, or why they can't."""
        title, help_ = super().palette_words(screen, binding)
        explorer = self.shown_explorer
        if explorer is None:
            return title, help_
        snapshot = explorer.run.snapshot
        if binding.action == "resume" and snapshot.followed:
            return "Open the chosen run", "key R: opens it in the place of this one"
        if screen is not explorer or not binding.id:
            return title, help_
        now = sentence(binding.id, snapshot, pinned=explorer.pinned)
        reason = why_not(binding.id, snapshot)
        return now or title, f"not now: {reason}" if reason else help_

    def snapshot_shown(self) -> Snapshot | None:
        """Return what the explorer shows, which stands still behind another screen; there the newest."""
        explorer = self.shown_explorer
        if explorer is None:
            return None
        in_front = self.screen is explorer
        return (explorer.follower.shown if in_front else None) or explorer.run.snapshot

    @on(Knob.Turned)
    def _remember_pace(self, event: Knob.Turned) -> None:
        pace = event.value if event.knob.spec.name == "pace" else None
        if isinstance(pace, float) and event.knob.screen is self.shown_explorer:
            self.memory.keep(pace=pace)

    @on(StatusLine.Pressed)
    def _pause_or_go_on(self) -> None:
        if explorer := self.shown_explorer:
            explorer.action_command("pause")

    @on(Knob.Typing)
    def _type(self, event: Knob.Typing) -> None:
        knob = event.knob
        from bntui.ui.dialogs.value import ValueScreen  # the first picture doesn't need it

        self.push_screen(ValueScreen(knob.spec, knob.wanted, knob.turn_to))
