"""One cell's run where it is computed: what its recorder would write goes to the driver as messages."""

from collections.abc import Callable
from dataclasses import replace

from bntui.core.run import LEAVE_SECONDS
from bntui.core.run_request import RunRequest
from bntui.sweeps.executor import Message
from bntui.sweeps.sender import Sender
from bntui.train.runner import Runner

KEEP_SECONDS = 0.5
"""Of a run's work, between two checkpoints: with the time to the next message, a killed run repeats a second.

It repeats more where checkpoints are large or cells many: making them may take `SHARE` (train/checkpoints.py) of
a run's time, sending them `CHECKPOINT_SHARE` (sender.py), and writing those of all cells `WRITING_SHARE`
(driver.py) of the driver's.
"""
POLL_SECONDS = 0.05


def run_cell(
    run: str, request: RunRequest, send: Callable[[Message], None], stopping: Callable[[], bool]
) -> bool:
    """Run a cell to its end, or until `stopping()`, and send what happens; the last message is `Ended`.

    `run` is the id under which it is kept. `send` is called on the run's thread, and on this one. A run
    that is stopped has kept itself and is interrupted. Returns whether its thread has ended, which an
    update of many seconds can delay: if not, the process should end.
    """
    sender = Sender(run, send)
    runner = Runner(replace(request, keep_seconds=KEEP_SECONDS), recorder=lambda: sender)
    runner.start()
    while not (sender.over.wait(POLL_SECONDS) or runner.join(0) or stopping()):
        pass
    ended = runner.leave(LEAVE_SECONDS, interrupted=True)
    sender.close(runner.snapshot)  # where no thread could be started for the run
    return ended
