"""Every key of every screen, in one table.

A screen's bindings, its line of keys at the bottom, the help, what the command palette says and
docs/keys.md are all made from it (`python -m tools.keys` writes the last).
"""

from textual.binding import Binding

from bntui.ui.key_lines import (
    APP,
    BEGIN,
    DRIFT_TABLE,
    EXPLAIN,
    FAR,
    HINDSIGHT_MAP,
    KNOB,
    RUN_LIST,
    SKIP_TOUR,
    VIEW,
    ScreenKeys,
    Section,
    Shown,
    command,
    line,
)

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
            "choose a knob; on the map a momentum, on drift a layer",
            Binding("up", "next_knob(-1)"),
            Binding("down", "next_knob(1)"),
            elsewhere=(*HINDSIGHT_MAP[:2], *DRIFT_TABLE[:2]),
        ),
        line(
            "← →",
            "turn a knob (BN: in a new run); on the map another momentum",
            command("left,right", "choose_a_knob", ""),
            elsewhere=(*KNOB[:2], *HINDSIGHT_MAP[2:4]),
        ),
        line(
            "enter",
            "type a value; on the map: use that momentum; on drift: open a layer",
            elsewhere=(KNOB[2], HINDSIGHT_MAP[4], DRIFT_TABLE[2]),
        ),
    ),
)
_RUN = Section(
    "Run",
    (
        line(
            "space", "pause, go on; after the last epoch, as many again", command("space", "pause")
        ),
        line("n", "a single update", command("n", "step")),
        line(
            "r R",
            "restart with the same seed, a new one; old curves stay faint",
            command("r", "restart"),
            command("R", "restart_with_new_seed", "restart with a new seed"),
        ),
        line(
            "o i",
            "the runs that are kept; go on with the interrupted one",
            command("o", "runs"),
            command("i", "resume", "go on with the interrupted run"),
        ),
        line("g", "guided experiments: the thread, post by post", command("g", "experiments")),
        line(
            "k",
            "structure: norm, depth, width, optimizer, data … of a new run",
            command("k", "structure"),
        ),
        line(
            "t", "a twin in lockstep but for the chosen knob; again: without", command("t", "twin")
        ),
        line("b", "return to an epoch or a change, and branch off there", command("b", "branch")),
        line(
            "c",
            "recalibrate: fresh statistics take the place of the running ones",
            command("c", "recalibrate"),
        ),
        line(
            "C",
            "say what a recalibration would give, and change nothing",
            command("C", "try_recalibration", "say what a recalibration would give"),
        ),
        line("w", "what if: these weights under every momentum", command("w", "what_if")),
        line("v", "the whole verdict", command("v", "verdict")),
        line("y", "show and copy the command line that repeats this run", command("y", "repeat")),
        line(
            "d",
            "after a failure: go on with the built-in digits",
            command("d", "digits", "use digits"),
        ),
    ),
)
_PIN = line("p", "pin this run's curves behind those to come; again: unpin", command("p", "pin"))
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
        line("ctrl+l", "draw everything anew", elsewhere=(APP[2],)),
        line(
            "ctrl+p",
            "command palette: themes, and most of what keys do",
        ),
        EXPLAIN,
        line(
            "q ctrl+z",
            "quit; to the shell, until fg",
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
            "another momentum or estimator, and the past under it",
            Binding("left,down", "move(1)", "lower momentum"),
            Binding("right,up", "move(-1)", "higher momentum"),
        ),
        line("enter", "use it from the next update on", Binding("enter", "apply", "use it")),
        line("w", "measure the weights of now", Binding("w", "measure", "measure again")),
        EXPLAIN,
        line("esc q", "close", Binding("escape,q", "dismiss(None)", "close")),
    ),
    bottom=(Shown("← →", "another momentum"), "enter", "w", Shown("esc", "close")),
)
LAYER = ScreenKeys(
    "A layer (enter on the drift table)",
    others=(
        line(
            "← →",
            "the layer before, the next one",
            Binding("left", "go(-1)", "previous layer"),
            Binding("right", "go(1)", "next layer"),
        ),
        line("w", "measure the weights of now", Binding("w", "measure", "measure again")),
        EXPLAIN,
        line("esc enter q", "close", Binding("escape,enter,q", "close", "close")),
    ),
    bottom=(Shown("← →", "other layers"), "w", "question_mark", Shown("esc", "close")),
)
BRANCH = ScreenKeys(
    "Moments to return to (b)",
    others=(
        line("↑ ↓ enter", "choose a moment, and branch off there"),
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
        line("r", "begin a run with what was changed", Binding("r", "begin")),
        EXPLAIN,
        line("esc q k", "leave all as it is", Binding("escape,q,k", "dismiss(None)")),
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

RUNS = ScreenKeys(
    "Runs that are kept (o)",
    (
        Section(
            "Runs that are kept",
            (
                line(
                    "enter",
                    "lay a run over the charts, or take it away",
                    Binding("enter", "lay_over", "overlay"),
                ),
                line(
                    "space =",
                    "mark two runs, and compare them; or one with that under way",
                    Binding("space", "mark", "mark"),
                    Binding("equals_sign", "compare", "compare", key_display="="),
                ),
                line(
                    "/ s",
                    "filter by words and settings; sort by the next column",
                    Binding("slash", "filter", "find", key_display="/"),
                    Binding("s", "sort", "sort"),
                ),
                line(
                    "e p",
                    "write a note; pin a run to the top",
                    Binding("e", "note", "note"),
                    Binding("p", "pin", "pin"),
                ),
                line(
                    "del u",
                    "delete a run; bring the last one back",
                    Binding("delete,backspace", "delete", "delete", key_display="del"),
                    Binding("u", "undo"),
                ),
                line(
                    "y R",
                    "the command line that repeats it; resume an interrupted one",
                    Binding("y", "repeat", "repeat"),
                    Binding("R", "resume", "resume"),
                ),
            ),
        ),
    ),
    (
        line(
            "↑ ↓",
            "choose a run; from the filter to the list",
            Binding("down", "to_list"),
            elsewhere=RUN_LIST[:2],
        ),
        line("pgup pgdn home end", "choose a run further up or down", elsewhere=RUN_LIST[2:]),
        EXPLAIN,
        line(
            "esc",
            "give up the filter, or close",
            Binding("escape", "leave", "close", key_display="esc"),
        ),
        line("q o", "close", Binding("q,o", "dismiss(None)")),
    ),
    (
        *("enter", "question_mark", "slash", "s", "space", "equals_sign", "e", "p", "delete", "y"),
        "R",
        "escape",
    ),
)
COMPARISON = ScreenKeys(
    "Two runs compared (= on the list of runs)",
    (Section("Charts", VIEW),),
    (
        line(
            "1 2",
            "one chart, where there is no room for both",
            Binding("1", "panel(1)"),
            Binding("2", "panel(2)"),
        ),
        EXPLAIN,
        line(
            "esc q",
            "close",
            Binding("escape", "dismiss(None)", "close", key_display="esc"),
            Binding("q", "dismiss(None)"),
        ),
    ),
    ("comma", "x", "question_mark", "escape"),
)
EXPERIMENTS = ScreenKeys(
    "Guided experiments (g)",
    others=(
        line("↑ ↓ tab", "choose an experiment; go to what it is about, to read on"),
        line("enter", "begin with its question", Binding("enter", "begin")),
        EXPLAIN,
        line("esc q g", "close", Binding("escape,q,g", "dismiss(None)")),
    ),
    bottom=(
        Shown("↑ ↓", "choose"),
        Shown("enter", "begin with its question"),
        Shown("tab", "read on"),
        "question_mark",
        Shown("esc", "leave"),
    ),
)
QUESTION = ScreenKeys(
    "The question of an experiment",
    others=(
        line(
            "1 – 9",
            "answer, and begin",
            *(Binding(str(number), f"answer({number})") for number in range(1, 10)),
        ),
        line("enter", "begin without a prediction", Binding("enter", "dismiss(0)")),
        EXPLAIN,
        line("esc q", "begin nothing", Binding("escape,q", "dismiss(None)")),
    ),
)
CONCLUSION = ScreenKeys(
    "The conclusion of an experiment",
    others=(
        line("enter", "the next experiment", Binding("enter", "following")),
        line("g", "all experiments", Binding("g", "list")),
        EXPLAIN,
        line("esc q", "stay with the curves", Binding("escape,q", "dismiss(None)")),
    ),
)
LEAVE = ScreenKeys(
    "What would leave an experiment",
    others=(
        line("y", "leave it", Binding("y", "dismiss(True)", "leave it")),
        line("n esc enter q", "stay", Binding("n,escape,enter,q", "dismiss(False)", "stay")),
    ),
)
HELP = ScreenKeys(
    "The help (?)",
    others=(
        line(
            "← → tab",
            "the page before, the next one",
            Binding("left", "turn(-1)"),
            Binding("right,tab", "turn(1)", "next page"),
        ),
        line(
            "1 – 4",
            "this panel, keys, all words, the thread",
            *(Binding(str(number), f"page({number})") for number in range(1, 5)),
        ),
        line(
            "↑ ↓ pgup pgdn home end",
            "read on, and back",
            Binding("up", "read(-1)"),
            Binding("down", "read(1)"),
            Binding("pageup", "read_page(-1)"),
            Binding("pagedown", "read_page(1)"),
            Binding("home", f"read({-FAR})"),
            Binding("end", f"read({FAR})"),
        ),
        line("a – z", "go to the next word that begins with it"),
        line(
            "esc ? q enter",
            "close",
            Binding("escape,question_mark,q,enter", "dismiss(None)", "close"),
        ),
    ),
)
TEXT = ScreenKeys(
    "The verdict (v), a command line (y)",
    others=(
        line("esc enter q y v", "close", Binding("escape,enter,q,y,v", "dismiss(None)", "close")),
    ),
)
PROMPT = ScreenKeys(
    "A value or a note that is typed",
    others=(
        line("enter", "take it"),
        line("esc", "leave it as it was", Binding("escape", "dismiss(None)", "leave it")),
    ),
)
ASK = ScreenKeys(
    "A momentum that looks like torch's",
    others=(
        line("y enter", "it is torch's: take 1 − it", Binding("y,enter", "dismiss(True)", "yes")),
        line("n", "it is Keras's: take it", Binding("n", "dismiss(False)", "no")),
        line("esc", "type another", Binding("escape", "dismiss(None)", "leave it")),
    ),
)
TOUR = ScreenKeys(
    "The cards of the first start (bntui --tour)",
    others=(
        line("enter → tab", "the next card", Binding("enter,right,tab", "turn(1)", "next card")),
        line(
            "← shift+tab", "the card before", Binding("left,shift+tab", "turn(-1)", "card before")
        ),
        line("esc", "no more cards", elsewhere=SKIP_TOUR),
    ),
)
SCREENS = (
    *(EXPLORER, WHAT_IF, LAYER, BRANCH, NEW_RUN, RUNS, COMPARISON, EXPERIMENTS, QUESTION),
    *(CONCLUSION, LEAVE, PROMPT, ASK, TEXT, TOUR, HELP),
)
