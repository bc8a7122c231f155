"""Positions that are padded with zeros, and counted in the statistics of BN."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bntui.diagnose.significance import harms
from bntui.measure.any_module import CallRecorder
from bntui.measure.hooked import called_before
from bntui.measure.layers import input_of
from bntui.measure.norms import batch_statistics
from bntui.measure.unchanged import unchanged
from bntui.probe.batches import size
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.collected import collect
from bntui.probe.harm import by_mode, compared, harmed, modes_apart, own_helps, told
from bntui.probe.numbers import percent
from bntui.probe.probed import Probed

PADDED = 0.2
"""Share of a layer's positions that are zero in all channels, at the end, from which on they are named."""


class Unpadded(CallRecorder):
    """Takes the statistics of the positions that are not zero in all channels."""

    def statistics(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the biased variances, each (C,)."""
        channels = batch.shape[1]
        rows = batch.movedim(1, -1).reshape(-1, channels)
        kept = rows[(rows != 0).any(1)]
        return batch_statistics(kept if len(kept) > 1 else rows)


def padded(batch: Tensor) -> float:
    """Return the share of positions of (N, C, L) that are padding, at one end of the samples.

    Padding has one value in each channel, the same in all samples: 0, or what a layer before made of 0.
    Samples that have it at both ends, as images with margins do, have none. Of (N, C) it is the share of
    samples that are 0 in all channels.
    """
    if batch.dim() == 2:
        return float((batch == 0).all(1).double().mean())
    if batch.dim() != 3 or batch.shape[2] < 2:
        return 0.0
    at_end, at_begin = _run(batch), _run(batch.flip(2))
    if bool(((at_end > 0) & (at_begin > 0) & (at_end < batch.shape[2])).any()):
        return 0.0
    return float(torch.maximum(at_end.sum(), at_begin.sum())) / (len(batch) * batch.shape[2])


def _run(batch: Tensor) -> Tensor:
    """Return how many positions at the end of each sample of (N, C, L) are padding: (N,)."""
    last = batch[:, :, -1]
    values, kinds, counts = last.unique(dim=0, return_inverse=True, return_counts=True)
    common = counts.argmax()
    if int(counts[common]) < 2 and not bool((values[common] == 0).all()):
        return torch.zeros(len(batch), device=batch.device)
    equal = (batch == values[common][None, :, None]).all(1)
    run = equal.flip(1).long().cumprod(1).sum(1)
    alone = (run == 1) & (kinds == common) & bool((values[common] != 0).any())
    return torch.where(alone, 0, run).double()


def padding(probed: Probed) -> Finding | None:
    """Name positions that are padded with zeros and counted by BN."""
    if not probed.collected:
        return None
    if not max(_zeros(probed, [probed.small])):
        return None
    shares = _zeros(probed, probed.collected.kept)
    place = max(range(len(shares)), key=lambda one: shares[one])
    share = shares[place]
    if share < PADDED:
        return None
    there = _zeros(probed, probed.validation)[place]
    evidence = [
        f"{percent(share)} of the positions that layer {probed.layers.names[place]} gets of training batches are padding, "
        f"the same in all samples at one end ({percent(there)} of validation's): they count in its mean and variance."
    ]
    if probed.running is not None:
        batches = probed.training_batches()
        rows = collect(probed, batches, recorder=Unpadded).rows
        cured = probed.evaluate(probed.pooled(rows))
        if harms(probed.running.less(cured)):
            evidence.append(
                f"Under statistics without these positions validation is {told(cured, probed)}, "
                f"{told(probed.running, probed)} under the running ones."
            )
    if harmed(probed) and abs(share - there) > PADDED / 2.0:
        evidence.append(compared(probed))
    if modes_apart(probed):
        evidence.append(by_mode(probed))
    if probed.own is not None and probed.running is not None and own_helps(probed):
        evidence.append(
            f"Under the statistics of validation's own padding it is {told(probed.own, probed)}, "
            f"{told(probed.running, probed)} under the running ones."
        )
    harm = len(evidence) > 1
    remedies = (
        "leave padded positions out: BN over the valid ones, x[mask] as (tokens, channels), or a norm of "
        "each position by itself (LayerNorm)",
        "sort samples by length, so that batches have little padding",
    )
    severity = Severity.UNSOUND if harm else Severity.WARNING
    return Finding(Cause.PADDING, severity, tuple(evidence), remedies)


def _zeros(probed: Probed, batches: Sequence[object]) -> tuple[float, ...]:
    """Return, of each layer, the share of positions that are padding: the mean over samples."""
    found: dict[nn.Module, float] = {}
    share = 0.0  # of all samples, that of the batch at hand
    samples = sum(map(size, batches))

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        found[layer] = found.get(layer, 0.0) + share * padded(input_of(inputs, named))

    with unchanged(probed.model):
        probed.model.eval()
        with called_before(probed.layers.layers, note):
            for batch in batches:
                share = size(batch) / samples
                probed.run(batch)
    return tuple(found.get(layer, 0.0) for layer in probed.layers.layers)
