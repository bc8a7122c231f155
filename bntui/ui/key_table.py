"""Every key of every screen, in one table.

A screen's bindings, its line of keys at the bottom, the help, what the command palette says and
docs/keys.md are all made from it (`python -m tools.keys` writes the last).
"""

from textual.binding import Binding

from bntui.ui.course_keys import CONCLUSION, EXPERIMENTS, LEAVE, PENCIL, QUESTION, TOY
from bntui.ui.dialog_keys import ASK, HELP, PROMPT, TEXT, TOUR
from bntui.ui.key_lines import (
    APP,
    BEGIN,
    DRIFT_TABLE,
    EXPLAIN,
    HINDSIGHT_MAP,
    KNOB,
    VIEW,
    ScreenKeys,
    Section,
    Shown,
    command,
    line,
)
from bntui.ui.run_keys import COMPARISON, RUNS
from bntui.ui.sweep_keys import BEHIND, SWEEP

_KNOBS = Section(
    "Knobs",
    (
        line(
            "tab shift+tab",
            "go to the next panel, to the one before",
            Binding("tab", "next_panel(1)"),
            Binding("shift+tab", "next_panel(-1)"),
        ),
        line(
            "↑ ↓",
            "choose a knob, a momentum on the map, or a layer",
            Binding("up", "next_knob(-1)"),
            Binding("down", "next_knob(1)"),
            elsewhere=(*HINDSIGHT_MAP[:2], *DRIFT_TABLE[:2]),
        ),
        line(
            "← →",
            "turn a knob; on the map, try another momentum",
            command("left,right", "choose_a_knob", ""),
            elsewhere=(*KNOB[:2], *HINDSIGHT_MAP[2:4]),
        ),
        line(
            "enter",
            "type a value; on the map: use that momentum; on drift: open a layer",
            elsewhere=(KNOB[2], HINDSIGHT_MAP[4], DRIFT_TABLE[2]),
        ),
        line(
            "m",
            "on the map: open the moment: its layers, a channel, its arithmetic",
            elsewhere=(HINDSIGHT_MAP[5],),
        ),
    ),
)
_RUN = Section(
    "Run",
    (
        line(
            "space",
            "pause, or go on; after the last epoch, train as many again",
            command("space", "pause"),
        ),
        line("n", "make a single update", command("n", "step")),
        line(
            "r R",
            "restart with the same seed, or a new one; the old curves stay faint",
            command("r", "restart"),
            command("R", "restart_with_new_seed", "restart with a new seed"),
        ),
        line(
            "o i",
            "list the runs that are kept; resume the interrupted one",
            command("o", "runs"),
            command("i", "resume", "go on with the interrupted run"),
        ),
        line(
            "g",
            "open the guided experiments, which answer the thread post by post",
            command("g", "experiments"),
        ),
        line(
            "k",
            "set up a new run: norm, depth, width, optimizer, data …",
            command("k", "structure"),
        ),
        line(
            "t",
            "train a twin that differs in the chosen knob; again: without it",
            command("t", "twin"),
        ),
        line("b", "return to an earlier moment, and branch off from there", command("b", "branch")),
        line(
            "c",
            "recalibrate: replace the running statistics by fresh ones",
            command("c", "recalibrate"),
        ),
        line(
            "C",
            "measure what a recalibration would give; change nothing",
            command("C", "try_recalibration", "say what a recalibration would give"),
        ),
        line("w", "what if: validate these weights under every momentum", command("w", "what_if")),
        line("v", "show every measurement behind the verdict", command("v", "verdict")),
        line("y", "show and copy the command line that repeats this run", command("y", "repeat")),
        line(
            "d",
            "after a failure: train on the built-in digits instead",
            command("d", "digits", "use digits"),
        ),
    ),
)
_PIN = line(
    "p", "keep this run's curves behind later ones; again: take them away", command("p", "pin")
)
_SCREEN = Section(
    "Screen",
    (
        line(
            "1 – 6",
            "go to a panel: accuracy, loss, map, drift, predictions, evidence",
            *(Binding(str(number), f"panel({number})") for number in range(1, 7)),
        ),
        line(
            "S D W",
            "save the screen as SVG, the data as CSV; keep the weights",
            command("D", "save_data", "save the data as CSV"),
            command("W", "keep_weights", "keep the weights"),
            elsewhere=(APP[3],),
        ),
        line("ctrl+l", "redraw the screen", elsewhere=(APP[2],)),
        line(
            "ctrl+p",
            "command palette: themes, and most of what keys do",
        ),
        EXPLAIN,
        line(
            "q ctrl+z",
            "quit; suspend to the shell, until fg",
            Binding("q", "app.quit", "quit"),
            elsewhere=APP[:2],
        ),
    ),
)
EXPLORER = ScreenKeys(
    "Explorer",
    (_KNOBS, _RUN, Section("Charts", (*VIEW, _PIN)), _SCREEN),
    bottom=(
        *("space", "question_mark", "g", "c", "w", "n", "r", "k", "o", "t", "b", "comma", "x"),
        *("p", "v", "y", "d", "q"),
    ),
)
WHAT_IF = ScreenKeys(
    "What if (w)",
    others=(
        line(
            "← → ↑ ↓",
            "try another momentum or estimator, and see the past under it",
            Binding("left,down", "move(1)", "lower momentum"),
            Binding("right,up", "move(-1)", "higher momentum"),
        ),
        line("enter", "use it, from the next update on", Binding("enter", "apply", "use it")),
        line(
            "w",
            "measure again, with the weights of this moment",
            Binding("w", "measure", "measure again"),
        ),
        EXPLAIN,
        line("esc q", "close", Binding("escape,q", "dismiss(None)", "close")),
    ),
    bottom=(
        Shown("← →", "another momentum"),
        *("enter", "w", "question_mark"),
        Shown("esc", "close"),
    ),
)
LAYER = ScreenKeys(
    "A layer (enter on the drift table)",
    others=(
        line(
            "← →",
            "go to the previous layer, or the next",
            Binding("left", "go(-1)", "previous layer"),
            Binding("right", "go(1)", "next layer"),
        ),
        line(
            "↑ ↓",
            "choose a channel, from the worst on",
            Binding("up", "move(-1)", "channel before"),
            Binding("down", "move(1)", "next channel"),
        ),
        line("enter", "the arithmetic of the chosen channel", Binding("enter", "open", "numbers")),
        line(
            "w",
            "measure again, with the weights of this moment",
            Binding("w", "measure", "measure again"),
        ),
        EXPLAIN,
        line("esc q", "close", Binding("escape,q", "close", "close")),
    ),
    bottom=(
        Shown("← →", "layer"),
        Shown("↑ ↓", "channel"),
        *("enter", "w", "question_mark"),
        Shown("esc", "close"),
    ),
)
CHANNEL = ScreenKeys(
    "A channel (enter on a layer)",
    others=(
        line(
            "↑ ↓",
            "the channel before, the next one, from the worst on",
            Binding("up", "move(-1)", "channel before"),
            Binding("down", "move(1)", "next channel"),
        ),
        EXPLAIN,
        line("esc q", "back to the layer", Binding("escape,q", "dismiss(None)", "back")),
    ),
    bottom=(Shown("↑ ↓", "other channels"), "question_mark", Shown("esc", "back to the layer")),
)
MOMENT = ScreenKeys(
    "A moment of the past (m on the map)",
    others=(
        line(
            "← →",
            "the moment before, the next one",
            Binding("left", "go(-1)", "moment before"),
            Binding("right", "go(1)", "next moment"),
        ),
        line("↑ ↓ enter", "choose a layer, and open it", elsewhere=DRIFT_TABLE),
        EXPLAIN,
        line("esc q", "back to the map", Binding("escape,q", "dismiss(None)", "back")),
    ),
    bottom=(
        Shown("← →", "other moments"),
        Shown("↑ ↓", "layer"),
        Shown("enter", "open it"),
        "question_mark",
        Shown("esc", "back to the map"),
    ),
)
BRANCH = ScreenKeys(
    "Moments to return to (b)",
    others=(
        line("↑ ↓ enter", "choose a moment, and branch off from there"),
        EXPLAIN,
        line("esc q b", "close", Binding("escape,q,b", "dismiss(None)", "close")),
    ),
)
NEW_RUN = ScreenKeys(
    "Structure of a new run (k)",
    others=(
        line(
            "↑ ↓ tab",
            "choose a setting",
            Binding("up", "app.focus_previous"),
            Binding("down", "app.focus_next"),
        ),
        line("← →", "turn it", elsewhere=KNOB[:2]),
        line("enter", "type a value; on the last line: begin", elsewhere=(KNOB[2], *BEGIN)),
        line("r", "begin a run with these changes", Binding("r", "begin")),
        EXPLAIN,
        line("esc q k", "close, and change nothing", Binding("escape,q,k", "dismiss(None)")),
    ),
    bottom=(
        Shown("↑ ↓", "choose"),
        Shown("← →", "turn"),
        Shown("enter", "type"),
        Shown("r", "begin"),
        "question_mark",
        Shown("esc", "leave"),
    ),
)

SCREENS = (
    *(EXPLORER, WHAT_IF, MOMENT, LAYER, CHANNEL, BRANCH, NEW_RUN, RUNS, COMPARISON),
    *(SWEEP, BEHIND),
    *(EXPERIMENTS, QUESTION),
    *(TOY, PENCIL, CONCLUSION, LEAVE, PROMPT, ASK, TEXT, TOUR, HELP),
)
