"""What every app of bntui on a terminal is made of. Importing it loads no torch."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import ThemeProvider
from textual.timer import Timer

from bntui.core.snapshot import Snapshot
from bntui.core.text import literal
from bntui.machine.environment import variable
from bntui.machine.signals import (
    asked_to_end,
    end_anyway,
    handled_as_before,
    write_nowhere_if_hung_up,
)
from bntui.ui import key_lines, themes
from bntui.ui.dialogs.saving import save_and_tell
from bntui.ui.listed_keys import help_sentence, is_listed
from bntui.ui.palette_sentences import SENTENCES
from bntui.ui.remembered import Memory
from bntui.ui.terminal.ascii_filter import AsciiOnly
from bntui.ui.terminal.captured_output import captured_output, notice
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.driver import TerminalDriver, can_stop
from bntui.ui.terminal.glyphs import Glyphs, ascii_only
from bntui.ui.widgets.notices import MessageLines, NoticeBoard
from bntui.ui.widgets.palette import Palette

NOT_OFFERED = {"app.focus_next", "app.focus_previous", "command_palette"}
"""What keys do that the command palette leaves out."""
PAGE_SECONDS = 4.0
"""How long a part of a notice stays that has more than there is room for."""
SLIM = 20
"""Columns below which there are no scrollbars."""


class TerminalApp(DiffApp):
    """Screens on a terminal that may hang up, be lent to a shell, or show ASCII only."""

    TITLE = "bntui"
    CSS_PATH = Path(__file__).with_name(
        "app.tcss"
    )  # of this file, whatever folder a subclass is in
    BINDINGS: ClassVar[list[BindingType]] = [*key_lines.APP]

    def __init__(
        self,
        *,
        glyphs: Glyphs = Glyphs.BRAILLE,
        memory: Memory | None = None,
        theme: str | None = None,
    ) -> None:
        """`memory` has what was chosen before; a `theme` that is given goes over its."""
        # Without this Textual keeps to greys under NO_COLOR, but still sends their codes.
        colourless = bool(variable("NO_COLOR"))
        super().__init__(driver_class=TerminalDriver, ansi_color=True if colourless else None)
        self.memory = memory or Memory()
        """The choices that are remembered."""
        self.memory.tell = self._tell_of_memory
        for own in themes.OWN:
            self.register_theme(own)
        self.theme = theme or self.memory.choices.theme or themes.default()
        self.glyphs = glyphs
        """What every picture is made of."""
        self.set_class(glyphs is Glyphs.ASCII, "-ascii")
        self.all_ended = True
        """Whether every run's thread had ended when the app was left."""
        self.notices = NoticeBoard()
        """What is to be told, of which the newest is shown."""
        self._notice_timer: Timer | None = None
        self.asked_to_end = 0
        """The exit status with which something other than a key ends the app, if it does."""
        self.terminal = cast("IO[str]", sys.__stdout__)
        """What the driver draws on."""
        self._asyncio: asyncio.AbstractEventLoop | None = None
        self.drawn_for_sixteen = False
        """Whether a picture for a file is to look as on a terminal of sixteen colours."""

    @property
    def sixteen(self) -> bool:
        """Whether there are sixteen colours. A picture for a file, or a test's, has all of them."""
        if self.is_headless:
            return self.drawn_for_sixteen
        return self.console.color_system == "standard" and not self.no_color

    def end_runs(self) -> bool:
        """End what goes on beside the screen; return whether all of it has ended."""
        return True

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the filter for terminals that can show ASCII only."""
        filters = super().get_line_filters()
        return [*filters, AsciiOnly()] if self.glyphs is Glyphs.ASCII else filters

    def on_mount(self) -> None:
        """End at once if that was asked for before there was anything to end."""
        self._asyncio = asyncio.get_running_loop()
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        self.watch(self, "theme", lambda name: self.memory.keep(theme=name), init=False)
        if self.memory.remark:
            self._tell_of_memory(self.memory.remark)
        if self.asked_to_end:
            self.exit(return_code=self.asked_to_end)

    def on_ready(self) -> None:
        """Collect garbage from the first picture on."""
        gc.enable()

    @property
    def ending(self) -> bool:
        """Whether something other than a key ends the app."""
        return bool(self.asked_to_end)

    def end_with(self, status: int) -> None:
        """End the app without a key, with an exit status; may be called from any thread."""
        if not self.asked_to_end:
            self.asked_to_end = status
            end_anyway(status, self.end_runs, self._give_back)
            self.soon(lambda: self.exit(return_code=status))

    def soon(self, do: Callable[[], object]) -> None:
        """Have something done on the app's thread; may be called from any."""
        if self._asyncio:
            with suppress(RuntimeError):  # the loop is closed: the app is over
                self._asyncio.call_soon_threadsafe(do)

    def tell_output(self, text: str) -> None:
        """Tell what a library has written; may be called from any thread."""
        self.soon(lambda: self.notify(notice(text), severity="warning", markup=False))

    def _tell_of_memory(self, text: str) -> None:
        self.soon(lambda: self.notify(text, severity="warning", markup=False))

    def _print(self, text: str, stderr: bool = False) -> None:
        """Have what Python code prints captured as well: Textual, whose private method this is, drops it."""
        if self.is_headless:
            super()._print(text, stderr)
        else:
            with suppress(OSError):
                os.write(2 if stderr else 1, text.encode(errors="replace"))

    def _give_back(self) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.give_back()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List what the palette offers: themes, and what the keys of `screen` do.

        Textual's own panel of keys, its picture and its enlarged widget are left out: bntui's keys
        for them fit this screen.
        """
        theme = "The colours; bntui remembers which"
        yield SystemCommand(SENTENCES["change_theme"], theme, self.action_change_theme)
        offered = set[str]()
        for node, binding, enabled, _ in screen.active_bindings.values():
            known = is_listed(binding) and binding.action not in NOT_OFFERED
            if known and binding.description and enabled and self.offers(screen, binding):
                title, help_ = self.palette_words(screen, binding)
                if title not in offered:  # several keys may do the same
                    run = partial(self.call_later, self.run_action, binding.action, node)
                    yield SystemCommand(title, help_, run)
                offered.add(title)
        if SENTENCES["quit"] not in offered:
            yield SystemCommand(SENTENCES["quit"], "key ctrl+c", self.action_quit)

    def offers(self, screen: Screen[Any], binding: Binding) -> bool:
        """Tell whether the palette is to offer what a key of `screen` does."""
        return True

    def palette_words(self, screen: Screen[Any], binding: Binding) -> tuple[str, str]:
        """Return the sentence and the help with which the palette offers a key of `screen`."""
        word = binding.description[0].upper() + binding.description[1:]
        does = help_sentence(binding)
        key = f"key {self.get_key_display(binding)}"
        return SENTENCES.get(binding.action, word), f"{key}: {does}" if does else key

    def action_command_palette(self) -> None:
        """Open the command palette."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Open the palette with the themes."""
        self.push_screen(Palette([ThemeProvider], placeholder="Search for themes…"))

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell, until it continues the program."""
        if isinstance(self._driver, TerminalDriver) and can_stop():
            self._driver.stop_all()
        else:
            self.notify("no shell is waiting that could bring bntui back: q quits.")

    def action_redraw(self) -> None:
        """Draw everything anew, for a terminal that lost it."""
        self.screen.refresh(layout=True)

    def snapshot_shown(self) -> Snapshot | None:
        """Return what the screen in front shows of a run under way; None where there is none."""
        return None

    def action_explain(self, page: int = 1) -> None:
        """Open the help on the words of what has the focus, or on another of its pages."""
        from bntui.ui.words.opening import open_help  # the first picture doesn't need it

        open_help(self, self.snapshot_shown(), page)

    def action_save_picture(self) -> None:
        """Write the screen to an SVG file."""
        save_and_tell(self, self.export_screenshot(title="bntui"), "svg")

    def on_resize(self, event: events.Resize) -> None:
        """Do without scrollbars where there is no room for one."""
        self.set_class(event.size.width < SLIM, "-slim")

    async def on_event(self, event: events.Event) -> None:
        """Take from the clipboard only what can be shown: a field would pass on the rest as it is."""
        if isinstance(event, events.Paste):
            first = next(iter(event.text.splitlines()), "")
            event.text = "".join(filter(str.isprintable, first))
        await super().on_event(event)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notice on the lines above the keys, in what the terminal can show.

        Text of the user's may be in it. One that still stands is not shown a second time.
        """
        message = literal(message)
        message = ascii_only(message) if self.glyphs is Glyphs.ASCII else message
        self.notices.add(message, severity, timeout)
        self._show_notice()

    def clear_notifications(self) -> None:
        """Take all notices away."""
        self.notices.clear()
        self._show_notice()

    def _show_notice(self) -> None:
        """Show the notice of now wherever there are lines for it, and look again when it is over."""
        notice = self.notices.shown
        for screen in self.screen_stack:
            for lines in screen.query(MessageLines):
                lines.show_notice(notice)
        if self._notice_timer:
            self._notice_timer.stop()
        self._notice_timer = None
        if notice:
            self._notice_timer = self.set_timer(
                min(self.notices.seconds_left, PAGE_SECONDS) + 0.01, self._go_on_with_notice
            )

    def _go_on_with_notice(self) -> None:
        """Turn to the next page of a long notice, or take away one that is over."""
        for screen in self.screen_stack:
            for lines in screen.query(MessageLines):
                lines.turn_page()
        self._show_notice()

    def _fatal_error(self) -> None:
        """End without Textual's traceback, pages of it over the terminal: `on_this_terminal` raises the error."""
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        """End the runs before the program ends, and write what was chosen last."""
        self.all_ended = await asyncio.to_thread(self.end_runs)
        await asyncio.to_thread(self.memory.close)


def on_this_terminal(app: TerminalApp) -> None:
    """Run `app` on this terminal until it is left. Raises what has ended its screen, if a bug did."""
    job_control = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)
    with (
        handled_as_before(*job_control),
        asked_to_end(app.end_with),
        captured_output(app.tell_output) as app.terminal,
    ):
        app.run()
    write_nowhere_if_hung_up()
    if app._exception is not None:
        raise app._exception
