"""docs/gallery.md: every screen, and where its other pictures are."""

from __future__ import annotations

from pathlib import Path

from tools.gallery.scenes import SCENES, Scene
from tools.gallery.visit import LOOKS, SIZES, Look, Size

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "gallery.md"
FOLDER = ROOT / "assets" / "gallery"
ALL = ROOT / "build" / "gallery"
SHOWN_SIZE, SHOWN_LOOK = (120, 40), LOOKS[0]
"""Of the picture that the page itself shows."""
BEGINNING = """\
# Gallery

Every screen of bntui, on a run that was trained for real: the default run, seed 5, whose validation
fails at momentum 0.99. `make pictures` makes this page and its pictures, and a test asserts on every one
that no text is cut, no two texts overlap and, from 120×40 on, no panel is more than 40 % empty.

Each screen is shown at 120×40 on a dark ground. The links below it lead to the same screen at other
sizes and in other looks.
"""


def name_of(scene: Scene, size: Size, look: Look) -> str:
    """Return the name of a picture's file: ASCII is text, all else SVG."""
    suffix = "txt" if look.name == "ascii" else "svg"
    return f"{scene.name}-{size[0]}x{size[1]}-{look.name.replace(' ', '-')}.{suffix}"


def is_kept(scene: Scene, size: Size, look: Look) -> bool:
    """Tell whether a picture lies in the repository.

    Those of the looks at one size and of the sizes in one look show all that differs; the others are
    made in build/gallery.
    """
    if scene.once:
        return (size, look) == (SHOWN_SIZE, SHOWN_LOOK)
    return size == SHOWN_SIZE or look in {SHOWN_LOOK, LOOKS[-1]} or size not in SIZES


def page() -> str:
    """Return the text of docs/gallery.md."""
    return "\n".join([BEGINNING, *map(_section, SCENES)])


def _section(scene: Scene) -> str:
    size = SHOWN_SIZE if SHOWN_SIZE in scene.sizes else scene.sizes[0]
    shown = f"![{scene.caption}]({_path(scene, size, SHOWN_LOOK)})"
    others = [
        f"[{_called(scene, other, look)}]({_path(scene, other, look)})"
        for other in scene.sizes
        for look in LOOKS
        if is_kept(scene, other, look) and (other, look) != (size, SHOWN_LOOK)
    ]
    return "\n\n".join(filter(None, [f"## {scene.caption}", shown, " · ".join(others)])) + "\n"


def _called(scene: Scene, size: Size, look: Look) -> str:
    return f"{size[0]}×{size[1]} {look.name if look.name != 'ascii' else 'ASCII'}"


def _path(scene: Scene, size: Size, look: Look) -> str:
    return f"../{FOLDER.relative_to(ROOT)}/{name_of(scene, size, look)}"
