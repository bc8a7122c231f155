"""Writes docs/phase-diagram.md and its picture: `python -m tools.phase_diagram`."""

import argparse
from pathlib import Path

from bntui.core.sweep import SweepView
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from tools.phase_diagram import data
from tools.phase_diagram.page import PICTURE, page, picture

DOCS = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Write the page and the picture; the data, too, where a store is named that has the sweeps."""
    parser = argparse.ArgumentParser(description="Write docs/phase-diagram.md from its data.")
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FILE",
        help="take the data from the sweeps in this store first",
    )
    store = parser.parse_args().store
    if store:
        data.FILE.write_text("".join(data.lines(_swept(store))), encoding="utf-8")
    views = data.read()
    (DOCS / "phase-diagram.md").write_text(page(views), encoding="utf-8")
    (DOCS / PICTURE).write_text(picture(views), encoding="utf-8")


def _swept(path: Path) -> list[SweepView]:
    with Store(path) as store:
        there = {one.name for one in store.sweeps()}
    return [read_sweep(path, part.name) for part in data.PARTS if part.name in there]


if __name__ == "__main__":
    main()
