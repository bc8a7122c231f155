"""Make the gallery, its page, and the README's moving picture: `make pictures`.

Screens show what real runs showed (`tools/gallery/training.py`), which the repository keeps: so the same
program gives the same pictures, byte for byte, but for what a picture tells of today. `--train` trains
these runs anew first, which takes minutes on a quiet machine. Names of screens make those alone; the training beside `bntui attach`, which is live, has the name attach-beside.

What the repository keeps of the pictures lies in assets/, all of them in build/gallery/. Last comes what
`bntui check` says of its example.
"""

import asyncio
import os
import runpy
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

import bntui
from bntui import cli
from bntui.cli.check import EXAMPLE
from bntui.cli.user_code import FUNCTION
from tools.gallery import training
from tools.gallery.beside import beside
from tools.gallery.page import ALL, FOLDER, PAGE, ROOT, is_kept, name_of, page
from tools.gallery.scenes import SCENES, Scene, sweep
from tools.gallery.story import story
from tools.gallery.svg import as_text, still
from tools.picture_checks.shown import cells
from tools.svg import slim

ASSETS = ROOT / "assets"
CHECK_WIDTH = 100
BESIDE = "attach-beside"


async def gallery(scenes: list[Scene]) -> None:
    """Draw scenes at every size and in every look."""
    for scene in scenes:
        async for size, look, visitor in sweep(scene):
            rows, name = cells(visitor.app), name_of(scene, size, look)
            text = name.endswith(".txt")
            drawn = as_text(rows) if text else still(rows, sixteen=look.sixteen)
            write(ALL / name, drawn)
            if is_kept(scene, size, look):
                write(FOLDER / name, drawn)
        print(f"{scene.name}: at {len(scene.sizes)} sizes", flush=True)


def check() -> str:
    """Return a picture of what `bntui check` says of the file that `bntui check --example` writes."""
    parts = runpy.run_path(str(Path(cli.__file__).with_name(EXAMPLE)))[FUNCTION]()
    report = bntui.check(parts["model"], parts["validation"], parts["training"])
    console = Console(record=True, width=CHECK_WIDTH + 2, file=StringIO(), force_terminal=True)
    console.print(report, "", width=CHECK_WIDTH)  # neither a long line nor the last one at the edge
    return slim(console.export_svg(title=f"bntui check {EXAMPLE}:{FUNCTION}"))


def write(path: Path, content: str) -> None:
    """Write a picture or a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def main(*words: str) -> None:
    """Make all pictures, or those of the screens that are named."""
    names = [word for word in words if word != "--train"]
    if "--train" in words:
        training.main()
    asyncio.run(gallery([scene for scene in SCENES if not names or scene.name in names]))
    write(PAGE, page())
    if not names or "story" in names:
        write(ASSETS / "story.svg", asyncio.run(story()))
    if not names or "check" in names:
        write(ASSETS / "check.svg", check())
    if BESIDE in names or "--train" in words:
        write(ASSETS / f"{BESIDE}.svg", asyncio.run(beside()))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        os.environ["BNTUI_STORE"] = str(Path(folder) / "runs.sqlite")
        main(*sys.argv[1:])
