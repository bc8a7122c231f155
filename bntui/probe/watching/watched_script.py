"""One run of `bntui watch`: from the start of the user's script to what is said at its end. Imports no torch."""

import os
from typing import TYPE_CHECKING

from bntui.core.text import first_sentence
from bntui.probe.watching.after_import import after_import
from bntui.probe.watching.how import How
from bntui.probe.watching.script import Program, run

if TYPE_CHECKING:
    from bntui.probe.watching.found_models import FoundModels


class WatchedScript:
    """Runs a script, and watches what it trains. What it raises is the script's own."""

    def __init__(self, program: Program, how: How) -> None:
        self._program = program
        self._how = how
        self._process = os.getpid()
        self._models: FoundModels | None = None
        self._error: BaseException | None = None
        """What has ended the script, if anything has."""
        self._trouble = ""

    def run(self) -> None:
        """Run the script. Raises what it raises."""
        after_import("torch", self._begin)
        try:
            run(self._program)
        except BaseException as error:
            self._error = error
            raise

    def end(self) -> tuple[str, ...]:
        """Watch no more; return what was found, in paragraphs. Nothing in a process that was forked."""
        if os.getpid() != self._process:
            return ()
        if self._trouble:
            return (f"bntui: nothing was watched: {self._trouble}.",)
        if self._models is None:
            return ("bntui: no BN layer was built, since the script did not import torch.",)
        try:
            return self._models.end(self._error)
        except Exception as error:
            return (f"bntui: what was found can't be told: {_said(error)}.",)

    def _begin(self) -> None:
        try:
            from bntui.probe.watching.found_models import FoundModels

            models = FoundModels(self._how)
            models.attach()
            self._models = models
        except Exception as error:
            self._trouble = _said(error)


def _said(error: Exception) -> str:
    reason = first_sentence(error)
    return f"{type(error).__name__}{': ' * bool(reason)}{reason}"
