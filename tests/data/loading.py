"""Loading a data set in a test, and checking what comes of it."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from bntui.data import dataset
from bntui.data.arrays import Arrays, DataError
from bntui.data.dataset import Dataset

load = partial(dataset.load, device=torch.device("cpu"))


def sentence(dataset: str | Path, **options: object) -> str:
    """Return what `load` complains about, having checked its form."""
    with pytest.raises(DataError) as caught:
        load(str(dataset), **options)  # type: ignore[arg-type]
    text = str(caught.value)
    assert text.isprintable()
    assert text.endswith(".")
    assert ".." not in text
    assert ". " not in text
    assert ": " in text  # what is wrong: the way out
    return text


def files_under(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def assert_standardised(dataset: Dataset, arrays: Arrays, size: int | None = None) -> None:
    """Compare every pixel and label with the definition in float64: by channel, as the docs say."""
    train, validation = (
        (images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1)).astype(np.float64)
        for images in (arrays.train_images[:size], arrays.validation_images)
    )
    mean = train.mean((0, 2, 3), keepdims=True)
    deviation = train.std((0, 2, 3), keepdims=True)
    for split, images, labels in (
        (dataset.train, train, arrays.train_labels[:size]),
        (dataset.validation, validation, arrays.validation_labels),
    ):
        assert split.images.dtype == torch.float32
        assert split.labels.dtype == torch.int64
        expected = torch.from_numpy((images - mean) / deviation)
        torch.testing.assert_close(split.images.double(), expected, rtol=1e-5, atol=1e-5)
        assert torch.equal(split.labels, torch.from_numpy(labels.astype(np.int64)))
