"""The gradient noise scale in words."""

from bntui.engine.snapshot import Snapshot

NORMALISED = {
    "batch": " (BN statistics per half)",
    "ghost": " (BN statistics per ghost batch)",
    "renorm": " (BN statistics per half)",
}
"""What normalised the images of the two halves of a batch that are compared, by the run's norm."""


def noise_scale(snapshot: Snapshot) -> str:
    """Return the scale, its error and the batch size that it suggests; empty until it is measured."""
    noise = snapshot.noise
    if noise is None or noise.measurements < 2 or snapshot.divergence:
        return ""
    if noise.suggested_batch is None:
        return "noise scale: the gradient is lost in its noise"
    return (
        f"noise scale {_rounded(noise.scale)} ± {_rounded(noise.error)}"
        f" → batch {noise.suggested_batch:,}"
    )


def _rounded(value: float) -> str:
    """Write a number with as many digits as it deserves: two."""
    return f"{float(f'{value:.2g}'):,.0f}"
