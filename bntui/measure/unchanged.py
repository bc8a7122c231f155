"""Measuring leaves a network as it found it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

_REGISTERED = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}


@contextmanager
def unchanged(network: nn.Module, *, weights: bool = False) -> Iterator[None]:
    """Put everything that a pass may change back in the end, also on an error, bit for bit.

    These are all buffers of the network (values, and the tensor objects themselves: others may hold
    references to them), what is registered with its modules (buffers and modules that are new, hooks
    that remove themselves), the mode of every module, and the random streams of torch, of all CUDA
    devices, of MPS where the network is on it, of NumPy and of Python.

    With `weights` it is its parameters and their gradients, too, for the `forward` of others may clip its
    weights. That takes a copy of the parameters in the host's memory: no counter of a tensor's versions
    tells of what is written through its `data`. Meanwhile the network has no gradients. Attributes that
    are no tensors of the network, such as a count of calls, are left alone.
    """
    modules = list(network.modules())
    modes = [module.training for module in modules]
    registries = [
        (entries, entries.copy()) for module in modules for entries in _registries(module)
    ]
    parameters = list(network.parameters()) if weights else []
    gradients = [parameter.grad for parameter in parameters]
    put_back = [
        *[_kept(buffer, buffer.clone()) for buffer in network.buffers() if not is_lazy(buffer)],
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
        for entries, before in registries:
            if (entries or before) and _identities(entries) != _identities(before):
                entries.clear()  # the same object again, which handles of hooks refer to
                entries.update(before)
        for put in put_back:
            put()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient


def _registries(module: nn.Module) -> list[Any]:
    """Return the dicts and sets in which a module keeps its tensors, modules and hooks."""
    return [
        entries
        for name, entries in vars(module).items()
        if (name in _REGISTERED or name.endswith("_hooks") or "_hooks_" in name)
        and isinstance(entries, dict | set)
    ]


def _identities(entries: Any) -> list[tuple[Any, int]]:
    if isinstance(entries, dict):
        return [(name, id(entry)) for name, entry in entries.items()]
    return [(name, 0) for name in sorted(entries)]


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
