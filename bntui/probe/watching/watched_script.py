"""One run of `bntui watch`: from the start of the user's script to what is said at its end. Imports no torch."""

import os
import sys
from typing import TYPE_CHECKING

from bntui.probe.watching.after_import import after_import
from bntui.probe.watching.guard import said
from bntui.probe.watching.how import How
from bntui.probe.watching.names import Names
from bntui.probe.watching.script import Program, run

if TYPE_CHECKING:
    from bntui.probe.watching.found_keras import FoundKeras
    from bntui.probe.watching.found_models import FoundModels


class WatchedScript:
    """Runs a script, and watches what it trains. What it raises is the script's own."""

    def __init__(self, program: Program, how: How) -> None:
        self._program = program
        self._how = how
        self._process = os.getpid()
        self._models: FoundModels | None = None
        self._keras: FoundKeras | None = None
        self._names = Names(how.name)
        self._error: BaseException | None = None
        """What has ended the script, if anything has."""
        self._troubles: list[str] = []

    def run(self) -> None:
        """Run the script. Raises what it raises."""
        after_import("torch", self._find_models)
        after_import("keras", self._find_keras)
        try:
            run(self._program)
        except BaseException as error:
            self._error = error
            raise

    def end(self) -> tuple[str, ...]:
        """Watch no more; return what was found, in paragraphs. Nothing in a process that was forked."""
        if os.getpid() != self._process:
            return ()
        told: list[str] = []
        not_watched = self._troubles
        for one in (self._models, self._keras):
            try:
                if one is not None:
                    found, remarks = one.end(self._error)
                    told += found
                    not_watched += remarks
            except Exception as error:
                not_watched.append(f"what was found can't be told: {said(error)}")
        if not told and not not_watched:
            not_watched.append(self._nothing())
        return (*told, *(f"bntui: {one}." for one in not_watched))

    def _nothing(self) -> str:
        """Say why no model was watched."""
        if self._models is None:
            return "no BN layer was built, since the script did not import torch"
        if "fastai" in sys.modules:
            return (
                "fastai's own optimisers are not seen: give the learner cbs=bntui.FastaiCallback()"
            )
        if not self._models.made:
            return "no optimiser of torch was made in this process, and those that it starts are not watched"
        return "no model with BN layers was trained by an optimiser of torch"

    def _find_models(self) -> None:
        try:
            from bntui.probe.watching.found_models import FoundModels

            models = FoundModels(self._how, self._names)
            models.attach()
            self._models = models
        except Exception as error:
            self._troubles.append(f"nothing was watched: {said(error)}")

    def _find_keras(self) -> None:
        try:
            from bntui.probe.watching.found_keras import FoundKeras

            models = FoundKeras(self._how, self._names)
            models.attach()
            self._keras = models
        except Exception as error:
            self._troubles.append(f"no Keras model was watched: {said(error)}")
