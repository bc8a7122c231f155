"""The keys of a sweep's screen, for the table of keys."""

from textual.binding import Binding

from bntui.ui.key_lines import APP, EXPLAIN, ScreenKeys, Section, Shown, line

PHASE_MAP = (
    Binding("up", "move(0, 1)", "tile up"),
    Binding("down", "move(0, -1)", "tile down"),
    Binding("pageup", "move(0, 10)"),
    Binding("pagedown", "move(0, -10)"),
    Binding("comma", "move(-1, 0)", "tile left", key_display=","),
    Binding("full_stop", "move(1, 0)", "tile right", key_display="."),
    Binding("less_than_sign", "move(-10, 0)"),
    Binding("greater_than_sign", "move(10, 0)"),
    Binding("enter", "list_runs", "runs behind the tile"),
)

SWEEP = ScreenKeys(
    "A sweep (bntui sweep, bntui attach NAME)",
    (
        Section(
            "Phase diagram",
            (
                line(
                    "← →",
                    "the epoch before, the next one; after the newest: always the newest",
                    Binding("left", "epoch(-1)", "epoch before"),
                    Binding("right", "epoch(1)", "next epoch"),
                ),
                line(
                    "↑ ↓ pgup pgdn",
                    "move the crosshair up or down by one tile, or by ten",
                    elsewhere=PHASE_MAP[:4],
                ),
                line(
                    ", . < >",
                    "move the crosshair left or right by one tile, or by ten",
                    elsewhere=PHASE_MAP[4:8],
                ),
                line(
                    "enter", "list the runs behind the tile, and open one", elsewhere=PHASE_MAP[8:]
                ),
                line(
                    "x y",
                    "take the next setting for the axis across, or up",
                    Binding("x", "axis('x')", "x axis"),
                    Binding("y", "axis('y')", "y axis"),
                ),
                line(
                    "v",
                    "show another value: gap, running, fresh, updates until sound",
                    Binding("v", "value", "value"),
                ),
                line(
                    "tab [ ]",
                    "choose one of the other settings; look at its value before, or its next one",
                    Binding("tab", "next_setting(1)", "next setting"),
                    Binding("left_square_bracket", "setting(-1)", key_display="["),
                    Binding("right_square_bracket", "setting(1)", "other value", key_display="]"),
                ),
            ),
        ),
        Section(
            "Screen",
            (
                line(
                    "e D S",
                    "save the diagram as SVG, the data as CSV, the screen as SVG",
                    Binding("e", "save_diagram", "save as SVG"),
                    Binding("D", "save_data", "save the data as CSV"),
                    elsewhere=APP[3:],
                ),
                line(
                    "q",
                    "leave: what is under way is kept to go on later",
                    Binding("q", "app.quit", "quit"),
                ),
                EXPLAIN,
            ),
        ),
    ),
    bottom=(
        Shown("← →", "epoch"),
        Shown("enter", "runs"),
        "question_mark",
        "v",
        Shown("x y", "axes"),
        Shown("[ ]", "other settings"),
        "e",
        "D",
        "q",
    ),
)
BEHIND = ScreenKeys(
    "The runs behind a tile (enter on a sweep)",
    others=(
        line("↑ ↓ enter", "choose a run, and open it in the explorer; q there comes back"),
        EXPLAIN,
        line("esc q", "close", Binding("escape,q", "dismiss(None)", "close")),
    ),
)
