"""The data sets in the package: digits of MNIST, patches of photographs (see `built_in_files/README.md`)."""

import hashlib
import io
from dataclasses import dataclass
from importlib import resources

import numpy as np

from bntui.core.text import reason
from bntui.data.arrays import Arrays, DataError

NAMES = ("train_images", "train_labels", "validation_images", "validation_labels")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One `.npz`: 4,000 images for training and 1,000 for validation, uint8 (N, 28, 28)."""

    file: str
    sha256: str
    class_names: tuple[str, ...]

    def read(self) -> Arrays:
        """Read all of it. Raises DataError."""
        source = resources.files("bntui.data.built_in_files") / self.file
        try:
            content = source.read_bytes()
        except OSError as error:
            raise DataError(
                f"{source} can't be read ({reason(error)}): install bntui again."
            ) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DataError(f"{source} is damaged (wrong SHA-256): install bntui again.")
        with np.load(io.BytesIO(content)) as stored:
            return Arrays(**{name: stored[name] for name in NAMES}, class_names=self.class_names)


DIGITS = BuiltIn(
    "digits.npz",
    "7eadfeef8efd9baa595358d954f20f7bdd0d33e6f49a73e84ad205a149a883e4",
    tuple("0123456789"),
)
PHOTOS = BuiltIn(
    "photos.npz",
    "ade3dbfb3e21eba4acda0a4e1b2eb99145b509e9702879870cffe7ff4ae8317e",
    (
        *("astronaut", "brick", "camera", "cat", "coffee"),
        *("grass", "gravel", "galaxies", "retina", "rocket"),
    ),
)
BUILT_IN_SETS = {"digits": DIGITS, "photos": PHOTOS}
