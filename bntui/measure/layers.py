"""The layers of a network that have running statistics, found by what they are and not by class.

All statistics of a network are one *row*: a float32 tensor (2, C) with the means and the biased
variances of all C channels, layer after layer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.parameter import is_lazy

from bntui.measure.hooked import called_before


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers with running statistics, each once, in the order of the network's modules."""

    names: tuple[str, ...]
    layers: tuple[nn.Module, ...]
    positions: tuple[int, ...]
    """Values per channel that one image brings to each layer: height times width. Of a layer that is
    called several times its smallest call's, and 0 where it is not called."""
    channels: tuple[int, ...]
    """Channels of each layer; they sum to C."""
    device: torch.device
    """Of the rows."""

    @classmethod
    def of(
        cls,
        found: Sequence[tuple[str, nn.Module]],
        positions: Mapping[nn.Module, int],
        device: torch.device,
    ) -> "Layers":
        """Describe what `layers_of` has found and `positions_of` has seen."""
        names, layers = tuple(name for name, _ in found), tuple(layer for _, layer in found)
        return cls(
            names,
            layers,
            tuple(positions.get(layer, 0) for layer in layers),
            tuple(running_statistics(layer)[0].numel() for layer in layers),
            device,
        )

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self.layers)

    def parts(self, row: Tensor) -> tuple[Tensor, ...]:
        """Split a row (…, C) into its layers' parts, which share its memory."""
        return row.split(self.channels, dim=-1) if self.layers else ()

    def per_channel(self, values: Iterable[float]) -> Tensor:
        """Repeat one value a layer over its channels: (C,)."""
        repeated = np.repeat(np.fromiter(values, np.float32), self.channels)
        return torch.from_numpy(repeated).to(self.device)

    def scale(self) -> Tensor:
        """Return the learned scale γ of every channel, 1 where none is learned: (C,)."""
        return self._joined([_learned(layer, "weight", 1.0) for layer in self.layers])

    def shift(self) -> Tensor:
        """Return the learned shift β of every channel, 0 where none is learned: (C,)."""
        return self._joined([_learned(layer, "bias", 0.0) for layer in self.layers])

    def epsilon(self) -> Tensor:
        """Return the epsilon of every channel: (C,)."""
        return self.per_channel(float(layer.eps) for layer in self.layers)  # type: ignore[arg-type]

    def running(self) -> Tensor:
        """Return the running statistics (2, C) that the layers hold, a copy."""
        both = [running_statistics(layer) for layer in self.layers]
        return torch.stack([self._joined([one[number] for one in both]) for number in (0, 1)])

    def put(self, places: Iterable[int], parts: tuple[Tensor, ...]) -> None:
        """Write the layers' parts (2, channels) of a row into the running buffers of some of them.

        Through their `data`: a graph that has yet to run backward would refuse buffers that were changed.
        """
        for place in places:
            for buffer, values in zip(
                running_statistics(self.layers[place]), parts[place], strict=True
            ):
                with torch.inference_mode(buffer.is_inference()):
                    buffer.data.copy_(values)

    def _joined(self, tensors: list[Tensor]) -> Tensor:
        if not tensors:
            return torch.zeros(0, device=self.device)
        return torch.cat([one.detach().to(self.device, torch.float32) for one in tensors])


def layers_of(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the layers with running statistics by name; one that is shared once.

    They have a one-dimensional `running_mean` and `running_var` and an `eps`: BN of every dimension,
    synchronised, frozen, and other libraries'. Instance norm has them, too, but normalises every image
    by itself. Without buffers (`track_running_stats=False`) there is nothing to exchange.
    """
    return [(name, layer) for name, layer in network.named_modules() if has_statistics(layer)]


def has_statistics(layer: nn.Module) -> bool:
    """Tell whether a module is a layer with running statistics."""
    if isinstance(layer, _InstanceNorm) or not isinstance(getattr(layer, "eps", None), float):
        return False
    both = [getattr(layer, name, None) for name in ("running_mean", "running_var")]
    return all(isinstance(one, Tensor) and not is_lazy(one) and one.dim() == 1 for one in both)


def running_statistics(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the running mean and the running variance of a layer that has them: its own buffers."""
    mean, variance = layer.running_mean, layer.running_var
    assert isinstance(mean, Tensor)
    assert isinstance(variance, Tensor)
    return mean, variance


def positions_of(layers: Iterable[nn.Module], run: Callable[[], object]) -> dict[nn.Module, int]:
    """Return the values per channel that one image brings to each of `layers` that `run` calls."""
    positions: dict[nn.Module, int] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        batch = input_of(inputs, named)
        here = batch[0].numel() // batch.shape[1]
        positions[layer] = min(here, positions.get(layer, here))

    with called_before(layers, note):
        run()
    return positions


def input_of(inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> Tensor:
    """Return the batch that a layer was called with, by its place or by its name."""
    return inputs[0] if inputs else next(iter(named.values()))


def _learned(layer: nn.Module, name: str, otherwise: float) -> Tensor:
    value = getattr(layer, name, None)
    if isinstance(value, Tensor):
        return value
    return torch.full_like(running_statistics(layer)[0], otherwise)
