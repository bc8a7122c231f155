"""Makes the design of a sweep of what is typed, or of a TOML file. Pure; imports no torch.

`values.py` reads lists and ranges, `needless.py` refuses runs that would tell nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bntui.core.config import RunConfig
from bntui.core.parsers import MAX_SEED
from bntui.core.settings import OPTIONS, SETTINGS, config_of, given
from bntui.core.sweep import Axis, Design
from bntui.core.text import ConfigError, literal
from bntui.experiments.claims import nearest
from bntui.experiments.toml_file import TomlFile, read_text
from bntui.experiments.toml_lines import Where
from bntui.sweeps.needless import refuse_needless
from bntui.sweeps.values import MOST_VALUES, parse_values

Options = Mapping[str, Sequence[Any]]
"""Values by field, and those of --bn: none where an option is not given."""


@dataclass(frozen=True, slots=True)
class DesignFile:
    """What a design's file says."""

    name: str
    """Empty where it has none."""
    seeds: int | None
    options: Options


def design_of(options: Options, seeds: int | None = None) -> Design:
    """Return the design with an axis for every option of several values. Raises ConfigError.

    `seeds` is how many, from the seed on.
    """
    values = {name: tuple(those) for name, those in options.items() if those}
    if "twin" in values:
        raise ConfigError("--twin is not for sweeps: give its setting two values, as a list.")
    norms = _norms(values.pop("bn", ()), values.pop("norm", ()))
    if norms:
        values["norm"] = norms
    single = {name: those[0] for name, those in values.items() if len(those) == 1}
    if "at" in values:
        single["at"] = values["at"]
    base, _ = config_of(single)
    lists = {name: those for name, those in values.items() if len(those) > 1 and name != "at"}
    every = _seeds(base, lists.pop("seed", ()), seeds)
    # In the order of the table, so that it does not matter in which order options are given.
    axes = tuple(Axis(name, lists[name]) for name in SETTINGS if name in lists)
    design = Design(replace(base, seed=every[0]), axes, every)
    runs = len(every) * math.prod(len(axis.values) for axis in axes)
    if runs > MOST_VALUES:
        raise ConfigError(
            f"the sweep has {runs:,} runs, more than {MOST_VALUES:,}: give fewer values or seeds."
        )
    refuse_needless(design)
    return design


def read_design(path: Path) -> DesignFile:
    """Return what a design's file says. Raises FileError."""
    return parse_design(read_text(path, "design of a sweep"), file=literal(str(path)))


def parse_design(text: str, *, file: str) -> DesignFile:
    """Return what the text of a design says; `file` is what messages call it. Raises FileError."""
    return _Reader(text, file).design()


class _Reader(TomlFile):
    """Checks what one file says, key by key."""

    def design(self) -> DesignFile:
        """Return what the file says."""
        self.only(self.data, (), ("name", "seeds", "settings"))
        settings = self.table(self.data, ("settings",))
        seeds = self.data.get("seeds")
        if seeds is not None:
            self.must_be(seeds, int, ("seeds",), "a whole number")
            self.judged(("seeds",), partial(parse_seeds, str(seeds)))
        return DesignFile(
            name=self.text(self.data, ("name",)) if "name" in self.data else "",
            seeds=seeds,
            options=dict(self._option(key, value) for key, value in settings.items()),
        )

    def _option(self, key: str, value: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the field and the values of an option."""
        where: Where = ("settings", key)
        row = OPTIONS.get(key)
        if row is None:
            known = [name for name in OPTIONS if name != "twin"]
            raise self.refusal(where, f"there is no such option{nearest(key, known)}")
        if row.parse is None:
            switches = self.listed(where, value)
            for switch in switches:
                self.must_be(switch, bool, where, "true or false")
            return row.field, tuple(switches)
        texts = self.typed(where, value)
        lists = [self.judged(where, partial(parse_values, row, text)) for text in texts]
        return row.field, tuple(one for values in lists for one in values)


def parse_seeds(text: str) -> int:
    """Return how many seeds there are. Raises ConfigError."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_VALUES:
        raise ConfigError(f"seeds {text!r} is no number of them: give 1 to {MOST_VALUES:,}.")
    return int(text)


def _norms(switches: Sequence[bool], norms: Sequence[str]) -> tuple[str, ...]:
    """Return the norms that --bn, --no-bn and --norm ask for. Raises ConfigError if they differ."""
    if not switches or not norms:
        return tuple(norms) or tuple("batch" if switch else "none" for switch in switches)
    for switch, norm in product(switches, norms):
        given({"bn": switch, "norm": norm})
    return tuple(norms)


def _seeds(base: RunConfig, listed: Sequence[int], seeds: int | None) -> tuple[int, ...]:
    """Return every run's seed. Raises ConfigError."""
    if listed:
        if seeds is not None:
            raise ConfigError("--seeds counts from one --seed on: leave it out, or the list.")
        if len(set(listed)) < len(listed):
            twice = next(one for one in listed if listed.count(one) > 1)
            raise ConfigError(f"--seed has {twice} twice: leave one of them out.")
        return tuple(listed)
    if base.seed + (seeds or 1) - 1 > MAX_SEED:
        raise ConfigError(f"--seeds {seeds} from --seed {base.seed} on are more than {MAX_SEED:,}.")
    return tuple(range(base.seed, base.seed + (seeds or 1)))
