"""What is known of a single key: whether the table of keys has it, and what the help says of it."""

from textual.binding import Binding

from bntui.ui.key_table import SCREENS


def help_sentence(binding: Binding) -> str:
    """Return what the help says of a key that has a line to itself, else nothing.

    A line of several keys says what all of them do; the description of each says what it does itself.
    """
    return _SENTENCES.get((binding.action, binding.key), "")


def is_listed(binding: Binding) -> bool:
    """Tell whether a key is one of the table's, and none that only Textual has."""
    return (binding.action, binding.key) in _LISTED


_LISTED = {
    (single.action, single.key)
    for screen in SCREENS
    for line in screen.lines
    for single in Binding.make_bindings((*line.bindings, *line.elsewhere))
}
_SENTENCES = {
    (single.action, single.key): line.does
    for screen in reversed(SCREENS)  # the explorer's are the fullest
    for line in screen.lines
    if len(line.keys.split()) == 1
    for single in Binding.make_bindings((*line.bindings, *line.elsewhere))
}
