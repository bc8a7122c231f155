"""Random numbers: a stream for each purpose, all of them derived from a run's seed.

Weights come from torch's own generator, seeded as a script would (see `trainer.py`). If all else were
drawn from the same seed directly, a sample would be the images that training begins with.
"""

from enum import IntEnum

import numpy as np
import torch


class Drawn(IntEnum):
    """What is drawn; the numbers are part of what a seed means, so none is ever changed."""

    ORDER = 1
    """Of the training images, in every epoch."""
    SAMPLE = 2
    """Of the training images, for fresh and recalibrated statistics."""
    NOISE = 3
    """Batches for the gradient noise scale."""


def stream(seed: int, purpose: Drawn, *part: int) -> torch.Generator:
    """Return a generator on the CPU that has nothing to do with other seeds, purposes and parts.

    Seeded as NumPy's SeedSequence spawns its children, with the 32 bits that torch's takes.
    """
    child = np.random.SeedSequence(seed, spawn_key=(purpose, *part))
    return torch.Generator().manual_seed(int(child.generate_state(1)[0]))
