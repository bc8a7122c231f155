"""The models of a script that nobody names: found when an optimiser for them is made, and then watched.

A model is watched from its first forward pass in training mode on. What tells of that is a hook on all
modules, which belongs to none, so that a copy or a file of the model has nothing of it; and it is there
only between the making of an optimiser and that pass. A compiler would trace it: where the script compiles
anything, a model is watched from the moment its optimiser is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from weakref import ReferenceType, WeakSet, ref

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from bntui.measure.layers import running_statistics
from bntui.probe.watching.found_trainings import MOST, FoundTrainings
from bntui.probe.watching.guard import Guard
from bntui.probe.watching.heap import FoundModel, holds, models_of
from bntui.probe.watching.how import How
from bntui.probe.watching.names import Names
from bntui.probe.watching.own_frames import hidden
from bntui.probe.watching.replacements import Replacements
from bntui.probe.watching.watched_already import is_watched
from bntui.probe.watching.watched_training import Watching

SECONDS, SHARE = 2.0, 0.02
"""How long, and which share of the time, the memory may be searched: a script may make an optimiser an update."""


@dataclass(slots=True)
class _Trained:
    """A model in training."""

    model: ReferenceType[nn.Module]
    layers: WeakSet[nn.Module]
    """Those with running statistics."""
    around: WeakSet[nn.Module]
    """Modules whose first call in training mode begins its training."""
    optimizers: WeakSet[Optimizer]
    """Those that train it, for as long as the script keeps them."""
    watching: Watching | None = None

    @classmethod
    def of(cls, found: FoundModel) -> "_Trained":
        """Return one that nothing is kept alive by."""
        around, optimizers = WeakSet(found.around_layers()), WeakSet(found.optimizers)
        return cls(ref(found.model), WeakSet(found.layers()), around, optimizers)


class FoundModels:
    """Finds what the script trains, and watches it. Nothing here raises into the script."""

    def __init__(self, how: How, names: Names) -> None:
        self._trainings = FoundTrainings(how, names, "model")
        self._replaced = Replacements()
        self._guard = Guard(self._detach)
        self._new: list[ReferenceType[Optimizer]] = []
        """Optimisers whose models are still to be found."""
        self._seen: WeakSet[Optimizer] = WeakSet()
        self._made = 0
        """How many optimisers the script has made."""
        self._trained: list[_Trained] = []
        self._compiles = False
        """Whether the script has compiled anything."""
        self._unsearched = 0
        """Optimisers whose models were not looked for."""
        self._begun, self._searching = perf_counter(), 0.0
        self._on_forward: RemovableHandle | None = None
        self._on_step: RemovableHandle | None = None

    def attach(self) -> None:
        """Be told of optimisers that are made, of what is compiled, and of steps."""
        self._replaced.put(Optimizer, "__init__", self._in_making)
        self._replaced.put(torch, "compile", self._in_compiling)
        self._on_step = register_optimizer_step_pre_hook(self._before_step)

    @property
    def made(self) -> int:
        """How many optimisers of torch the script has made."""
        return self._made

    def end(self, error: BaseException | None) -> tuple[list[str], list[str]]:
        """Watch no more; return what was found of each model, and what was not watched."""
        self._detach()
        for one in self._trained:
            self._close(one, error)
        self._trained.clear()
        said = self._trainings.not_watched(self._guard.trouble)
        if self._unsearched:
            said.append(
                f"the models of {self._unsearched:,} optimisers were not looked for, since the script makes so many"
            )
        return self._trainings.told, said

    def _detach(self) -> None:
        self._replaced.undo()
        if self._on_step is not None:
            self._on_step.remove()
        self._wait_for_forward(False)

    @hidden
    def _in_making(
        self, make: Callable[..., None], optimizer: Optimizer, *arguments: Any, **named: Any
    ) -> None:
        make(optimizer, *arguments, **named)
        self._guard.do(self._take, optimizer)

    @hidden
    def _in_compiling(self, compiled: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self._guard.do(self._compile)
        return compiled(*arguments, **named)

    def _take(self, optimizer: Optimizer) -> None:
        """Take note of a new optimiser. Its model need not be complete yet: it may be wrapped, or put together."""
        self._made += 1
        self._new.append(ref(optimizer))
        if self._compiles:
            self._begin_all()
        else:
            self._wait_for_forward(True)

    def _compile(self) -> None:
        self._compiles = True
        self._begin_all()

    def _begin_all(self) -> None:
        self._find()
        for one in tuple(self._trained):
            self._begin(one)
        self._wait_for_forward(False)

    def _wait_for_forward(self, waiting: bool) -> None:
        if waiting and self._on_forward is None:
            self._on_forward = register_module_forward_pre_hook(self._before_forward)
        elif not waiting and self._on_forward is not None:
            self._on_forward.remove()
            self._on_forward = None

    def _before_forward(self, module: nn.Module, _inputs: Any) -> None:
        if torch.compiler.is_compiling() or not module.training:
            return
        self._guard.do(self._forward, module)

    def _forward(self, module: nn.Module) -> None:
        self._find()
        for one in tuple(self._trained):
            if module in one.around:
                self._begin(one)
        if all(one.watching for one in self._trained):
            self._wait_for_forward(False)

    def _before_step(self, optimizer: Optimizer, _arguments: Any, _named: Any) -> None:
        """Begin where no forward pass told of the training: in eval mode, or an optimiser that is a copy."""
        if torch.compiler.is_compiling():
            return
        if self._on_forward is not None or optimizer not in self._seen:
            self._guard.do(self._step, optimizer)

    def _step(self, optimizer: Optimizer) -> None:
        if optimizer not in self._seen:
            self._new.append(ref(optimizer))
        self._find()
        for one in tuple(self._trained):
            if optimizer in one.optimizers:
                self._begin(one)
        if all(one.watching for one in self._trained):
            self._wait_for_forward(False)

    def _find(self) -> None:
        """Find the models of new optimisers; with another model end those that no optimiser is left of."""
        if not self._new:
            return
        new = [optimizer for one in self._new if (optimizer := one()) is not None]
        self._new.clear()
        self._seen.update(new)
        found = [one for one in self._searched(new) if not self._known(one)]
        ended = [one for one in self._trained if found and not one.optimizers]
        for one in ended:
            self._trained.remove(one)
            self._close(one)
        for other in found:
            if len(self._trained) == MOST:
                self._trainings.left_out += 1
            else:
                self._trained.append(_Trained.of(other))

    def _searched(self, optimizers: list[Optimizer]) -> list[FoundModel]:
        """Search the memory for the models of optimisers, but for models that are known, and within limits."""
        unknown = [one for one in optimizers if not self._trains_known(one)]
        begun = perf_counter()
        if not unknown or self._searching > max(SECONDS, SHARE * (begun - self._begun)):
            self._unsearched += len(unknown)
            return []
        found = models_of(unknown)
        self._searching += perf_counter() - begun
        return found

    def _trains_known(self, optimizer: Optimizer) -> bool:
        """Tell whether an optimiser holds a parameter of a model that has been found; it is then noted."""
        for one in self._trained:
            model = one.model()
            if model is not None and holds(optimizer, model):
                one.optimizers.add(optimizer)
                return True
        return False

    def _known(self, found: FoundModel) -> bool:
        """Tell whether a model has been found before; its new optimisers are then noted."""
        for one in self._trained:
            if not one.layers.isdisjoint(found.layers()):
                one.optimizers.update(found.optimizers)
                return True
        return False

    def _begin(self, one: _Trained) -> None:
        """Watch a model, unless it is watched already, by the script itself for one."""
        if one.watching is not None:
            return
        model = one.model()
        if model is None or is_watched(running_statistics(each)[0] for each in one.layers):
            self._trained.remove(one)
            return
        one.watching = self._trainings.begin(model)

    def _close(self, one: _Trained, error: BaseException | None = None) -> None:
        if one.watching is not None:
            self._trainings.close(one.watching, error)
            one.watching = None
