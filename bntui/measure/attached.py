"""Our own network as a subject: a sequence of layers whose running buffers are views of one row.

Rows that agree in the first layers share the passes through them, and statistics are taken from where
training leaves them.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from bntui.measure.folded import run_folded
from bntui.measure.statistics import Buffers
from bntui.measure.subject import Samples, Scoring, Stage
from bntui.measure.unchanged import unchanged


@dataclass(frozen=True, slots=True, eq=False)
class Attached:
    """A network that `attach` was called for, with its samples."""

    network: nn.Sequential
    layers: Buffers
    training: Samples
    validation: Samples
    scoring: Scoring

    def trains(self, module: nn.Module) -> bool:
        """Return whether a module is in training mode while the network trains: all are."""
        return True

    def forward(self, inputs: Tensor) -> Tensor:
        """Run one batch (N, …) through the network as it stands."""
        outputs: Tensor = self.network(inputs)
        return outputs

    def stages(self) -> list[Stage]:
        """Cut the network before every BN layer, and the padding before it: the first stage has none."""
        of_layers, modules = set(self.layers.layers), list(self.network)
        cuts = [
            place - isinstance(modules[place - 1], nn.ZeroPad2d)
            for place, module in enumerate(modules)
            if module in of_layers
        ]
        ends = [*cuts, len(modules)]
        return [
            Stage(range(max(0, number - 1), number), partial(run_folded, modules[start:end]))
            for number, (start, end) in enumerate(zip([0, *cuts], ends, strict=True))
        ]

    def collect(self, inputs: Tensor) -> Tensor:
        """Return the biased statistics (2, C) of one training-mode pass; changes nothing.

        Those of a ghost net are the mean of its sub-batches'. A renorm net's layers are plain BN here:
        only then does each layer get the input in eval mode, under the statistics returned, that it
        had when they were taken.
        """
        with torch.no_grad(), self.layers.uncorrected(), unchanged(self.network):
            self.layers.row.zero_()  # else 0·NaN could outlive what it holds
            self.network.train()
            self.network(inputs)
            return self.layers.batch_row(len(inputs))
