"""What is not measured of a watched model's statistics, and why: a sentence each."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bntui.core.text import exact
from bntui.probe.watching.tracked_layer import TrackedLayer, is_unbuilt

NEGLIGIBLE = 0.01
"""Of a running variance, more than what rounding makes of a batch's variance of 0."""
NAMED = 3
"""Layers that a sentence names, at most."""


def not_measured(
    model: nn.Module, tracked: Sequence[TrackedLayer], sampled_every: int, wrong: Sequence[str]
) -> tuple[str, ...]:
    """Return what was not measured of a model, or not exactly.

    `wrong`: the layers that were found `impossible`.
    """
    notes = [*_of_calls(model, tracked, sampled_every)]
    if wrong:
        notes.append(
            f"{_some(wrong)}: running variances move otherwise than torch's momentum says, so what was "
            "recovered of their batches is wrong."
        )
    return tuple(notes)


def impossible(tracked: Sequence[TrackedLayer], recent: Tensor, own: Tensor) -> tuple[str, ...]:
    """Return the layers of whose batches, `recent` (2, C), variances below 0 were recovered.

    `own`, (2, C), is what their buffers hold. Only a layer that moves them in another way makes more of
    these than rounding does.
    """
    below = (recent[1] < -NEGLIGIBLE * own[1]).cpu()
    return tuple(one.name for one in tracked if below[one.start : one.end].any())


def _of_calls(model: nn.Module, tracked: Sequence[TrackedLayer], every: int) -> Iterator[str]:
    without = [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is None and not is_unbuilt(layer)
    ]
    if without:
        yield f"{_some(without)}: no running statistics to follow (track_running_stats=False)."
    held = [one.name for one in tracked if one.held]
    if held:
        yield (
            f"{_some(held)}: inputs were sampled every {every} updates, since an update changes the "
            "running statistics too little to recover a batch's from them."
        )
    blind = [one.name for one in tracked if one.sampled and not one.held]
    if blind:
        yield f"{_some(blind)}: running statistics change too little, and no input was seen."
    several = [one for one in tracked if one.most_polled > 1]
    if several:
        calls = max(one.most_polled for one in several)
        yield (
            f"{_some([one.name for one in several])}: called {calls} times an update in compiled code, "
            "where the calls can't be told apart: each is taken for their mean."
        )
    lost = [one for one in tracked if one.lost]
    if lost:
        most = max(one.lost for one in lost)
        yield (
            f"{_some([one.name for one in lost])}: {exact(most)} moves were overwritten by other code "
            "before they could be taken."
        )


def _some(names: Sequence[str]) -> str:
    """Name layers: all, or some and how many more."""
    more = len(names) - NAMED
    listed = ", ".join(name or "the model" for name in names[:NAMED])
    return f"{listed} and {more} more" if more > 0 else listed
