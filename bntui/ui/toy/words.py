"""What the toy says: what validation gets and why, and the arithmetic of the last update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bntui.core.cells import cell_len
from bntui.core.text import exact, percent
from bntui.core.toy import MOMENTA, VALUES, Toy, example, share_right
from bntui.diagnose.headline import Tone, fitting
from bntui.diagnose.headline_words import Line

if TYPE_CHECKING:
    from bntui.ui.drawing.canvas import Picture, Row

SOUND = 0.02
"""Accuracy below fresh statistics' that still counts as good as they are."""
FAILS = 0.75
"""Accuracy below which validation fails: chance is a half."""
ADVISED = 0.9
"""The momentum that is named where another gets too little right."""
WIDE = 58
"""Cells from which on the arithmetic has names and room."""
_ASCII = str.maketrans("·←", "*=")
"""What stands for times and becomes in ASCII, where a middle dot is a point."""
_FUZZ = 1e-9


def sound(toy: Toy) -> bool:
    """Tell whether validation gets as much right as with fresh statistics."""
    return share_right(toy, toy.fresh) - share_right(toy, toy.running) <= SOUND + _FUZZ


def verdict(toy: Toy, momentum: float) -> tuple[Tone, Line, Line]:
    """Return what validation gets, and why."""
    if toy.batch is None:
        return (
            Tone.OPEN,
            (
                "Before the first batch BatchNorm remembers its start values, and they happen to fit",
                "BatchNorm remembers its start values, and they fit",
            ),
            (
                "It remembers one mean and one variance, and validates with them: 0 and 1 at first",
                "It remembers a mean and a variance: 0 and 1 at first",
            ),
        )
    running, fresh = share_right(toy, toy.running), share_right(toy, toy.fresh)
    if sound(toy):
        said = f"Validation is sound: {percent(running)} right"
        return Tone.GOOD, (f"{said}, {percent(fresh)} with fresh statistics", said), _why(toy)
    verb = "fails" if running < FAILS else "suffers"
    said = f"Validation {verb}: {percent(running)} right instead of {percent(fresh)}"
    other = share_right(toy, toy.ladder[MOMENTA.index(ADVISED)])
    longer = []
    if momentum != ADVISED and other > running + SOUND:
        longer = [f"{said}; momentum {ADVISED:g} from the start would get {percent(other)}"]
    return Tone.BAD, (*longer, said), _why(toy)


def _why(toy: Toy) -> Line:
    remembered, now = number(toy.running.mean, 1), number(toy.fresh.mean, 1)
    means = (
        f"BatchNorm remembers mean {remembered}, and the channel's is {now} now",
        f"It remembers mean {remembered}, and the channel has {now} now",
    )
    if toy.start_left < 0.005:
        return means
    left = percent(toy.start_left)
    return (
        f"{means[0]}; {left} of what it remembers is still the start value",
        f"{means[1]}; {left} of it is the start value",
        *means,
    )


def share(part: float) -> str:
    """Write a share that is chosen, such as 1 − momentum, to its last digit: 0.1 %."""
    return f"{exact(round(100 * part, 6))} %"


def arithmetic(
    toy: Toy, momentum: float, width: int, height: int, *, plain: bool = False
) -> Picture:
    """Write the last update's arithmetic, and what it makes of one validation value.

    Where not all fits, blank lines go first, then the last ones. `plain` is for ASCII.
    """
    lines = [
        _update("mean", toy, momentum, width),
        _update("variance", toy, momentum, width),
        _start_left(toy, width),
        [],
        *_example(toy, width),
        [],
        _right(toy, width),
    ]
    if len(lines) > height:
        lines = [line for line in lines if line]
    if plain:
        lines = [[(text.translate(_ASCII), role) for text, role in line] for line in lines]
    return lines[:height]


def _update(what: str, toy: Toy, momentum: float, width: int) -> Row:
    """Write `running mean ← 0.99 · 0.310 + 0.01 · 1.740 = 0.324`."""
    name, dot = (f" running {what:<9}", " · ") if width >= WIDE else (f" {what:<9}", "·")
    # A recalibration has replaced what the last batch led to: no arithmetic leads there.
    batch = None if toy.before == toy.running else toy.batch
    old, new = factors(toy.momentum if batch else momentum)
    before: float = getattr(toy.before, what)
    kept = (f"{old}{dot}{number(before, 3)}", "running")
    if batch is None:
        return [(f"{name}← ", ""), kept, (f" + {new}{dot}the batch's", "faint")]
    added: float = getattr(batch.statistics, what)
    after: float = getattr(toy.running, what)
    return [
        (f"{name}← ", ""),
        kept,
        (" + ", ""),
        (f"{new}{dot}{number(added, 3)}", ""),
        (" = ", ""),
        (number(after, 3), "running"),
    ]


def _start_left(toy: Toy, width: int) -> Row:
    """Write `start value left = 0.99^40 = 67 %`."""
    name = " start value left " if width >= WIDE else " start left "
    if toy.recalibrated:
        return [(f"{name}= ", ""), ("0 %, since the recalibration", "running")]
    if not toy.kept:
        return [(f"{name}= ", ""), ("100 %", "running")]
    powers = [f"{exact(momentum)}^{count}" for momentum, count in toy.kept]
    left = percent(toy.start_left)
    said = (" · ".join(powers), f"{powers[0]} · … · {powers[-1]}", "…")
    product = fitting(said, width - cell_len(f"{name}=  = {left}"))
    return [(f"{name}= ", ""), (product, "running"), (" = ", ""), (left, "running")]


def _example(toy: Toy, width: int) -> Picture:
    """Write what both statistics make of one validation value, and what that is taken for."""
    value = example(toy)
    lines: Picture = [[(f" a validation value, of a 0: x = {number(value, 2)}", "")]]
    for word, one in (("running", toy.running), ("fresh", toy.fresh)):
        normal = one.normalised(value)
        above = normal > 0
        answer = f"{'above' if above else 'below'} 0: " if width >= WIDE else ""
        sign = "−" if one.mean >= 0 else "+"
        lines.append(
            [
                (f" {word:<8}", word),
                (f"({number(value, 2)} {sign} {abs(one.mean):.2f}) ÷ {one.deviation:.2f} = ", ""),
                (f"{number(normal, 2):>5}", word),
                (f" {answer}a 1 ×" if above else f" {answer}a 0 √", "bad" if above else "good"),
            ]
        )
    return lines


def _right(toy: Toy, width: int) -> Row:
    """Write the accuracies."""
    running = f"running {percent(share_right(toy, toy.running))}"
    fresh = f"fresh {percent(share_right(toy, toy.fresh))}"
    room = width - cell_len(running) - cell_len(fresh) - 3
    values = f"of {VALUES:,} validation values"
    name = fitting((f" right, {values}: ", " right: "), room)
    return [(name, ""), (running, "running"), (", ", "faint"), (fresh, "fresh")]


def factors(momentum: float) -> tuple[str, str]:
    """Write a momentum and 1 − it."""
    return exact(momentum), exact(round(1 - momentum, 6))


def number(value: float, decimals: int) -> str:
    """Write a number with a minus sign that is as wide as a plus, and none for zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return text.replace("-", "−")
