"""The optimisers, each with one method: `update(learning_rate)`."""

import math

import torch

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


def optimiser(name: str, parameters: list[torch.nn.Parameter]) -> Optimiser:
    """Return the optimiser called `name`: one of `config.OPTIMIZERS`."""
    return Sgd(parameters) if name == "sgd" else KerasAdam(parameters)
