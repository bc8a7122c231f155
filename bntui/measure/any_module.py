"""Any network as a subject: every measurement costs whole passes, and changes nothing for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bntui.measure.hooked import called_before
from bntui.measure.layers import (
    Layers,
    input_of,
    layers_of,
    positions_of,
    running_statistics,
)
from bntui.measure.norms import batch_statistics
from bntui.measure.subject import Samples, Scoring, Stage, set_training
from bntui.measure.unchanged import unchanged

Forward = Callable[[nn.Module, Tensor], Tensor]


class CallRecorder:
    """Takes the statistics of what layers get, call by call, while `recording` lasts."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self.calls: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}
        """Means and biased variances, each (channels,), of every call of a layer."""
        self.values: dict[nn.Module, list[int]] = {}
        """Values per channel that each of these calls brought: a network may count positions as samples."""

    @torch.no_grad()
    def note(self, layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        """Take the statistics of one call: a forward pre-hook."""
        batch = input_of(inputs, named)
        self.calls.setdefault(layer, []).append(self.statistics(batch.detach().float()))
        self.values.setdefault(layer, []).append(batch.numel() // batch.shape[1])

    def statistics(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the biased variances, each (C,), of what a layer gets."""
        return _without_a_copy(batch) if _is_plain(batch) else batch_statistics(batch)

    def weight(self, samples: int) -> int | Tensor:
        """Return how many samples each channel got, for `pool`: 0 (C,) in layers that were not called."""
        called = [layer in self.calls for layer in self._layers.layers]
        return samples if all(called) else samples * self._layers.per_channel(called)

    def row(self) -> Tensor:
        """Return the mean of all calls' means and biased variances: (2, C).

        Running statistics tend to that of a layer that is called several times in a pass, since every
        call moves them. A layer that was not called keeps those that it holds.
        """
        parts = []
        for layer in self._layers.layers:
            calls = self.calls.get(layer) or [running_statistics(layer)]
            part = torch.stack([torch.stack(call) for call in calls]).float().mean(0)
            parts.append(part.to(self._layers.device))  # a network may lie on several devices
        if not parts:
            return self._layers.running()
        return torch.cat(parts, dim=1)


def _is_plain(batch: Tensor) -> bool:
    """Tell whether (N, C, …) lies in the CPU's memory in this order, with several values in the rest."""
    return (
        batch.device.type == "cpu"
        and batch.dim() > 2
        and batch.is_contiguous()
        and batch.shape[2:].numel() > 1
    )


def _without_a_copy(batch: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means and the biased variances, each (C,), of a plain batch.

    For these torch's kernel sums in float64. `batch_statistics` would have to copy it to (N, …, C).
    """
    means, variances = torch.batch_norm_update_stats(batch, None, None, 0.0)
    return means, variances


@contextmanager
def recording(layers: Layers, kind: type[CallRecorder] = CallRecorder) -> Iterator[CallRecorder]:
    """Take the statistics of the batches that go through the layers' network meanwhile."""
    recorder = kind(layers)
    with called_before(layers.layers, recorder.note):
        yield recorder


def training_modules(network: nn.Module) -> set[nn.Module]:
    """Return the modules that are in training mode while the network trains; changes their modes.

    As the network was found, if it was in training mode itself; else as its `train()`, which may be
    overridden to keep some in eval mode, puts it. Layers with running statistics and no momentum, such as
    torchvision's `FrozenBatchNorm2d`, are none in any mode.
    """
    frozen = {one for one in network.modules() if network.training and not one.training}
    frozen |= {layer for _, layer in layers_of(network) if not hasattr(layer, "momentum")}
    network.train()
    return {one for one in network.modules() if one.training} - frozen


class AnyModule:
    """A network that isn't ours, with its samples. Changes nothing of it.

    `forward` runs a batch through the network, where that takes more than calling it.
    """

    def __init__(
        self,
        network: nn.Module,
        training: Samples,
        validation: Samples,
        scoring: Scoring,
        forward: Forward = lambda network, inputs: network(inputs),
    ) -> None:
        self.network = network
        self.training = training
        self.validation = validation
        self.scoring = scoring
        self._forward = forward
        found = layers_of(network)
        layers = tuple(layer for _, layer in found)
        with torch.no_grad(), unchanged(network):
            self._trains = training_modules(network)
            network.eval()
            positions = positions_of(layers, lambda: self.forward(training.inputs[:1]))
        self.layers = Layers.of(found, positions, training.inputs.device)

    def trains(self, module: nn.Module) -> bool:
        """Return whether a module is in training mode while the network trains."""
        return module in self._trains

    def forward(self, inputs: Tensor) -> Tensor:
        """Run a copy of one batch (N, …) through the network as it stands: some networks work in place."""
        return self._forward(self.network, inputs.clone())

    def stages(self) -> list[Stage]:
        """Return the whole network as one stage: nobody knows where it could be cut."""
        return [Stage(range(len(self.layers)), self.forward)]

    def collect(self, inputs: Tensor) -> Tensor:
        """Return the biased statistics (2, C) of one training-mode pass; changes nothing."""
        with torch.no_grad(), unchanged(self.network), recording(self.layers) as recorder:
            set_training(self)
            self.forward(inputs)
            return recorder.row()
