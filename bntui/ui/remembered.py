"""What the explorer remembers from one start to the next: how things are looked at, never what is run.

A run is described by the command line alone, so that the same command gives the same run. docs/setup.md
lists what is remembered.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

from textual.app import App

from bntui.core.border import BorderError, Read, convert
from bntui.core.config import RunConfig
from bntui.core.parsers import parse_pace
from bntui.core.text import ConfigError
from bntui.machine import config_file
from bntui.ui.drawing.view import Axis, View
from bntui.ui.themes import known_theme

SECONDS_TO_WRITE = 2.0
"""How long the end of the program waits for a slow file system."""


def _pace(value: object) -> float:
    try:
        return parse_pace(str(value))
    except ConfigError as error:
        raise BorderError(str(error)) from None


def _theme(value: object) -> str:
    try:
        return known_theme(value)
    except ConfigError as error:
        raise BorderError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Choices:
    """What is remembered; the file has each under its name, with - for _."""

    theme: Annotated[str, Read(_theme)] = ""
    """Empty for the default."""
    pace: Annotated[float, Read(_pace)] = math.inf
    x_axis: Axis = Axis.UPDATES
    smooth: bool = False
    log_loss: bool = True
    runs_by: str = ""
    """The column that the list of runs is sorted by; empty for its default."""
    tour_seen: bool = False

    @property
    def view(self) -> View:
        """The view that charts begin with."""
        return View(axis=self.x_axis, smooth=self.smooth, log_loss=self.log_loss)

    def at_pace(self, config: RunConfig) -> RunConfig:
        """Return a run at this pace, if it has none of its own: it changes nothing that is measured."""
        if math.isfinite(config.knobs.pace):
            return config
        return replace(config, knobs=replace(config.knobs, pace=self.pace))


def chosen(values: dict[str, Any]) -> tuple[Choices, str]:
    """Return what a file says, and one sentence on a value of it that can't be used, if there is one.

    The default takes its place. Keys that are not known are a newer bntui's.
    """
    known = {
        field.name: values[key] for field in fields(Choices) if (key := _key(field.name)) in values
    }
    wrong: list[str] = []
    choices = convert(Choices, known, unknown=wrong)
    if not wrong:
        return choices, ""
    try:
        convert(Choices, {wrong[0]: known[wrong[0]]})
    except BorderError as error:
        said = str(error).replace(wrong[0], _key(wrong[0]), 1).removesuffix(".")
        return choices, f"{said}."
    return choices, ""


class Memory:
    """The choices of now, and their file; without one they are forgotten with the program.

    A thread writes: the screen does not wait for a disk.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read the file; `remark` is what is to be told of one that can't be read as it is."""
        self.choices = Choices()
        self.remark = ""
        self.tell: Callable[[str], object] = lambda _: None
        """What tells the user a sentence, from any thread."""
        self._path = path
        self._lock = threading.Lock()
        self._unwritten: dict[str, bool | float | str] = {}
        self._writer: threading.Thread | None = None
        self._failed = False
        if path:
            try:
                self.choices, wrong = chosen(config_file.read(path))
                self.remark = wrong and f"{path}: {wrong}"
            except ConfigError as error:
                self.remark = f"{str(error).removesuffix('.')}: nothing of it is used."

    @property
    def first_start(self) -> bool:
        """Whether the tour was never seen, and it can be remembered that it was."""
        if self._path is None or self.choices.tour_seen or self.remark:
            return False
        return config_file.can_be_changed(self._path)

    def keep(self, **choices: bool | float | str) -> None:
        """Remember choices by their names, from now on."""
        new = {key: value for key, value in choices.items() if getattr(self.choices, key) != value}
        if not new:
            return
        self.choices = replace(self.choices, **new)  # type: ignore[arg-type]
        if self._path is None:
            return
        with self._lock:
            self._unwritten |= {_key(name): _plain(value) for name, value in new.items()}
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write, args=(self._path,), name="bntui-choices", daemon=True
                )
                self._writer.start()

    def keep_view(self, view: View) -> None:
        """Remember how charts are drawn; what part of a run is in sight is of that run alone."""
        self.keep(x_axis=view.axis, smooth=view.smooth, log_loss=view.log_loss)

    def close(self) -> None:
        """Wait until all is written, but not for ever."""
        if writer := self._writer:
            writer.join(SECONDS_TO_WRITE)

    def _write(self, path: Path) -> None:
        while True:
            with self._lock:
                values, self._unwritten = self._unwritten, {}
                if not values:
                    self._writer = None
                    return
            try:
                told = config_file.change(path, values)
            except ConfigError as error:
                told = "" if self._failed else f"what you choose is not remembered: {error}"
                self._failed = True
            if told:
                self.tell(told)


def memory_of(app: App[Any]) -> Memory:
    """Return the app's memory; another app than bntui's remembers nothing."""
    memory: Memory = getattr(app, "memory", None) or Memory()
    return memory


def _key(name: str) -> str:
    return name.replace("_", "-")


def _plain(value: bool | float | str) -> bool | float | str:
    """Return a value as the file has it: an infinite pace is `max`."""
    if isinstance(value, float) and math.isinf(value):
        return "max"
    return str(value) if isinstance(value, str) else value
