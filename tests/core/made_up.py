"""What the program makes of one setting: run where the table has a row more, it prints what it found.

python -m tests.core.made_up FIELD
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.command_line import command_line
from bntui.core.config import RunConfig
from bntui.core.settings import SETTINGS, config_of, twin_of, value_of, with_values
from bntui.core.snapshot import Snapshot
from bntui.experiments.library import configs_of, find
from bntui.store.database import Store
from bntui.store.listing import matching
from bntui.ui.runs.differences import differing
from tests.store.recorded import keep
from tests.ui.user import opened

EXPERIMENT = """
title = "T"
hypothesis = "H"
watch = "W"
[question]
text = "Q"
choices = [{ text = "a", right = "one.acc > 0.5" }, { text = "b" }]
[options]
NAME = 7
[arm.one]
[[claim]]
holds = "one.acc > 0.5"
text = "t"
"""


def options(*words: str) -> RunConfig:
    """Return the run that a command line describes."""
    params = cli.commands["run"].make_context("run", list(words)).params
    return config_of({name: params[name] for name in SETTINGS})[0]


def bntui(*words: str) -> str:
    return CliRunner().invoke(cli, words, prog_name="bntui").output


async def turned_once(name: str) -> object:
    """Return what a knob's first step up makes of the setting, by way of the screen."""
    async with opened(config=RunConfig()) as user:
        if not SETTINGS[name].live:
            await user.press("k")
        await user.choose(name)
        await user.press("right")
        if SETTINGS[name].live:
            return getattr(user.run.applied[-1], name)
        await user.press("r")
        return value_of(user.run.snapshot.config, name)


def found(name: str, folder: Path) -> dict[str, Any]:
    config = with_values(RunConfig(), {name: 7})
    (folder / "made-up.toml").write_text(EXPERIMENT.replace("NAME", name))
    run = keep(folder / "runs.sqlite", updates=1, config=config)
    with Store(folder / "runs.sqlite") as store:
        kept = store.runs()
    (arm,) = configs_of(find(str(folder / "made-up.toml")), {})
    at = f"97:{name}=7"
    return {
        "help": [line.split() for line in bntui("run", "--help").splitlines() if name in line],
        "command line": value_of(options(f"--{name}", "7"), name),
        "refusal": bntui("run", f"--{name}", "70"),
        "experiment": value_of(arm, name),
        "knob": asyncio.run(turned_once(name)),
        "at": options("--at", at).at[0].value if SETTINGS[name].live else bntui("run", "--at", at),
        "twin": value_of(twin_of(options("--twin", f"{name}=7")), name),
        "repeat": command_line(Snapshot(config=config)),
        "store": value_of(kept[0].config, name),
        "search": [one.id == run for one in matching(kept, f"{name}=7")],
        "differences": differing(Snapshot(config=config), Snapshot()),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(found(sys.argv[1], Path(folder))))
