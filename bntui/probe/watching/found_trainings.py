"""The trainings of a script that nobody names: how each is watched, and what was found of them."""

from torch import nn

from bntui.probe.watching.how import How
from bntui.probe.watching.names import Names
from bntui.probe.watching.watch import watch
from bntui.probe.watching.watched_training import Watching

MOST = 8
"""Models that are watched at once."""


class FoundTrainings:
    """Those of one library's models."""

    def __init__(self, how: How, names: Names, kind: str) -> None:
        """`kind` is what their models are called: "Keras model", say."""
        self.told: list[str] = []
        """What was found in each that is over."""
        self.left_out = 0
        """Models that were not watched, since so many were."""
        self._how, self._names, self._kind = how, names, kind

    def begin(self, model: nn.Module, own: str = "") -> Watching:
        """Watch a model's training; `own` is what its name has in place of its class. Raises ProbeError."""
        how = self._how
        watching = watch(
            model,
            every=how.every,
            share=how.share,
            store=how.store,
            name=self._names.of(model, own),
            control=how.control,
        )
        watching.leave_end_to_caller()
        return watching

    def close(self, watching: Watching, error: BaseException | None = None) -> None:
        """End one, and take what was found; `error` is what has ended it, if anything has."""
        self.told.append(watching.close(error))

    def not_watched(self, trouble: str) -> list[str]:
        """Say which were left out, and what has ended the search, if anything has."""
        said = []
        if self.left_out:
            said.append(
                f"{self.left_out:,} {self._kind}s were not watched, since {MOST} were in training at once"
            )
        if trouble:
            said.append(f"not every {self._kind} was watched: {trouble}")
        return said
