"""The command line that repeats a run, live changes included."""

import shlex
from dataclasses import fields

from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import Snapshot

FLAGS = {"learning_rate": "lr"}
"""Options that are not called like the field they set."""


def command_line(snapshot: Snapshot) -> str:
    """Return the `bntui run …` that trains to where `snapshot` is, bit for bit on the same CPU."""
    config, default = snapshot.config, RunConfig()
    words = ["bntui", "run"]
    for field in fields(RunConfig):
        value = getattr(config, field.name)
        if field.name in {"knobs", "at", "steps", "epochs"} or value is None:
            continue
        if value != getattr(default, field.name):
            words += [_flag(field.name)] if value is True else [_flag(field.name), _written(value)]
    for field in fields(Knobs):
        value = getattr(config.knobs, field.name)
        if value != getattr(default.knobs, field.name):
            words += [_flag(field.name), _written(value)]
    words += ["--steps", str(max(1, snapshot.update))]
    for mark in snapshot.marks:
        if mark.change and mark.update <= snapshot.update:
            words += ["--at", f"{mark.update}:{mark.change}"]
    return shlex.join(words)


def _flag(field: str) -> str:
    return "--" + FLAGS.get(field, field).replace("_", "-")


def _written(value: object) -> str:
    """Write a number with every digit it needs, and whole ones without a point."""
    whole = isinstance(value, float) and value.is_integer()
    return f"{value:.0f}" if whole else str(value)
