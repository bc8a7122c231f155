"""One row of the table of settings: all about a setting but what it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, TypeVar

from bntui.core.parsers import OneOf, Whole
from bntui.core.text import exact

Value = float | str | None
"""A value of a setting that a knob can have."""
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. What is not given follows from the field's name, its default and the parser."""

    parse: Callable[[str], Any] | None
    """Makes a value of what is typed, or raises ConfigError; None for what is on or off."""
    help: str
    """What it is, for `--help`, which adds the default and a full stop."""
    metavar: str = ""
    """What `--help` calls the value."""
    flag: str = ""
    """The option, as an experiment's file names it: without dashes in front."""
    name: str = ""
    """As `--at` and `--twin` call it: the flag, unless given."""
    label: str = ""
    """As the screen calls it."""
    short: str = ""
    """The label where a row is all the room there is."""
    steps: Sequence[Value] = ()
    """What ← and → turn its knob through, None above all numbers; it has a knob if there are any."""
    group: str = "run"
    """The group of knobs of a new run that it belongs to."""
    hint: str = ""
    """What it takes, or does: one sentence."""
    detail: Callable[[Any], str] | None = None
    """Writes the second line of a knob, which explains its value."""
    write: Callable[[Any], str] | None = None
    """Writes a value for the screen, where the usual form of `show` does not do."""
    unset: str = ""
    """How None, or an empty text, is shown; a knob takes the word for None."""
    twin: bool = True
    """Whether a twin may differ in it: it changes the numbers of a run, and neither images nor machine."""
    read: Callable[[object], Any] | None = None
    """Parses the value that a file has, where that has another form than what is typed."""
    field: str = ""
    default: Any = None
    live: bool = False
    """Whether it is one of `Knobs`."""

    def show(self, value: Any) -> str:
        """Return a value as it is shown."""
        if value is None or value in ("", ()):
            return self.unset
        if self.write:
            return self.write(value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return exact(value) if isinstance(value, float) else str(value)

    def parse_typed(self, text: str) -> Any:
        """Return the value of what is typed at a knob. Raises ConfigError."""
        if self.unset and self.default is None and text.strip().lower() == self.unset:
            return None
        assert self.parse
        return self.parse(text)

    @property
    def option_help(self) -> str:
        """What `--help` says of the option, with the default."""
        default = self.show(self.default)
        return f"{self.help} [{default}]." if default else f"{self.help}."


def setting(
    default: Default,
    parse: Callable[[str], Any] | None,
    help: str,  # noqa: A002 - as the column is called
    metavar: str = "",
    **columns: Any,
) -> Default:
    """Return a field of a dataclass with its default, and with its `Row` of these columns."""
    row = Row(parse, help, metavar, **columns)
    made: Any = dataclass_field(default=default, metadata={"row": row})
    return made  # type: ignore[no-any-return]


def completed(row: Row, name: str, default: object, *, live: bool) -> Row:
    """Return the row of the field `name`, with what follows from it."""
    flag, label = row.flag or name.replace("_", "-"), row.label or name.replace("_", " ")
    return replace(
        row,
        flag=flag,
        name=row.name or flag,
        label=label,
        short=row.short or label,
        steps=row.steps or (row.parse.choices if isinstance(row.parse, OneOf) else ()),
        hint=row.hint or (row.parse.hint if isinstance(row.parse, OneOf | Whole) else ""),
        field=name,
        default=default,
        live=live,
    )
