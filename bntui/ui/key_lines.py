"""What the table of keys is made of: lines of keys with what they do, and those that screens share."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A line of the help: keys as they are written, what they do, and their bindings."""

    keys: str
    does: str
    bindings: tuple[Binding, ...]
    """Of the screen; their descriptions are what the command palette calls them."""
    elsewhere: tuple[Binding, ...]
    """Of the screen's widgets and of the app."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of the help under a title."""

    title: str
    lines: tuple[HelpLine, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A key on the line at the bottom."""

    key: str
    word: str
    command: str = ""
    """The explorer's command that it is for, if it is for one."""


@dataclass(frozen=True, slots=True)
class ScreenKeys:
    """The keys of one screen."""

    name: str
    sections: tuple[Section, ...] = ()
    """What the help shows."""
    others: tuple[HelpLine, ...] = ()
    """What it leaves out, because there is none or everybody knows."""
    bottom: tuple[str | Shown, ...] = ()
    """The line at the bottom, what matters most first: Textual's names of keys, or what to show."""

    @property
    def lines(self) -> list[HelpLine]:
        """All lines."""
        return [*(line for section in self.sections for line in section.lines), *self.others]

    def bindings(self) -> list[Binding]:
        """Return the screen's own bindings."""
        return [binding for line in self.lines for binding in line.bindings]

    def shown(self) -> list[Shown]:
        """Return the keys on the line at the bottom. Raises KeyError for one that is not bound."""
        bound = {binding.key.split(",")[0]: binding for binding in self.bindings()}
        return [one if isinstance(one, Shown) else _shown(bound[one]) for one in self.bottom]


def _shown(binding: Binding) -> Shown:
    return Shown(
        binding.key_display or binding.key.split(",")[0], binding.description, binding.id or ""
    )


def line(keys: str, does: str, *bindings: Binding, elsewhere: tuple[Binding, ...] = ()) -> HelpLine:
    """Return a line, with the bindings of the screen, and those of its widgets and the app."""
    return HelpLine(keys, does, bindings, elsewhere)


def command(keys: str, name: str, word: str | None = None) -> Binding:
    """Return the binding of keys to one of the explorer's commands, which `word` is its name for."""
    words = name.replace("_", " ") if word is None else word
    return Binding(keys, f"command('{name}')", words, id=name)


# The app's keys, and those of widgets: a line of each screen that they are on names them.

APP = (
    Binding("ctrl+c", "quit", priority=True),  # also where a field would copy
    Binding("ctrl+z", "suspend_process"),
    Binding("ctrl+l", "redraw", "draw everything anew"),
    Binding("S", "save_picture", "save the screen as SVG"),
)
SKIP_TOUR = (Binding("escape", "skip_tour"),)
"""Of the app, so that it holds wherever the focus is."""
KNOB = (
    Binding("left", "turn(-1)", "less"),
    Binding("right", "turn(1)", "more"),
    Binding("enter", "type", "type a value"),
)
CHART = (
    Binding("left", "screen.look('move', -1)", "crosshair back"),
    Binding("right", "screen.look('move', 1)", "crosshair on"),
    Binding("shift+left", "screen.look('move', -10)"),
    Binding("shift+right", "screen.look('move', 10)"),
    Binding("up", "screen.look('zoom', 2)"),
    Binding("down", "screen.look('zoom', 0.5)"),
)
HINDSIGHT_MAP = (
    Binding("up", "move(-1)", "higher momentum"),
    Binding("down", "move(1)", "lower momentum"),
    Binding("left", "move(1)"),
    Binding("right", "move(-1)"),
    Binding("enter", "apply", "use this momentum"),
    Binding("m", "open", "open the moment"),
)
DRIFT_TABLE = (
    Binding("up", "move(-1)", "layer up"),
    Binding("down", "move(1)", "layer down"),
    Binding("enter", "open", "open the layer"),
)
FAR = 1_000_000_000
"""More rows than there are anywhere."""
RUN_LIST = (
    Binding("up", "move(-1)"),
    Binding("down", "move(1)"),
    Binding("pageup", "page(-1)"),
    Binding("pagedown", "page(1)"),
    Binding("home", f"move({-FAR})"),
    Binding("end", f"move({FAR})"),
)
BEGIN = (Binding("enter", "screen.begin"),)

EXPLAIN = line(
    "?",
    "explain the words on this panel; list all keys; tell of the forum thread",
    Binding("question_mark", "app.explain", "help", key_display="?"),
)
"""For every screen: the help opens on what has the focus."""

VIEW = (
    line(
        ", . < >",
        "move the crosshair by one point, or by ten, and read the values",
        Binding("comma", "look('move', -1)", "crosshair", key_display=", ."),
        Binding("full_stop", "look('move', 1)"),
        Binding("less_than_sign", "look('move', -10)"),
        Binding("greater_than_sign", "look('move', 10)"),
    ),
    line(
        "← → ↑ ↓ shift+left shift+right",
        "on a chart: move the crosshair by one point, with shift by ten; zoom",
        elsewhere=CHART,
    ),
    line(
        "{ }",
        "move the crosshair to the previous mark, or the next",
        Binding("left_curly_bracket", "look('jump', -1)"),
        Binding("right_curly_bracket", "look('jump', 1)"),
    ),
    line(
        "+ - [ ]",
        "zoom in or out; pan left or right",
        Binding("plus,equals_sign", "look('zoom', 2)"),
        Binding("minus", "look('zoom', 0.5)"),
        Binding("left_square_bracket", "look('pan', -0.25)"),
        Binding("right_square_bracket", "look('pan', 0.25)"),
    ),
    line("0", "show the whole run, without the crosshair", Binding("0", "look('reset', 0)")),
    line(
        "x s l",
        "count x in updates, images or seconds; smooth train; loss on a log axis",
        Binding("x", "look('axis', 0)", "x axis"),
        Binding("s", "look('smooth', 0)"),
        Binding("l", "look('log', 0)"),
    ),
)
"""For a screen with an `action_look` that takes one of `VIEW_CHANGES` and its amount."""
