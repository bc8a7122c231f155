"""A few digits to train on."""

import pytest

from bntui.data import dataset
from bntui.data.dataset import Dataset
from tests.train.normed import CPU


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Return 128 digits for training, and what belongs to them for validation."""
    return dataset.load("digits", train_size=128, device=CPU)
