"""How a watched training stands, in the words that others see: what is known, what was found, what was not measured."""

from collections.abc import Sequence
from dataclasses import replace
from weakref import ReferenceType, ref

from bntui.core.config import torch_momentum
from bntui.core.watched import Found, Watched
from bntui.probe.watching.batch_statistics import Statistics
from bntui.probe.watching.described import name_of, one_momentum, rate_of
from bntui.probe.watching.keras_words import in_keras
from bntui.probe.watching.looks import Looks
from bntui.probe.watching.ranks import Ranks
from bntui.probe.watching.steps import AnyOptimizer


class Standing:
    """What is told of a training, gathered from what follows it and looks at it."""

    def __init__(
        self, watched: Watched, statistics: Statistics, looks: Looks, ranks: Ranks
    ) -> None:
        """`watched` is what is known at the beginning."""
        self.watched = watched
        """What was told last."""
        self.trouble = ""
        """What has ended the looks, if anything has."""
        self.refused = ""
        """Why the last request could not be done."""
        self._statistics, self._looks, self._ranks = statistics, looks, ranks
        self._stepped: ReferenceType[AnyOptimizer] | None = None
        """The optimiser that stepped last; it is the script's to keep."""

    @property
    def first(self) -> Found | None:
        """What the last look found first, if anything."""
        return self.watched.findings[0] if self.watched.findings else None

    def stepped(self, optimizer: AnyOptimizer) -> None:
        """Tell of this optimiser from now on."""
        self._stepped = ref(optimizer)

    def found(self, findings: Sequence[Found], update: int) -> None:
        """Tell what a look after an update has found."""
        words = map(in_keras, findings) if self._in_keras else findings
        self.watched = replace(self.watched, findings=tuple(words), looked=update)

    def now(self) -> Watched:
        """Return what is to be told now."""
        trouble = filter(None, (self.refused, self.trouble))
        optimizer = self._stepped() if self._stepped else None
        momentum = one_momentum(self._statistics.momentum)
        self.watched = replace(
            self.watched,
            momentum=torch_momentum(momentum) if self._in_keras else momentum,
            optimizer=name_of(optimizer) if optimizer else self.watched.optimizer,
            learning_rate=rate_of(optimizer) if optimizer else self.watched.learning_rate,
            score=self._looks.score,
            notes=(*self._statistics.notes, *self._looks.notes, *self._ranks.notes, *trouble),
        )
        return self.watched

    @property
    def _in_keras(self) -> bool:
        return self.watched.convention == "keras"
