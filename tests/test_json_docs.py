"""Every key that `bntui run --json` writes is explained in docs/json.md."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.cli.sweep_lines import values_of_run
from bntui.core.settings import OPTIONS
from bntui.store.database import Store
from tests.sweeps.made_up import design, view

DOCS = Path(__file__).parent.parent / "docs" / "json.md"
FREE = {"config", "rows", "hindsight", "settings"}
"""Objects whose keys are names of settings or estimators."""


def keys(value: object, inside: str = "") -> Iterator[str]:
    """Return the keys of objects at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if inside not in FREE or isinstance(item, dict | list):
                yield key
            yield from keys(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, inside)


def test_every_key_is_in_the_docs() -> None:
    tiny = ("run", "--json", "--train-size", "300", "--width", "0.0625", "--device", "cpu")
    runs = (
        (
            "--epochs",
            "8",
            "--batch-size",
            "64",
            "--hindsight",
            "--noise-scale",
            "--at",
            "3:momentum=0.995",
        ),
        ("--epochs", "1", "--twin", "momentum=0.5"),
    )
    lines: list[str] = []
    for options in runs:
        result = CliRunner().invoke(cli, [*tiny, *options], prog_name="bntui")
        assert result.exit_code == 0, result.output
        lines += result.stdout.splitlines()
    found = {key for line in lines for key in keys(json.loads(line))}
    assert {"waiting", "exchanges", "start_share", "training_acc", "remedies"} <= found
    documented = set(re.findall(r"`(\w+)`", DOCS.read_text()))
    assert found - documented == set()


def test_every_key_of_a_sweep_is_in_the_docs() -> None:
    made = view(design(("batch_size", (16, 64))))
    with Store() as store:
        store.put_sweep("mine", made.design)
    listed = CliRunner().invoke(cli, ["sweeps", "--json"], prog_name="bntui").stdout
    lines = [values_of_run(made, made.cells[0]), json.loads(listed)]
    found = {key for line in lines for key in keys(line)} - OPTIONS.keys()
    assert {"standing", "hindsight", "axes", "failed"} <= found
    section = DOCS.read_text().partition("## `bntui sweep --json`")[2]
    assert found - set(re.findall(r"`\"?(\w+)\"?`", section)) == set()
