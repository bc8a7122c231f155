"""What `bntui run` writes of a run: JSON lines, or lines of text with a progress bar."""

import json
import math
from dataclasses import fields
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bntui import __version__
from bntui.cli import output
from bntui.cli.console import OutputConsole
from bntui.cli.remedies import in_options
from bntui.core.measured import LayerDrift
from bntui.core.settings import values_of
from bntui.core.snapshot import EpochReport, Mark, Snapshot
from bntui.core.text import exact
from bntui.diagnose.causes import Cause
from bntui.diagnose.figures import figures
from bntui.diagnose.headline import headline
from bntui.diagnose.noise_words import noise_words
from bntui.diagnose.remedies import values as remedy_values
from bntui.diagnose.verdict import verdict
from bntui.store.encoding import finite
from bntui.store.export.csv_and_json import SCHEMA


class JsonLines:
    """One JSON object a line on standard output; non-finite numbers become null.

    The events of an experiment's run carry the name of its `arm`.
    """

    def __init__(self, arm: str = "") -> None:
        self._arm = {"arm": arm} if arm else {}
        self._marks: tuple[Mark, ...] = ()
        self._judged = ""

    def start(self, snapshot: Snapshot, run: str) -> None:
        """Write what the run is made of, and the id that it is kept under."""
        facts = snapshot.facts
        assert facts is not None
        self._write(
            event="start",
            schema=SCHEMA,
            run=run,
            version=__version__,
            device=facts.device,
            dataset=facts.dataset,
            train=facts.train,
            validation=facts.validation,
            parameters=facts.parameters,
            updates_per_epoch=-(-facts.train // snapshot.config.knobs.batch_size),
            config=values_of(snapshot.config),
        )

    def progress(self, snapshot: Snapshot) -> None:
        """Write nothing: a stream of events has no progress bar."""

    def epoch(self, report: EpochReport, snapshot: Snapshot) -> None:
        """Write one epoch's figures, after the marks before it and before a new verdict."""
        self._write_marks(snapshot)
        values = {field.name: getattr(report, field.name) for field in fields(report)}
        values["layers"] = [_layer(layer) for layer in report.layers]
        values["hindsight"] = dict(report.hindsight)
        if not report.hindsight:
            del values["hindsight"]
        if noise := values.pop("noise"):
            values |= {
                "noise_scale": noise.scale,
                "noise_scale_low": noise.low,
                "noise_scale_high": noise.high,
                "noise_scale_low_68": noise.low_68,
                "noise_scale_high_68": noise.high_68,
                "suggested_batch": noise.suggested_batch,
            }
        if not report.twin:
            del values["twin"]
        self._write(event="epoch", **values)
        self._write_verdict(snapshot)

    def end(self, snapshot: Snapshot) -> None:
        """Write how the run ended."""
        if snapshot.facts:
            self._write_marks(snapshot)
            self._write_verdict(snapshot, last=True)
            self._write(
                event="end",
                phase=snapshot.phase.value,
                updates=snapshot.update,
                seconds=round(snapshot.seconds, 3),
            )

    def _write_marks(self, snapshot: Snapshot) -> None:
        for mark in snapshot.marks[len(self._marks) :]:
            self._write(event="mark", update=mark.update, label=mark.label, change=mark.change)
        self._marks = snapshot.marks

    def _write_verdict(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Write the verdict if its cause is another than before, and in any case the `last`."""
        judged = verdict(snapshot)
        if judged.cause is Cause.WAITING or (judged.cause == self._judged and not last):
            return
        self._judged = judged.cause
        self._write(
            event="verdict",
            update=snapshot.validation.update if snapshot.validation else snapshot.update,
            cause=judged.cause.value,
            text=" ".join(
                filter(None, [*judged.evidence, judged.outlook, in_options(judged.remedies)])
            ),
            remedies=[remedy_values(remedy) for remedy in judged.remedies],
            evidence=figures(snapshot),
        )

    def _write(self, event: str, **values: object) -> None:
        write_json(event=event, **self._arm, **values)


class Lines:
    """One line an epoch in the shape Keras prints, and a progress bar where there is a terminal."""

    def __init__(self) -> None:
        self._console = OutputConsole(highlight=False, markup=False, soft_wrap=True)
        # A terminal for certain: rich also believes variables that ask for colours in a log.
        moves = output.width() is not None and self._console.is_interactive
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("updates  loss {task.fields[loss]}"),
            console=self._console,
            transient=True,
            disable=not moves or self._console.is_dumb_terminal,
        )
        self._task = self._progress.add_task("", total=None, epoch="", loss="")
        self._epochs = 0

    def start(self, snapshot: Snapshot, run: str) -> None:
        """Say what is trained on what, and under which id it is kept."""
        facts, config = snapshot.facts, snapshot.config
        assert facts is not None
        self._epochs = snapshot.epochs
        self._console.print(
            f"{facts.dataset}: {facts.train:,} training and {facts.validation:,} validation "
            f"images · {facts.parameters:,} parameters · batch {config.knobs.batch_size} · "
            f"{'momentum ' + exact(config.knobs.momentum) if config.has_statistics else 'norm ' + config.norm}"
            f" · {facts.device} · run {run}"
        )
        self._progress.start()

    def progress(self, snapshot: Snapshot) -> None:
        """Move the bar."""
        per_epoch = snapshot.updates_per_epoch or None
        loss = snapshot.series["train_loss"].latest if "train_loss" in snapshot.series else math.nan
        self._progress.update(
            self._task,
            completed=(snapshot.update - 1) % per_epoch + 1 if per_epoch and snapshot.update else 0,
            total=per_epoch,
            epoch=f"{snapshot.epoch}/{snapshot.epochs}" if per_epoch else snapshot.message,
            loss=f"{loss:.4f}",
        )

    def epoch(self, report: EpochReport, snapshot: Snapshot) -> None:
        """Print one epoch's line, and one more with every estimator's accuracy where asked for."""
        goal = f"/{self._epochs}" if self._epochs < 10_000 else ""
        twin = f"twin {report.twin} " if report.twin else ""
        self._console.print(
            f"{twin}Epoch {report.epoch}{goal} - {report.seconds:.1f}s - loss: {report.loss:.4f} - "
            f"acc: {report.acc:.4f} - val_loss: {report.val_loss:.4f} - "
            f"val_acc: {report.val_acc:.4f} - fresh statistics: val_loss: "
            f"{report.val_loss_fresh:.4f} - val_acc: {report.val_acc_fresh:.4f}"
        )
        if report.hindsight:
            parts = (f"{name} {accuracy:.4f}" for name, accuracy in report.hindsight)
            self._console.print("  in hindsight: " + " · ".join(parts))
        if report.noise:
            assert snapshot.facts is not None
            self._console.print(f"  {noise_words(report.noise, snapshot.facts.train)}")

    def end(self, snapshot: Snapshot) -> None:
        """Remove the bar, and say what happened and what helps."""
        self._progress.stop()
        judged = verdict(snapshot)
        if judged.cause in {Cause.WAITING, Cause.FAILED}:  # who ends the program says why it failed
            return
        at = snapshot.validation.update if snapshot.validation else snapshot.update
        self._console.print(f"Verdict at update {at:,}: {judged.cause}")
        helps = in_options(judged.remedies)
        said = headline(snapshot)
        for sentence in (
            f"{said.what[0]}.",
            f"{said.why[0]}.",
            *judged.evidence,
            judged.outlook,
            f"What helps: {helps}." if helps else "",
        ):
            if sentence:
                self._console.print(f"  {sentence}")


def _layer(layer: LayerDrift) -> dict[str, Any]:
    names = (
        *("name", "channels", "mean_gap", "mean_gap_max", "log_var_ratio", "log_var_off"),
        *("output_error", "network_error", "start_left", "quiet", "non_finite"),
    )
    return {name: getattr(layer, name) for name in names}


def write_json(**values: object) -> None:
    """Write one line of strict JSON; what is not finite is null."""
    click.echo(json.dumps(finite(values), allow_nan=False))
