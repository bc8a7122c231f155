"""Measuring leaves a network as it found it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


@contextmanager
def unchanged(network: nn.Module) -> Iterator[None]:
    """Put everything that a pass may change back in the end, also on an error, bit for bit.

    These are all buffers of the network (values, and the tensor objects themselves: others may hold
    references to them), the mode of every module, and the random streams of torch, of the devices
    that the network is on, of NumPy and of Python.
    """
    modules = list(network.modules())
    modes = [module.training for module in modules]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.clone())
        for module in modules
        for name, buffer in module._buffers.items()
        if buffer is None or not is_lazy(buffer)
    ]
    put_streams_back = _random_streams(network)
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for module, name, buffer, value in buffers:
            module._buffers[name] = buffer
            if buffer is not None and value is not None:
                buffer.data.copy_(value)  # `data`: whoever trains does not see it as a change
        put_streams_back()


def _random_streams(network: nn.Module) -> Callable[[], None]:
    """Note where the random streams stand, and return what puts them back there."""
    tensors: Iterator[Tensor] = chain(network.parameters(), network.buffers())
    devices = {tensor.device for tensor in tensors}
    cuda = [
        (device, torch.cuda.get_rng_state(device)) for device in devices if device.type == "cuda"
    ]
    mps = torch.mps.get_rng_state() if any(device.type == "mps" for device in devices) else None
    cpu, numpy, python = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - the network's

    def put_back() -> None:
        for device, state in cuda:
            torch.cuda.set_rng_state(state, device)
        if mps is not None:
            torch.mps.set_rng_state(mps)
        torch.set_rng_state(cpu)
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)

    return put_back
