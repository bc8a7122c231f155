"""What holds for all tests of the screen."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for garbage, which takes a quarter of the time of these tests."""
    yield
    gc.enable()
