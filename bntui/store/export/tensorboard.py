"""A stored run as TensorBoard's event files. Imports torch when it is used."""

from pathlib import Path

import numpy as np

from bntui.store.database import Store
from bntui.store.schema import StoreError

EVENTS = "events.out.tfevents.*"
"""What TensorBoard reads in a folder; it takes several of them for one run."""


def write_events(store: Store, run: str, folder: Path) -> None:
    """Write every series as scalars, a step each update, at the times at which they were measured.

    `drift:conv1_bn` becomes `drift/conv1_bn`, so that TensorBoard groups the layers. Values are
    float32, TensorBoard's own. Raises StoreError, OSError.
    """
    stored, points = store.run(run), store.points(run)
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise StoreError(
            "TensorBoard's files need the package tensorboard: pip install 'bntui[tensorboard]'."
        ) from None
    begun = stored.started.timestamp()
    clock = points.get("seconds")
    with SummaryWriter(str(folder)) as writer:
        for name, series in points.items():
            after = np.zeros(len(series.updates))
            if clock is not None:
                after = np.interp(series.updates, clock.updates, clock.values)
            for update, value, when in zip(
                series.updates.tolist(), series.values.tolist(), after.tolist(), strict=True
            ):
                writer.add_scalar(name.replace(":", "/", 1), value, update, begun + when)
