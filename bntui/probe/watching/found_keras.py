"""The Keras models of a script that nobody names, on the torch backend: watched from `fit` on.

`fit` and `train_on_batch` make a model's training function, and call it once for each batch. Nothing here
imports Keras: it is there already.
"""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bntui.probe.keras_model import KerasModel
from bntui.probe.watching.found_trainings import MOST, FoundTrainings
from bntui.probe.watching.guard import Guard
from bntui.probe.watching.how import How
from bntui.probe.watching.keras_batches import KerasBatches
from bntui.probe.watching.names import Names
from bntui.probe.watching.own_frames import hidden
from bntui.probe.watching.replacements import Replacements
from bntui.probe.watching.watched_already import is_watched
from bntui.probe.watching.watched_training import Watching

OURS = "bntui.probe.callbacks.keras"
"""Where the callback is that a script watches its model with itself."""


@dataclass(slots=True)
class _Fitted:
    """A model in training; nothing of it but the model, where it is not watched."""

    model: Any
    watching: Watching | None = None
    batches: KerasBatches | None = None
    fitted: bool = False
    """Whether a `fit` of it has ended."""


class FoundKeras:
    """Finds the Keras models that the script trains, and watches them. Nothing here raises into the script."""

    def __init__(self, how: How, names: Names) -> None:
        self._trainings = FoundTrainings(how, names, "Keras model")
        self._replaced = Replacements()
        self._guard = Guard(self._replaced.undo)
        self._trained: list[_Fitted] = []

    def attach(self) -> None:
        """Be told of models that are about to train. Keras must be loaded."""
        keras: Any = sys.modules["keras"]
        if keras.backend.backend() != "torch":
            return
        trainer = next(one for one in keras.Model.__mro__ if "make_train_function" in vars(one))
        self._replaced.put(trainer, "make_train_function", self._in_making)
        self._replaced.put(trainer, "fit", self._in_fitting)

    def end(self, error: BaseException | None) -> tuple[list[str], list[str]]:
        """Watch no more; return what was found of each model, and what was not watched."""
        self._replaced.undo()
        for one in self._trained:
            self._close(one, error)
        self._trained.clear()
        return self._trainings.told, self._trainings.not_watched(self._guard.trouble)

    @hidden
    def _in_making(
        self, make: Callable[..., Any], model: Any, *arguments: Any, **named: Any
    ) -> Any:
        made = make(model, *arguments, **named)
        self._guard.do(self._begin, model)
        return made

    @hidden
    def _in_fitting(
        self, fit: Callable[..., Any], model: Any, *arguments: Any, **named: Any
    ) -> Any:
        self._guard.do(self._before_fit, model, (*arguments, *named.values()))
        try:
            return fit(model, *arguments, **named)
        finally:
            self._guard.do(self._after_fit, model)

    def _before_fit(self, model: Any, given: tuple[Any, ...]) -> None:
        """Leave a model alone that the script watches with a callback of ours; end with those before."""
        callbacks = [one for many in given if isinstance(many, list | tuple) for one in many]
        if any(type(one).__module__ == OURS for one in (*given, *callbacks)):
            self._trained.append(_Fitted(model))
        for one in tuple(self._trained):
            if one.fitted and one.model is not model:
                self._trained.remove(one)
                self._close(one)

    def _after_fit(self, model: Any) -> None:
        for one in self._trained:
            one.fitted = one.fitted or one.model is model

    def _begin(self, model: Any) -> None:
        """Watch a model that is built and about to train, unless it is watched already."""
        trained = next((one for one in self._trained if one.model is model), None)
        if trained is None:
            if sum(one.watching is not None for one in self._trained) == MOST:
                self._trainings.left_out += 1
                trained = _Fitted(model)
            else:
                trained = self._watched(model)
            self._trained.append(trained)
        if trained.watching and not hasattr(model.train_function, "told_to"):
            model.train_function = self._telling(model.train_function, trained)

    def _watched(self, model: Any) -> _Fitted:
        if not _has_statistics(model) or is_watched(one.value for one in model.variables):
            return _Fitted(model)
        watching = self._trainings.begin(model, model.name)
        return _Fitted(model, watching, KerasBatches(model, watching))

    def _telling(self, function: Callable[..., Any], trained: _Fitted) -> Callable[..., Any]:
        @hidden
        @functools.wraps(function)
        def train(*arguments: Any, **named: Any) -> Any:
            logs = function(*arguments, **named)
            if trained.batches:
                self._guard.do(trained.batches.ended)
            return logs

        vars(train)["told_to"] = self
        return train

    def _close(self, one: _Fitted, error: BaseException | None = None) -> None:
        if one.watching is not None:
            self._trainings.close(one.watching, error)
            one.watching = one.batches = None


def _has_statistics(model: Any) -> bool:
    """Tell whether a model has BN layers whose statistics can be followed."""
    seen = KerasModel(model)
    seen.detach()
    return any(seen.children())
