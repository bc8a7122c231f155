"""docs/phase-diagram.md, put together: what was run, the picture, tables, and the sentences of `findings.py`."""

from collections.abc import Iterable, Mapping
from textwrap import fill

from bntui.core.sweep import SweepView
from bntui.sweeps.export.svg import svg
from bntui.sweeps.phase import MOMENTUM, SOUND_GAP, Choice
from tools.phase_diagram import findings
from tools.phase_diagram.data import BASE, COMMAND, FILE, PARTS
from tools.phase_diagram.findings import Table

PICTURE = "phase-diagram.svg"
HEAD = f"""\
# When batch norm fails: findings

Made by `make phase-diagram` from the runs in [{FILE.parent.name}/{FILE.name}]({FILE.parent.name}/{FILE.name}); a test makes it
anew, and checks that each sentence is true of them.

Momenta are Keras's: the share of the old value that a running statistic keeps at an update. Validation is *sound* where
accuracy with running statistics lies at most {SOUND_GAP:g} below that with fresh ones, statistics of training images taken with
the weights at hand; else it *fails*. It is sound *from* an update on where it is at every later epoch's end, too. A *look* is one
run at one epoch's end under one momentum. The *border* is the share mᵗ of the start values (mean 0, variance 1), after t updates at momentum m, that tells looks
that fail from sound ones with the fewest mistakes; any share in the range that stands there does.

Every run keeps statistics for all momenta beside its own, which no training depends on: so one run tells of all. Where
seeds differ, the median stands, with the least and the greatest in brackets.
"""
MORE = (
    ("learning-rate", "The learning rate"),
    ("depth", "Depth"),
    ("width", "Width"),
    ("data-set", "The data set"),
)


def page(views: Mapping[str, SweepView]) -> str:
    """Return the page. Raises UntrueError where the data do not bear out one of its sentences."""
    question = views["batch-size"]
    parts = [
        HEAD,
        "## When does 0.99 fail?\n",
        f"![The phase diagram: momentum over batch size]({PICTURE})\n",
        _table(findings.keras_table(question)),
        _paragraph(findings.keras_sentences(question)),
        "## What is left of the start values\n",
        _table(findings.border_table(question)),
        _paragraph(findings.border_sentences(question)),
    ]
    for name, title in MORE:
        if name in views:
            view = views[name]
            sentences = findings.OF_SETTINGS[name](view)
            parts += [f"## {title}\n", _table(findings.border_table(view)), _paragraph(sentences)]
    if "scaled" in views:
        parts += [
            "## Momentum m^(B/64)\n",
            _table(findings.scaled_table(views["scaled"], question)),
            _paragraph(findings.scaled_sentences(views["scaled"], question)),
        ]
    parts += ["## What was run\n", _commands(views)]
    return "\n".join(parts)


def picture(views: Mapping[str, SweepView]) -> str:
    """Return the diagram of the thread's question as SVG."""
    return svg(views["batch-size"], Choice("batch_size", MOMENTUM))


def _commands(views: Mapping[str, SweepView]) -> str:
    commands = [
        f"    {COMMAND} --name {part.name} --seeds {len(views[part.name].design.seeds)} {part.options}"
        for part in PARTS
        if part.name in views
    ]
    runs = {cell.cell.id for view in views.values() for cell in view.cells}
    seeds = sorted({len(view.design.seeds) for view in views.values()})
    (train,) = {cell.train for view in views.values() for cell in view.cells}
    return (
        f"{len(runs)} runs of {BASE.epochs} epochs of {train:,} images on the CPU, one thread each; with "
        f"{' to '.join(map(str, seeds))} seed{'s' if seeds[-1] > 1 else ''} a setting:\n\n"
        + "\n".join(commands)
        + '\n\nand then `make phase-diagram ARGS="--store FILE"`, which takes these sweeps from a store.\n'
    )


def _table(rows: Table) -> str:
    head, *body = rows
    rule = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))


def _paragraph(sentences: Iterable[str]) -> str:
    return fill(" ".join(sentences), 120, break_on_hyphens=False) + "\n"
