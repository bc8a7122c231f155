"""A Keras 3 model on the torch backend as a torch module that can be measured like any other.

Keras keeps its layers in lists that torch's `modules()` does not see, tells them by an argument and not
by their mode whether they train, and has statistics, scale and shift in variables of its own. Nothing
here imports Keras: a model that is one has loaded it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bntui.core.config import torch_momentum
from bntui.probe.errors import ProbeError


class BatchNormalization(nn.Module):
    """One of Keras's layers, by torch's names; its tensors are the layer's own, not copies.

    Calls in training are counted, as in torch's layers, if the statistics were at their start: Keras
    doesn't.

    Every call of the layer goes through this one, in the mode of that call and with a view of its input
    whose channels are the second dimension: hooks of it see what hooks of a layer of torch's see.
    """

    biased_variance = True
    """The variance that the layer takes in is the batch's biased one; torch's layers take the unbiased."""
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor | None

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self._layer = (layer,)  # in a tuple, or torch registered it as a part
        self.eps = float(layer.epsilon)
        self.register_buffer("running_mean", layer.moving_mean.value)
        self.register_buffer("running_var", layer.moving_variance.value)
        self.register_parameter("weight", layer.gamma.value if layer.scale else None)
        self.register_parameter("bias", layer.beta.value if layer.center else None)
        untouched = not self.running_mean.any() and bool((self.running_var == 1.0).all())
        self.register_buffer("num_batches_tracked", torch.tensor(0) if untouched else None)
        self._theirs = layer.forward
        vars(layer)["forward"] = self._called

    @property
    def momentum(self) -> float:
        """torch's: the share of the new value. Keras's layer has that of the old one."""
        return torch_momentum(float(self._layer[0].momentum))

    def train(self, mode: bool = True) -> "BatchNormalization":
        """Go into a mode; a layer that is not trainable is never in training mode, as in Keras."""
        return super().train(mode and bool(self._layer[0].trainable))

    def forward(self, batch: Tensor, run: Callable[[], Any]) -> Any:
        """Run the layer on what it was called with, of which `batch` (N, C, …) is a view."""
        outputs = run()
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return outputs

    def _called(self, *inputs: Any, **named: Any) -> Any:
        """Stand for the layer's own `forward`."""
        (layer,), run = self._layer, partial(self._theirs, *inputs, **named)
        batch = inputs[0] if inputs else named.get("inputs")
        if not isinstance(batch, Tensor) or batch.is_meta:  # Keras finds out shapes
            return run()
        at_rest, self.training = self.training, bool(named.get("training")) and layer.trainable
        try:
            return self(batch.detach().movedim(layer.axis, 1), run)
        finally:
            self.training = at_rest

    def detach(self) -> None:
        """Give the layer its own `forward` back, if nobody has replaced this one."""
        (layer,) = self._layer
        if vars(layer).get("forward") == self._called:
            del vars(layer)["forward"]


class KerasModel(nn.Module):
    """The whole model: called in training mode it gets `training=True`.

    Its modules are its BN layers, by their paths in the model. Its parameters and buffers are all of the
    model's variables, seeds of dropout too, so that who puts these back has put back the model.
    """

    def __init__(self, model: Any) -> None:
        """Stand for a model that is built. Raises ProbeError."""
        on_torch = isinstance(model, nn.Module)
        if not on_torch:
            raise ProbeError(
                f"The model {model.name} is one of Keras's, and not on torch: set KERAS_BACKEND=torch before "
                "Keras is imported."
            )
        if not model.built:
            raise ProbeError(
                f"The model {model.name} has no layers yet: begin it with keras.Input(shape), call it once, or"
                " watch it by a callback of fit, bntui.KerasCallback()."
            )
        super().__init__()
        self._model = (model,)
        self.name = str(model.name)
        self.skipped: tuple[str, ...] = ()
        """Layers with batch renormalisation: what their statistics take in is not the batch's."""
        found = _layers(model)
        for layer in found:
            name = _name(layer.path.removeprefix(f"{model.name}/"))
            if layer.renorm:
                self.skipped += (name,)
            else:
                self.add_module(name, BatchNormalization(layer))
        theirs = {id(one.value) for layer in found if not layer.renorm for one in layer.variables}
        for variable in model.variables:
            if id(variable.value) in theirs:
                continue
            if variable.trainable:
                self.register_parameter(_name(variable.path), variable.value)
            else:
                self.register_buffer(_name(variable.path), variable.value)
        self.train()

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Run the model on torch's tensors, training where this is in training mode."""
        (model,) = self._model
        if getattr(model, "_call_has_training_arg", True):
            named["training"] = self.training
        return model(*inputs, **named)

    def detach(self) -> None:
        """Have the model run as if it had never been seen so."""
        for module in self.children():
            if isinstance(module, BatchNormalization):
                module.detach()


@contextmanager
def as_module(model: Any) -> Iterator[Any]:
    """Have a model of Keras's stand as a module of torch's for a while; any other is itself."""
    if not is_keras(model):
        yield model
        return
    seen = KerasModel(model)
    try:
        yield seen
    finally:
        seen.detach()


def is_keras(model: Any) -> bool:
    """Tell whether a model is Keras's, of any backend."""
    return any(
        f"{kind.__module__}.".startswith(("keras.", "tf_keras.")) for kind in type(model).__mro__
    )


def _layers(model: Any) -> list[Any]:
    """Return the model's BN layers that are built, each once, in the order of their variables."""
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    found = [
        layer
        for layer in model._flatten_layers()
        if getattr(layer, "moving_variance", None) is not None and hasattr(layer, "renorm")
    ]
    return sorted(found, key=lambda layer: places[id(layer.moving_mean)])


def _name(path: str) -> str:
    return path.replace(".", "_")
