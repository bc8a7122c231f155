"""The two conventions of momentum, and that settings are fixed."""

from dataclasses import FrozenInstanceError

import pytest

from bntui.core.config import Knobs, RunConfig, looks_like_torch, torch_momentum
from bntui.core.estimators import MOMENTA


@pytest.mark.parametrize("momentum", MOMENTA)
def test_converting_to_torch_s_momentum_and_back_changes_no_bit(momentum: float) -> None:
    assert torch_momentum(torch_momentum(momentum)) == momentum


def test_torch_s_momentum_is_the_share_of_the_new_value() -> None:
    assert torch_momentum(0.99) == 0.01
    assert torch_momentum(0.9) == 0.1
    assert torch_momentum(0.0) == 1.0


def test_only_small_momenta_look_like_torch_s() -> None:
    asked = [m for m in (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99) if looks_like_torch(m)]
    assert asked == [0.001, 0.01, 0.1]


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        RunConfig().seed = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Knobs().momentum = 0.5  # type: ignore[misc]
