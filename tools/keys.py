"""Writes docs/keys.md from the table of keys: `python -m tools.keys`."""

from pathlib import Path

from bntui.ui.key_lines import HelpLine
from bntui.ui.key_table import SCREENS

FILE = Path(__file__).parents[1] / "docs" / "keys.md"
HEAD = """\
# Keys

Made from `bntui/ui/key_table.py` by `make keys`. The program shows the explorer's keys with `?`, and the command
palette (`ctrl+p`) finds most of them by what they do.

On a chart a click puts the crosshair where the mouse is, and the wheel zooms there.
"""


def markdown() -> str:
    """Return the page: a section a screen, a row a line of the table."""
    parts = [HEAD]
    for screen in SCREENS:
        parts.append(f"\n## {screen.name}\n")
        titled = [(section.title, section.lines) for section in screen.sections]
        if len(titled) < 2:
            titled = [("", tuple(screen.lines))]
        for title, lines in titled:
            heading = f"\n### {title}\n" if title else ""
            rows = "\n".join(f"| {_keys(line)} | {line.does} |" for line in lines)
            parts.append(f"{heading}\n| key | does |\n|---|---|\n{rows}\n")
    return "".join(parts)


def _keys(line: HelpLine) -> str:
    return " ".join(key if key == "–" else f"`{key}`" for key in line.keys.split())


if __name__ == "__main__":
    FILE.write_text(markdown(), encoding="utf-8")
