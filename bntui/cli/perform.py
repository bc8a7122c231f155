"""A guided experiment on the command line: its sheet, its runs one by one, and its conclusion."""

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from bntui.cli import output
from bntui.cli.lines import JsonLines, Lines, write_json
from bntui.cli.options import configs_of
from bntui.cli.report import exit_code, follow
from bntui.core.config import Observation
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Snapshot
from bntui.experiments.experiment import Arm, Conclusion, Experiment, ThreadComparison
from bntui.experiments.outcome import COMPARED, table
from bntui.experiments.perform import perform, prediction

WIDTH = 96
"""Characters of a line at most."""
JUDGED = {True: "holds       ", False: "does not    ", None: "not measured"}


def perform_and_print(
    experiment: Experiment,
    over: Mapping[str, Any],
    observation: Observation,
    *,
    predict: str | None,
    as_json: bool,
    store: bool,
    keep_weights: bool,
) -> int:
    """Run every arm with the options `over` its own and print what came out; return the exit code.

    It is 0 also where a claim doesn't hold: that is an observation. Raises ConfigError.
    """
    chosen = prediction(experiment, predict)
    arms = zip(experiment.arms, configs_of(experiment, over), strict=True)
    configs = {arm.name: config for arm, config in arms}  # all of them, before the first is trained

    def run(arm: Arm) -> Snapshot:
        if not as_json:
            _print(f"\n{arm.label}")
        request = RunRequest(
            configs[arm.name],
            arm.observation(observation),
            note=experiment.note(arm),
            keep=store,
            keep_weights=keep_weights,
        )
        return follow(request, JsonLines(arm.name) if as_json else Lines())

    if not as_json:
        _print(sheet(experiment))
    performed = perform(experiment, run, chosen)
    if isinstance(performed, Snapshot):
        return exit_code(performed)
    if as_json:
        _write_json(experiment, performed)
    else:
        _print("\n" + summary(experiment, performed))
    return 0


def listing(experiments: Sequence[Experiment]) -> str:
    """Return one line an experiment: number, name, post and title."""
    width = max((len(experiment.name) for experiment in experiments), default=0)
    return "\n".join(
        f"{experiment.number:2}  {experiment.name:{width}}  post {experiment.post or '–'}  {experiment.title}"
        for experiment in experiments
    )


def sheet(experiment: Experiment) -> str:
    """Return what there is to read before an experiment runs, its runs as command lines."""
    post = f"post {experiment.post} of the thread · " if experiment.post else ""
    choices = [
        _paragraph(choice.text, first=f"  [{place}] ", rest="      ")
        for place, choice in enumerate(experiment.question.choices, start=1)
    ]
    curve = experiment.question.draw
    labels = {arm.name: arm.label for arm in experiment.arms}
    to_draw = (
        f"In the explorer you also draw {curve.words} of: {labels[curve.arm]}" if curve else ""
    )
    arms = [f"  {arm.label}\n    bntui run {shlex.join(arm.words)}" for arm in experiment.arms]
    return "\n".join(
        [
            f"{experiment.heading} ({post}{experiment.name})",
            "",
            _paragraph(experiment.hypothesis),
            "",
            _paragraph(experiment.question.text),
            *choices,
            *([_paragraph(to_draw)] if to_draw else []),
            "",
            _paragraph(f"Watch: {experiment.watch}"),
            "",
            "Runs:",
            *arms,
        ]
    )


def summary(experiment: Experiment, conclusion: Conclusion) -> str:
    """Return what came out: every claim, the prediction, and the thread's own numbers."""
    findings = (
        _paragraph(finding.text, first=f"  {JUDGED[finding.holds]}  ", rest=" " * 16)
        for finding in conclusion.findings
    )
    answer = _paragraph(conclusion.answer(experiment.question))
    beside = (_paragraph(_beside(comparison)) for comparison in conclusion.comparisons)
    runs = textwrap.indent(table(conclusion.runs, _width() - 2), "  ")
    return "\n".join(["Conclusion", *findings, answer, runs, *beside])


def _beside(comparison: ThreadComparison) -> str:
    here, there = comparison.here, comparison.there
    parts = ", ".join(
        f"{name} {there.final(name):.4f} there and {here.final(name):.4f} here"
        for name in ("acc", "val_acc", "val_loss")
    )
    return (
        f"The thread's run at batch {comparison.batch}, 60,000 images, after its epoch "
        f"{len(there.history('acc'))}, beside {comparison.arm.label}: {parts}."
    )


def _write_json(experiment: Experiment, conclusion: Conclusion) -> None:
    write_json(
        event="conclusion",
        scenario=experiment.name,  # the key that readers of the JSON know
        claims=[{"text": finding.text, "holds": finding.holds} for finding in conclusion.findings],
        prediction={"chosen": conclusion.chosen, "right": conclusion.right or None},
        runs=[
            {"label": label, **{name: run.final(name) for name in COMPARED}}
            for label, run in conclusion.outcomes
        ],
        published=[
            {
                "arm": comparison.arm.name,
                "batch_size": comparison.batch,
                "val_acc": comparison.there.final("val_acc"),
            }
            for comparison in conclusion.comparisons
        ],
    )


def _paragraph(text: str, *, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text,
        _width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int:
    return min(WIDTH, output.width() or WIDTH)


def _print(text: str) -> None:
    output.console().print(text)
