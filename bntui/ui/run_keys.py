"""The keys of the runs that are kept, for the table of keys."""

from textual.binding import Binding

from bntui.ui.key_lines import EXPLAIN, RUN_LIST, VIEW, ScreenKeys, Section, Shown, line

RUNS = ScreenKeys(
    "Runs that are kept (o)",
    (
        Section(
            "Runs that are kept",
            (
                line(
                    "enter",
                    "lay a run over the charts, or take it away again",
                    Binding("enter", "lay_over", "overlay"),
                ),
                line(
                    "space =",
                    "mark two runs, and compare them, or one with the run under way",
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
                    "show the command line that repeats it; resume an interrupted one, or open it in attach",
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


def shown_on_runs(*, followed: bool) -> list[Shown]:
    """Return the line at the bottom of the runs; where runs are followed, it begins with the key that opens one."""
    shown = RUNS.shown()
    if not followed:
        return shown
    others = [one for one in shown if one.key != "R"]
    return [Shown("R", "open"), *others]


COMPARISON = ScreenKeys(
    "Two runs compared (= on the list of runs)",
    (Section("Charts", VIEW),),
    (
        line(
            "1 2",
            "show one chart, where there is no room for both",
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
