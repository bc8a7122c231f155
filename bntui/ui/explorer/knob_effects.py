"""What a knob's value means for the run, in one line while it is turned."""

from bntui.core import rules
from bntui.core.config import Knobs, RunConfig, torch_momentum
from bntui.core.estimators import NAMED
from bntui.core.parsers import MAX_LEARNING_RATE
from bntui.core.plan import UNPLANNED
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import exact, percent
from bntui.diagnose.noise_words import latest_noise
from bntui.ui.widgets.knob_spec import KnobSpec

AHEAD = 10
"""Epochs that are looked ahead where no end is planned."""


def knob_effect(spec: KnobSpec, knobs: Knobs, snapshot: Snapshot) -> str:
    """Return the line for the knob `spec` with the settings `knobs` in `snapshot`'s run.

    The variable part first, then bounds and step: a narrow screen leaves out parts from the end.
    """
    facts = snapshot.facts
    if facts is None:
        return spec.hint
    batch = min(knobs.batch_size, facts.train)
    updates = -(-facts.train // batch)
    start = start_words(knobs, snapshot, facts.train)
    if spec.name == "batch_size":
        memory = size(facts.activation_bytes * batch / 1e9)
        last = latest_noise(snapshot) or f"each step doubles it, up to {facts.train:,}"
        return f"{updates:,} updates an epoch · {start} · {memory} · {last}"
    if spec.name == "momentum":
        torchs = torch_momentum(knobs.momentum)
        return f"PyTorch's {exact(torchs)} · {start} · from 0 to below 1, in the steps of the map"
    if spec.name == "estimator":
        return f"{estimating(snapshot.config, knobs)} · {start}"
    if spec.name == "learning_rate":
        return (
            f"how far an update moves the weights · steps of 1, 2, 5, up to {MAX_LEARNING_RATE:g}"
        )
    if spec.name == "norm":
        return "starts a new run with the same seed · the old curves stay as a ghost"
    if spec.name == "pace":
        return "a limit on updates a second, for you to watch · 0.5 to 50 in steps, or max"
    return spec.hint


def start_words(knobs: Knobs, snapshot: Snapshot, train: int) -> str:
    """Say how much of the start value will be left in the running statistics, and when."""
    if not snapshot.config.has_statistics:
        return "no running statistics that could be stale"
    left, when = start_ahead(knobs, snapshot, train)
    return f"{percent(left)} of the start value left {when}"


def start_ahead(knobs: Knobs, snapshot: Snapshot, train: int) -> tuple[float, str]:
    """Return the share of the start value that will be left, and the words that say when."""
    trained = snapshot.images / train
    until, when = float(snapshot.epochs), f"after {snapshot.epochs:,} epochs"
    if snapshot.phase is Phase.FINISHED or snapshot.epochs >= UNPLANNED:
        ahead = min(snapshot.config.epochs, AHEAD)
        until, when = trained + ahead, f"after {ahead} more epochs"
    left = 0.0 if rules.forgets_start(knobs) else start_left(snapshot)
    left *= rules.kept_over(snapshot.config, knobs, train, trained, until)
    return left, when


def start_left(snapshot: Snapshot) -> float:
    """Return the share of the start value that is left in the running statistics.

    As it was measured last, less what the updates since have taken; none once they were recalibrated.
    """
    validation = snapshot.validation
    if snapshot.recalibrated:
        return 0.0
    at, left = 0, 1.0
    if validation and validation.layers:
        at, left = validation.update, validation.layers[0].start_left
    since = snapshot.update - at
    if since and rules.forgets_start(snapshot.knobs):
        return 0.0
    return float(left * rules.kept(snapshot.config, snapshot.knobs) ** since)


def estimating(config: RunConfig, knobs: Knobs) -> str:
    """Say how the running statistics are estimated."""
    meaning = next(one.meaning for one in NAMED if one.name == knobs.estimator)
    return meaning.format(
        m=exact(knobs.momentum),
        batch=knobs.batch_size,
        base=config.base_batch,
        moved=f"{rules.momentum(config, knobs):.3g}",
    )


def size(gigabytes: float) -> str:
    """Write the memory that activations take."""
    if gigabytes >= 1:
        return f"activations {gigabytes:.1f} GB"
    return f"activations {gigabytes * 1000:.0f} MB"
