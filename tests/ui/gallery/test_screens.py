"""Every screen, at every size and in every look: nothing is cut, nothing overlaps, no panel is mostly empty."""

import pytest

from tools.gallery.scenes import SCENES, Scene, sweep
from tools.picture_checks import faults


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_nothing_is_wrong_with_any_picture(scene: Scene) -> None:
    wrong = [
        f"{size[0]}×{size[1]} {look.name}: {fault}"
        async for size, look, visitor in sweep(scene)
        for fault in faults(visitor.app, measured=scene.measured)
    ]
    assert wrong == []
