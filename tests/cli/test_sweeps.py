"""`bntui sweeps`: what is kept."""

import json

from click.testing import CliRunner

from bntui.cli.main import cli
from tests.cli.sweeping import keep
from tests.sweeps.made_up import design


def test_sweeps_are_listed() -> None:
    runner = CliRunner()
    assert "No sweep is kept yet" in runner.invoke(cli, ["sweeps"]).stdout
    keep(design(("batch_size", (16, 64)), seeds=2), "mine")
    keep(design(("depth", (0, 1))), "depths")
    head, first, second = runner.invoke(cli, ["sweeps"]).stdout.splitlines()
    assert head.split() == ["sweep", "begun", "runs", "varies", "standing"]
    assert first.split()[0] == "depths"
    assert second.endswith("batch-size 16, 64 × 2 seeds  4 waiting")
    lines = map(json.loads, runner.invoke(cli, ["sweeps", "--json"]).stdout.splitlines())
    assert [(line["sweep"], line["axes"], line["waiting"]) for line in lines] == [
        ("depths", {"depth": [0, 1]}, 2),
        ("mine", {"batch-size": [16, 64]}, 4),
    ]
