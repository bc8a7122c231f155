"""Adam and SGD, on the operations that torch's own call for all parameters at once.

`torch.optim` isn't used: making one of its optimisers imports `torch._dynamo`, which takes about as long as
torch itself. Steps are those of `torch.optim.Adam` and `SGD` with `fused=True`, bit for bit.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bntui.core.border import BorderError, Count
from bntui.measure.kept_tensors import like

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-7
SGD_MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class OptimiserState:
    """What an optimiser has beside the parameters, and how many updates it has made."""

    slots: list[dict[str, Tensor]]
    """For each parameter by the optimiser's `slot_names`, or nothing before the first update."""
    updates: Count
    """0 for SGD in states of bntui 0.x; only Adam reads it."""


class Optimiser(ABC):
    """Changes parameters, all on one device and of one dtype, by their gradients."""

    slot_names: ClassVar[tuple[str, ...]]
    """Of the tensors that are kept beside every parameter, as torch names them."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self._parameters: list[Tensor] = [*parameters]
        self._slots: dict[str, list[Tensor]] = {}
        """For each name a tensor for each parameter; nothing before the first update."""
        self._updates = 0

    def update(self, learning_rate: float) -> None:
        """Make one step with the gradients at hand, which every parameter must have."""
        gradients = [each.grad for each in self._parameters if each.grad is not None]
        if not self._slots:
            self._slots = {
                name: [_blank(name, each) for each in self._parameters] for name in self.slot_names
            }
        with torch.no_grad():
            self._step(gradients, learning_rate)
        self._updates += 1

    def drop_gradients(self) -> None:
        """Give back the memory of the gradients."""
        for each in self._parameters:
            each.grad = None

    def state(self) -> OptimiserState:
        """Return what `restore` needs to go on from here."""
        slots = [
            {name: kept[place] for name, kept in self._slots.items()}
            for place in range(len(self._parameters))
        ]
        return OptimiserState(slots, self._updates)

    def restore(self, state: OptimiserState) -> None:
        """Go on from a state of the same optimiser of the same parameters. Raises BorderError."""
        if len(self._parameters) != len(state.slots):
            raise BorderError(f"{len(state.slots)} parameters instead of {len(self._parameters)}")
        names = self.slot_names if any(state.slots) else ()
        for slots in state.slots:
            if slots.keys() != set(names):
                raise BorderError(f"{sorted(slots)} instead of {sorted(names)}")
        pairs = list(zip(self._parameters, state.slots, strict=True))
        self._slots = {
            name: [_slot(name, parameter, slots[name]) for parameter, slots in pairs]
            for name in names
        }
        self._updates = state.updates

    @abstractmethod
    def _step(self, gradients: list[Tensor], learning_rate: float) -> None:
        """Change parameters and slots."""


class KerasAdam(Optimiser):
    """Adam with epsilon where Keras has it.

    torch adds epsilon after the bias correction and Keras before, so equal steps need
    ε·(1 − β₂ᵗ)^(−½) here at step t.
    """

    slot_names = ("step", "exp_avg", "exp_avg_sq")

    def _step(self, gradients: list[Tensor], learning_rate: float) -> None:
        steps = self._slots["step"]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            self._parameters,
            gradients,
            self._slots["exp_avg"],
            self._slots["exp_avg_sq"],
            [],
            steps,
            lr=learning_rate,
            beta1=ADAM_BETAS[0],
            beta2=ADAM_BETAS[1],
            weight_decay=0.0,
            eps=ADAM_EPSILON / math.sqrt(1.0 - ADAM_BETAS[1] ** (self._updates + 1)),
            amsgrad=False,
            maximize=False,
        )


class Sgd(Optimiser):
    """Stochastic gradient descent with momentum 0.9: v ← 0.9 v + g, w ← w − rate·v."""

    slot_names = ("momentum_buffer",)

    def _step(self, gradients: list[Tensor], learning_rate: float) -> None:
        torch._fused_sgd_(
            self._parameters,
            gradients,
            self._slots["momentum_buffer"],
            lr=learning_rate,
            momentum=SGD_MOMENTUM,
            weight_decay=0.0,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,  # v begins at zero
        )


def optimiser(name: str, parameters: list[nn.Parameter]) -> Optimiser:
    """Return the optimiser called `name`: one of `config.OPTIMIZERS`."""
    return Sgd(parameters) if name == "sgd" else KerasAdam(parameters)


def _blank(name: str, parameter: Tensor) -> Tensor:
    """Return a slot before the first update: zeros like the parameter, `step` a single one."""
    if name == "step":
        return parameter.new_zeros((), dtype=torch.float32)
    return torch.zeros_like(parameter)


def _slot(name: str, parameter: Tensor, kept: Tensor) -> Tensor:
    """Return a slot that was kept. Raises BorderError for what can't be one."""
    slot = like(_blank(name, parameter), kept, name)
    if name == "step" and not 1.0 <= kept.item() < math.inf:
        raise BorderError(f"step {kept.item()} is no count")
    return slot
