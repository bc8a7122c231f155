"""What the help says of a phase diagram, above the words that stand on it."""

from bntui.core.text import percent
from bntui.sweeps.phase import SOUND_FRESH, SOUND_GAP, START_LEFT

PARAGRAPHS = (
    "A sweep trains every combination of some settings, each with several seeds. A tile shows the median over "
    "the seeds at one place of both axes; below the diagram stand the least and the greatest value, and the runs.",
    "The axis of momenta costs nothing: running statistics don't change the training, so one run tells how every "
    "momentum would have validated.",
    f"The gap is what validation loses by running statistics: accuracy with fresh ones less that with running "
    f"ones. Up to {SOUND_GAP:g} the statistics count as sound, and their shade is the brightest. Where fresh accuracy is "
    f"below {SOUND_FRESH:g}, twice chance among ten classes, there is little to lose: a small gap tells nothing there, and "
    "has a ? and no shade.",
    f"The line is where momentum^t, the share of the start values that is left after t updates, is "
    f"{percent(START_LEFT)}, which tells sound from failing best over the runs of docs/phase-diagram.md. At higher momenta "
    "more of them is left, and validation normalises with values that come from no image.",
    "A hatched tile has a run under way, an empty one no measurement yet, one with × a run that failed.",
)
