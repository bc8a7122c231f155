"""The built-in digits: 5,000 of MNIST, in the package (see `bntui/datasets/README.md`)."""

import hashlib
import io
from importlib import resources

import numpy as np

from bntui.engine.datafiles.arrays import Arrays, DataError, reason

SHA256 = "7eadfeef8efd9baa595358d954f20f7bdd0d33e6f49a73e84ad205a149a883e4"
NAMES = ("train_images", "train_labels", "validation_images", "validation_labels")
CLASS_NAMES = tuple("0123456789")


def read_digits() -> Arrays:
    """Read the built-in digits: 4,000 images for training, 1,000 for validation.

    Raises DataError.
    """
    source = resources.files("bntui.datasets") / "digits.npz"
    try:
        content = source.read_bytes()
    except OSError as error:
        raise DataError(
            f"{source} can't be read ({reason(error)}): install bntui again."
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{source} is damaged (wrong SHA-256): install bntui again.")
    with np.load(io.BytesIO(content)) as stored:
        return Arrays(**{name: stored[name] for name in NAMES}, class_names=CLASS_NAMES)
