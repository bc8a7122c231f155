"""The network as torch compiles it for the machine at hand."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bntui.core.text import ConfigError


def compiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return `model` compiled: at its first batch, which takes a minute, and at new batch sizes.

    Calling it raises ConfigError where torch finds no compiler for this machine.
    """
    from torch._dynamo.exc import TorchDynamoException

    network = torch.compile(model)

    def forward(images: Tensor) -> Tensor:
        try:
            logits: Tensor = network(images)
        except TorchDynamoException as error:
            fault = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"torch can't compile the network on this machine ({fault}): install a C++ "
                "compiler, or leave --compile out."
            ) from error
        return logits

    return forward
