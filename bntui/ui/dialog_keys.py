"""The keys of dialogs that any screen opens, for the table of keys."""

from textual.binding import Binding

from bntui.ui.key_lines import FAR, SKIP_TOUR, ScreenKeys, line

HELP = ScreenKeys(
    "The help (?)",
    others=(
        line(
            "← → tab",
            "go to the previous page, or the next",
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
