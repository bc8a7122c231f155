"""A process that keeps a run."""

import subprocess
from pathlib import Path

from tests.children import started

SPEED = 10
"""Of the clock of the process to be killed: its seconds are tenths of ours."""
WRITING = f"""
import sys, time
from pathlib import Path
from bntui.store.recorder import StoreRecorder
from tests.store.recorded import checkpoint, journal, state

def clock():
    return {SPEED} * time.monotonic()

recorder = StoreRecorder(Path(sys.argv[1]), clock=clock)
print(recorder.run, flush=True)
kept = ()
for update in range(1, int(sys.argv[2]) + 1):
    if update % 50 == 0:
        kept = (checkpoint(update, str(update).encode()),)
    now = clock()
    recorder.record(state(update, checkpoints=kept), journal([update]))
    print(update, now, recorder.problem, flush=True)
    time.sleep(0.001)
recorder.close(state(update))
"""


def writing(path: Path, updates: int, code: str = WRITING) -> "subprocess.Popen[str]":
    """Start a process that records so many updates, and says so after each."""
    return started(code, str(path), str(updates))
