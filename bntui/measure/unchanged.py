"""Measuring leaves a network as it found it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from bntui.measure.attributes import noted, unregistered


@contextmanager
def unchanged(network: nn.Module, *, weights: bool = False) -> Iterator[None]:
    """Put everything that a pass may change back in the end, also on an error, bit for bit.

    These are all buffers of the network (values, and the tensor objects themselves: others may hold
    references to them), what is registered with its modules (buffers and modules that are new, hooks
    that remove themselves), the mode of every module, and the random streams of torch, of all CUDA
    devices, of MPS where the network is on it, of NumPy and of Python. All other attributes of its
    modules are the same objects again; lists, dicts, sets and deques among them hold what they held,
    and tensors of up to `attributes.MOST` values theirs. What lies deeper, or outside of the modules,
    is left alone: an object's own attributes, globals, what a hook's closure holds.

    With `weights` it is its parameters and their gradients, too, for the `forward` of others may clip its
    weights. That takes a copy of the parameters in the host's memory: no counter of a tensor's versions
    tells of what is written through its `data`. Meanwhile the network has no gradients.
    """
    modules = list(network.modules())
    modes = [module.training for module in modules]
    attributes = [noted(module) for module in modules]
    parameters = list(network.parameters()) if weights else []
    gradients = [parameter.grad for parameter in parameters]
    put_back = [
        *[_kept(buffer, buffer.clone()) for buffer in network.buffers() if not is_lazy(buffer)],
        *[_kept(one, one.detach().clone()) for each in modules for one in unregistered(each)],
        *[_kept(one, one.detach().to("cpu", copy=True)) for one in parameters if not is_lazy(one)],
        _random_streams(network),
    ]
    try:
        for parameter in parameters:
            parameter.grad = None  # rather than a copy: it comes back with its values
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        for put in (*attributes, *put_back):
            put()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient


def _kept(tensor: Tensor, values: Tensor) -> Callable[[], None]:
    """Return what puts a tensor back into the memory that it has now, with these values."""
    memory = tensor.data  # whoever trains does not see what is written through it as a change
    strided = type(memory) is Tensor and memory.layout is torch.strided
    # Values that share their memory, as `expand` has them, are written once.
    if strided and 0 in memory.stride():
        once = tuple(slice(None if step else 1) for step in memory.stride())
        written, values = memory[once], values[once]
    else:
        written = memory

    def put_back() -> None:
        with torch.inference_mode(memory.is_inference()):
            written.copy_(values)
        if strided and not (_kind(tensor) == _kind(memory) and tensor.is_set_to(memory)):
            tensor.data = memory  # `weight.data = …` had moved it

    return put_back


def _kind(tensor: Tensor) -> tuple[torch.dtype, torch.device]:
    return tensor.dtype, tensor.device


def _random_streams(network: nn.Module) -> Callable[[], None]:
    """Note where the random streams stand, and return what puts them back there."""
    count = torch.cuda.device_count() if torch.cuda.is_initialized() else 0
    cuda = [(device, torch.cuda.get_rng_state(device)) for device in range(count)]
    tensors: Iterator[Tensor] = chain(network.parameters(), network.buffers())
    mps = torch.mps.get_rng_state() if any(one.device.type == "mps" for one in tensors) else None
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
