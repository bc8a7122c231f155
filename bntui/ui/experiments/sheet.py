"""What there is to read of an experiment before it runs, and in the list of all. Pure."""

from bntui.experiments.duration import in_words
from bntui.experiments.experiment import Experiment
from bntui.ui.experiments.standing import Standing
from bntui.ui.words import thread

StyledTexts = list[tuple[str, str]]
"""Texts and their styles."""
PadCells = tuple[int, int, int, int]
Paragraph = tuple[StyledTexts, PadCells]
"""Texts, and by how many cells they are moved."""
BLANK_BELOW, INDENTED, TOGETHER = (0, 0, 1, 0), (0, 0, 0, 2), (0, 0, 0, 0)
"""Cells above, right, below and left of a paragraph."""
DONE = "√ done"
THE_THREAD = "The thread, post by post"


def facts(experiment: Experiment, standing: Standing, *, brief: bool) -> StyledTexts:
    """Return the line below a title in the list; a `brief` one has no post, which the sheet has.

    In a few cells "about 45 s" would be parted before its unit: a sign stands for the word.
    """
    post = [f"post {experiment.post}"] if experiment.post and not brief else []
    time = in_words(standing.time)
    time = time.replace("about ", "≈").replace("over ", ">") if brief else time
    told = " · ".join([*post, runs(standing), time])
    return [(f"{DONE} · ", "green bold"), (told, "dim")] if standing.done else [(told, "dim")]


def runs(standing: Standing) -> str:
    """Say how many runs there are."""
    return f"{standing.runs} run{'s' * (standing.runs != 1)}"


def about(experiment: Experiment, standing: Standing) -> list[Paragraph]:
    """Return what there is to read of an experiment before it runs."""
    arms = experiment.arms
    common = [
        setting
        for setting in arms[0].settings
        if len(arms) > 1 and all(setting in arm.settings for arm in arms)
    ]
    read: list[Paragraph] = [
        ([(experiment.heading, "bold")], TOGETHER),
        *(([(line, style)], TOGETHER) for line, style in _known(experiment, standing)),
        ([("", "")], TOGETHER),
        ([(experiment.hypothesis, "")], BLANK_BELOW),
        ([("Watch ", "bold"), (experiment.watch, "")], BLANK_BELOW),
        ([("Question: ", "bold"), (experiment.question.text, "")], BLANK_BELOW),
        ([(f"Runs, each with {' · '.join(common)}" if common else "Runs", "")], TOGETHER),
    ]
    for arm in arms:
        own = " · ".join(setting for setting in arm.settings if setting not in common)
        parts = [(arm.label, "bold"), (f": {own}" if own else "", "")]
        if arm.published:
            parts.append((f"\nas the thread's run at batch {arm.published}", "dim"))
        read.append((parts, INDENTED))
    return read


def thread_paragraphs() -> list[Paragraph]:
    """Return the thread's story, post by post."""
    return [([(paragraph, "")], BLANK_BELOW) for paragraph in thread.paragraphs()]


def _known(experiment: Experiment, standing: Standing) -> StyledTexts:
    """Say which post it answers, how long it takes, and whether it was done."""
    lines: StyledTexts = []
    if experiment.post:
        gist = thread.gist(experiment.post)
        lines.append((f"post {experiment.post} of the thread: {gist}", "dim"))
    time = "no run like it was measured here yet"
    if standing.time:
        time = f"{in_words(standing.time)} on this machine"
    lines.append((f"{runs(standing)} · {time}", "dim"))
    if standing.done:
        predicted = {None: "", True: ", as you predicted", False: ", not as you predicted"}
        lines.append((f"{DONE}{predicted[standing.right]}", "green bold"))
    return lines
