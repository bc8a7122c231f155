"""The keys of the guided experiments and the toy, for the table of keys."""

from textual.binding import Binding

from bntui.ui.key_lines import EXPLAIN, ScreenKeys, Shown, line

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
TOY = ScreenKeys(
    "The mechanism (bntui toy)",
    others=(
        line(
            "← →",
            "momentum: less, more",
            Binding("left", "momentum(-1)", "lower the momentum"),
            Binding("right", "momentum(1)", "raise the momentum"),
        ),
        line("space", "pause, go on", Binding("space", "go_or_pause", "pause", id="pause")),
        line("n", "a single batch", Binding("n", "drop", "one batch")),
        line(
            "↑ ↓",
            "more batches a second, fewer",
            Binding("up", "speed(1)", "more batches a second"),
            Binding("down", "speed(-1)", "fewer batches a second"),
        ),
        line(
            "c",
            "recalibrate: take the statistics of all training values",
            Binding("c", "take_fresh", "recalibrate"),
        ),
        line(
            "s",
            "the weights stand still; again: they learn on",
            Binding("s", "weights", "weights stand still", id="weights"),
        ),
        line("r", "begin again with the momentum of now", Binding("r", "begin_again", "restart")),
        EXPLAIN,
        line("esc q", "leave", Binding("escape,q", "leave_toy", "leave", key_display="esc")),
    ),
    bottom=(
        Shown("← →", "momentum"),
        *("space", "c", "question_mark", "n"),
        Shown("↑ ↓", "speed"),
        *("r", "s", "escape"),
    ),
)
PENCIL = ScreenKeys(
    "Drawing a prediction",
    others=(
        line(
            "← →",
            "move the pencil",
            Binding("left", "move(-1)"),
            Binding("right", "move(1)"),
        ),
        line(
            "↑ ↓",
            "raise the line from there on, lower it",
            Binding("up", "raise(1)"),
            Binding("down", "raise(-1)"),
        ),
        line("enter", "take the line, and begin", Binding("enter", "take")),
        EXPLAIN,
        line("esc q", "begin without a line", Binding("escape,q", "dismiss(None)")),
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
