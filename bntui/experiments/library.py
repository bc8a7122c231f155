"""Finds guided experiments: the built-in ones by name or number, others by their file.

`reader.py` reads such a file and checks it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from bntui.core import settings
from bntui.core.config import RunConfig
from bntui.core.text import literal
from bntui.experiments.claims import nearest
from bntui.experiments.experiment import Arm, Experiment
from bntui.experiments.reader import parse
from bntui.experiments.toml_file import FileError, read_text, shown


@cache
def built_in() -> tuple[Experiment, ...]:
    """Return the experiments of the package, in their order."""
    return tuple(_built_in(file) for file in _files())


def find(name: str) -> Experiment:
    """Return a built-in experiment by name or number, or the one in a file `….toml`.

    Raises FileError.
    """
    if name.endswith(".toml"):
        return _from_file(Path(name))
    for file in _files():
        number, _, known = file.name.removesuffix(".toml").partition("-")
        if name == known or (name.isdigit() and name.lstrip("0") == number.lstrip("0")):
            return _built_in(file)
    names = [file.name.removesuffix(".toml").partition("-")[2] for file in _files()]
    raise FileError(
        f"there is no experiment {shown(name)}{nearest(name, names)}; "
        "`bntui experiments` lists them, and a file's name ends in .toml."
    )


def config_of(arm: Arm, over: Mapping[str, Any]) -> RunConfig:
    """Return an arm's run, with other options over its own. Raises ConfigError."""
    return settings.config_of({**arm.options, **over})[0]


def configs_of(experiment: Experiment, over: Mapping[str, Any]) -> tuple[RunConfig, ...]:
    """Return the runs of an experiment, with other options over its own. Raises ConfigError."""
    return tuple(config_of(arm, over) for arm in experiment.arms)


def _files() -> list[Traversable]:
    files = resources.files("bntui.experiments.built_in").iterdir()
    return sorted((file for file in files if file.name.endswith(".toml")), key=lambda f: f.name)


def _built_in(file: Traversable) -> Experiment:
    number, _, name = file.name.removesuffix(".toml").partition("-")
    experiment = parse(file.read_text(encoding="utf-8"), name=name, file=file.name)
    return replace(experiment, number=int(number))


def _from_file(path: Path) -> Experiment:
    text = read_text(path, "experiment")
    return parse(text, name=literal(path.stem), file=literal(str(path)))
