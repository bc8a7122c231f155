"""What a knob's value means for the run, in one line while it is turned."""

from bntui.engine.config import MAX_LEARNING_RATE, Knobs, torch_momentum
from bntui.engine.snapshot import Snapshot
from bntui.ui.knobs import BATCH_NORM, BATCH_SIZE, LEARNING_RATE, MOMENTUM, KnobSpec


def consequence(spec: KnobSpec, knobs: Knobs, snapshot: Snapshot) -> str:
    """Return the line for the knob `spec` with the settings `knobs` in `snapshot`'s run."""
    facts = snapshot.facts
    if facts is None:
        return spec.hint
    updates = -(-facts.train // knobs.batch_size)
    planned = snapshot.epochs if snapshot.epochs < 1000 else 10
    left = knobs.momentum ** (updates * planned)
    memory = (facts.activation_bytes * knobs.batch_size) / 1e9
    start = f"after {planned} epochs {left:.2g} of the start value is left"
    if left >= 0.0005:
        start = f"after {planned} epochs {left:.1%} of the start value is left"
    if spec is BATCH_SIZE:
        return (
            f"1 to {facts.train:,} · {updates:,} updates an epoch · {start} · "
            f"activations about {size(memory)}"
        )
    if spec is MOMENTUM:
        return f"0 to below 1 · torch's {torch_momentum(knobs.momentum):g} · {start}"
    if spec is LEARNING_RATE:
        return f"above 0 to {MAX_LEARNING_RATE:g} · no effect on running statistics but through how fast weights move"
    if spec is BATCH_NORM:
        return "on or off · starts a new run with the same seed; the old curves stay as a ghost"
    return spec.hint


def size(gigabytes: float) -> str:
    """Write an amount of memory."""
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"
