"""The optimisers, each with one method: `update(learning_rate)`."""

import math
from dataclasses import dataclass

import torch
import torch._dynamo  # which an optimiser loads when it is made: what fails in it fails with the rest
from torch import Tensor

from bntui.core.border import BorderError, Count
from bntui.train.checkpoints import like

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-7
SGD_MOMENTUM = 0.9


class KerasAdam(torch.optim.Adam):
    """Adam with epsilon where Keras has it.

    torch adds epsilon after the bias correction and Keras before, so equal steps need
    ε·(1 − β₂ᵗ)^(−½) here at step t.
    """

    def __init__(self, parameters: list[torch.nn.Parameter]) -> None:
        super().__init__(parameters, betas=ADAM_BETAS, eps=ADAM_EPSILON, fused=True)

    def update(self, learning_rate: float) -> None:
        """Make one step with the gradients at hand."""
        for group in self.param_groups:
            group["updates"] = group.get("updates", 0) + 1  # here, so that a checkpoint has it
            group["lr"] = learning_rate
            group["eps"] = ADAM_EPSILON / math.sqrt(1.0 - ADAM_BETAS[1] ** group["updates"])
        self.step()

    def _accelerator_graph_capture_health_check(self) -> None:
        """Leave out what torch asks at each step: it would wake a GPU that nothing computes on."""

    _cuda_graph_capture_health_check = _accelerator_graph_capture_health_check  # its older name


class Sgd(torch.optim.SGD):
    """Stochastic gradient descent with momentum 0.9: v ← 0.9 v + g, w ← w − rate·v."""

    def __init__(self, parameters: list[torch.nn.Parameter]) -> None:
        super().__init__(parameters, lr=1.0, momentum=SGD_MOMENTUM, fused=True)

    def update(self, learning_rate: float) -> None:
        """Make one step with the gradients at hand."""
        for group in self.param_groups:
            group["lr"] = learning_rate
        self.step()


Optimiser = KerasAdam | Sgd
SLOTS = {
    KerasAdam: frozenset({"step", "exp_avg", "exp_avg_sq"}),
    Sgd: frozenset({"momentum_buffer"}),
}
"""What torch keeps beside every parameter once there was an update."""


@dataclass(frozen=True, slots=True)
class OptimiserState:
    """What an optimiser has beside the parameters, and how many updates it has made."""

    slots: list[dict[str, Tensor]]
    """For each parameter by the names in `SLOTS`, or nothing."""
    updates: Count


def optimiser(name: str, parameters: list[torch.nn.Parameter]) -> Optimiser:
    """Return the optimiser called `name`: one of `config.OPTIMIZERS`."""
    return Sgd(parameters) if name == "sgd" else KerasAdam(parameters)


def state(optimiser: Optimiser) -> OptimiserState:
    """Return what `restore` needs to go on from here."""
    group = optimiser.param_groups[0]
    slots = [dict(optimiser.state.get(parameter, {})) for parameter in group["params"]]
    return OptimiserState(slots, group.get("updates", 0))


def restore(optimiser: Optimiser, state: OptimiserState) -> None:
    """Go on from a state of the same optimiser of the same parameters. Raises BorderError."""
    parameters = optimiser.param_groups[0]["params"]
    if len(parameters) != len(state.slots):
        raise BorderError(f"{len(state.slots)} parameters instead of {len(parameters)}")
    whole = optimiser.state_dict()
    whole["state"] = {
        place: {name: _slot(name, parameter, kept) for name, kept in slots.items()}
        for place, (parameter, slots) in enumerate(zip(parameters, state.slots, strict=True))
        if _are_known(slots, SLOTS[type(optimiser)])
    }
    if state.updates:
        whole["param_groups"][0]["updates"] = state.updates
    optimiser.load_state_dict(whole)


def _are_known(slots: dict[str, Tensor], names: frozenset[str]) -> bool:
    """Tell whether there are slots. Raises BorderError for others than torch keeps."""
    if slots and slots.keys() != names:
        raise BorderError(f"{sorted(slots)} instead of {sorted(names)}")
    return bool(slots)


def _slot(name: str, parameter: Tensor, kept: Tensor) -> Tensor:
    if name != "step":
        return like(parameter, kept, name)
    step = like(torch.zeros(()), kept, name)
    if not 1.0 <= step.item() < math.inf:
        raise BorderError(f"step {step.item()} is no count")
    return step
