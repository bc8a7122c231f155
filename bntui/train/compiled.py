"""The network as torch compiles it for the machine at hand."""

import os
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bntui.core.text import ConfigError
from bntui.machine import environment, libraries
from bntui.machine.places import has_name, temporary_folder


def compiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return `model` compiled: at its first batch, which takes a minute, and at new batch sizes.

    Raises ConfigError where torch's compiler can't be loaded; calling the result does where torch
    finds no C++ compiler for this machine.
    """
    # torch puts what it compiles into the folder of temporary files, under the user's name, and fails
    # where it finds no such folder or no name.
    folder = temporary_folder()
    if folder is None or not has_name():
        cache = folder / f"torchinductor_{os.getuid()}" if folder else "/"
        environment.suggest("TORCHINDUCTOR_CACHE_DIR", str(cache))
    with libraries.loading("torch's compiler"):
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
