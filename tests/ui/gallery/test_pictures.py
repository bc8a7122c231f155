"""Every screen at every size and in every look: nothing cut, nothing over anything, no empty panel."""

import pytest

from tools.gallery.scenes import SCENES, Scene, sweep
from tools.gallery.visit import LOOKS, Look, Size
from tools.picture_checks import faults

Found = dict[tuple[Size, str], list[str]]
_found: dict[str, Found] = {}
"""Of each scene, once one of its pictures was asked for: they are made together, which is quicker."""


async def found_in(scene: Scene) -> Found:
    """Return what is wrong with each picture of a scene."""
    if scene.name not in _found:
        _found[scene.name] = {
            (size, look.name): faults(visitor.app, measured=scene.measured)
            async for size, look, visitor in sweep(scene)
        }
    return _found[scene.name]


@pytest.mark.parametrize(
    ("scene", "size", "look"),
    [
        pytest.param(scene, size, look, id=f"{scene.name}-{size[0]}x{size[1]}-{look.name}")
        for scene in SCENES
        for size in scene.sizes
        for look in LOOKS
    ],
)
async def test_a_picture_is_fit_to_be_shown(scene: Scene, size: Size, look: Look) -> None:
    found = (await found_in(scene))[size, look.name]
    assert not found, "\n".join(found)
