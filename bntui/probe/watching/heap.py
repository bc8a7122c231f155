"""Which models optimisers train, among all modules that the program has: the outermost that hold their parameters.

The garbage collector's list is read, once for new optimisers: models that are copied or loaded from a file
are built by no constructor, and nothing else knows what a module is part of.
"""

import gc
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from bntui.measure.layers import layers_of


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model with running statistics, and the optimisers that hold parameters of it."""

    model: nn.Module
    optimizers: tuple[Optimizer, ...]

    def layers(self) -> list[nn.Module]:
        """Return its layers with running statistics."""
        return [layer for _, layer in layers_of(self.model)]

    def around_layers(self) -> list[nn.Module]:
        """Return these layers and all modules of the model that one of them is part of."""
        inner = set(self.layers())
        return [one for one in self.model.modules() if not inner.isdisjoint(one.modules())]


def models_of(optimizers: Iterable[Optimizer]) -> list[FoundModel]:
    """Return the models with running statistics that these optimisers train, in the optimisers' order."""
    roots = [(root, _parameters(root)) for root in _roots() if layers_of(root)]
    trained: dict[nn.Module, list[Optimizer]] = {}
    for optimizer in optimizers:
        held = _held(optimizer)
        best = max(roots, key=lambda root: len(root[1] & held), default=None)
        if best and best[1] & held:
            trained.setdefault(best[0], []).append(optimizer)
    return [part for root, theirs in trained.items() for part in _parts(root, theirs)]


def holds(optimizer: Optimizer, model: nn.Module) -> bool:
    """Tell whether an optimiser has a parameter of a model."""
    return not _held(optimizer).isdisjoint(map(id, model.parameters()))


def _parts(root: nn.Module, optimizers: list[Optimizer]) -> list[FoundModel]:
    """Split a module that holds several models, each with an optimiser of its own: those of a GAN."""
    each = [FoundModel(_innermost(root, _held(one)), (one,)) for one in optimizers]
    parts = [part for part in each if part.layers()]
    layers = [layer for part in parts for layer in part.layers()]
    whole = FoundModel(root, tuple(optimizers))
    separate = len(layers) == len(set(layers)) and set(layers) == set(whole.layers())
    return parts if len(optimizers) > 1 and separate else [whole]


def _innermost(root: nn.Module, held: set[int]) -> nn.Module:
    """Return the smallest module within `root` that has all of its parameters that an optimiser holds."""
    wanted = _parameters(root) & held
    module: nn.Module | None = root
    while module is not None:
        innermost = module
        module = next((one for one in module.children() if wanted <= _parameters(one)), None)
    return innermost


def _roots() -> list[nn.Module]:
    """Return all modules that are part of no other.

    Classes are asked, not objects: a stand-in for an object would make it to answer for its class.
    """
    modules = [
        one
        for one in gc.get_objects()
        if issubclass(type(one), nn.Module) and "_modules" in vars(one)
    ]
    inner = {id(child) for one in modules for child in one._modules.values()}
    return [one for one in modules if id(one) not in inner]


def _parameters(module: nn.Module) -> set[int]:
    return set(map(id, module.parameters()))


def _held(optimizer: Optimizer) -> set[int]:
    return {id(one) for group in optimizer.param_groups for one in group["params"]}
