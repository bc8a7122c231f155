"""Runs in every state in which keys differ."""

from dataclasses import replace

from bntui.core.snapshot import Checkpoint, Mark, Phase, Snapshot
from tests.ui.scripted import diverged, failed, mid_run
from tests.ui.user import CONFIG


def kept(update: int, label: str) -> Checkpoint:
    return Checkpoint(update, label, CONFIG, b"")


MOMENTS = (kept(0, "start"), kept(16, "epoch 1"), kept(40, "before momentum 0.99→0.9"))
RUNNING = mid_run(CONFIG, checkpoints=MOMENTS, marks=(Mark(40, "momentum 0.99→0.9"),))
PAUSED, FINISHED = (replace(RUNNING, phase=phase) for phase in (Phase.PAUSED, Phase.FINISHED))
STATES = {
    "loading": Snapshot(config=CONFIG, knobs=CONFIG.knobs, epochs=10, message="loading torch"),
    "running": RUNNING,
    "paused": PAUSED,
    "before the first update": mid_run(
        CONFIG, phase=Phase.PAUSED, update=0, images=0, epoch=0, validation=None, series={}
    ),
    "finished": FINISHED,
    "failed": failed(CONFIG, "MNIST is not in /data."),
    "failed on the way": replace(RUNNING, phase=Phase.FAILED, message="out of memory"),
    "diverged": diverged(CONFIG),
    "not kept": replace(RUNNING, run=""),
    "without BN": mid_run(replace(CONFIG, norm="none")),
    "with a twin": mid_run(replace(CONFIG, twin="momentum=0.9"), twin=mid_run(CONFIG)),
}
