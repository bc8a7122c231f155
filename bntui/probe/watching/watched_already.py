"""Whether a model that was found is watched already, by the script itself for one."""

from collections.abc import Iterable

from torch import Tensor

from bntui.measure.layers import running_statistics
from bntui.probe.watching import steps
from bntui.probe.watching.watched_training import Watching


def is_watched(means: Iterable[Tensor]) -> bool:
    """Tell whether somebody watches a layer whose running mean is among these tensors."""
    watched = {
        id(running_statistics(layer)[0])
        for one in steps.listeners()
        if isinstance(one, Watching)
        for layer in one.statistics.layers.layers
    }
    return any(id(mean) in watched for mean in means)
