"""The gradient noise scale on the screen."""

from bntui.core.snapshot import Snapshot
from bntui.diagnose.noise_words import noise_words

NORMALISED = {
    "batch": " (BN per part)",
    "ghost": " (BN per ghost batch)",
    "renorm": " (BN per part)",
}
"""Whose BN statistics normalised the images of the parts of a batch that are compared, by the norm."""


def noise_scale(snapshot: Snapshot) -> str:
    """Return what is known of the scale, in one line; empty until it is measured."""
    if snapshot.noise is None or snapshot.facts is None or snapshot.divergence:
        return ""
    return noise_words(snapshot.noise, snapshot.facts.train)
