"""How runs find their way into the store, and back: recorders, and checkpoints to resume from."""

from bntui.engine.config import ConfigError
from bntui.engine.snapshot import Checkpoint
from bntui.store.database import ALIVE, Store
from bntui.store.recorder import StoreRecorder


def recorder(
    begin: Checkpoint | None = None, *, resume: bool = False, note: str = ""
) -> StoreRecorder:
    """Return what keeps a new run, a branch that begins at a checkpoint, or the run to `resume`.

    A new one is kept with a `note`. Raises StoreError if the run to resume is under way.
    """
    return StoreRecorder(resume=begin) if resume else StoreRecorder(parent=begin, note=note)


def resumable(name: str) -> Checkpoint:
    """Return the last checkpoint of the run that `name` means (see `Store.find`).

    Raises ConfigError if there is none.
    """
    with Store() as store:
        found = store.find(name)
        if found.state in ALIVE:
            raise ConfigError(f"run {found.id} is under way in another bntui: let that one end.")
        checkpoint = store.last_checkpoint(found.id)
    if checkpoint is None:
        raise ConfigError(
            f"run {found.id} has {found.state.value} and left no checkpoint to go on from: "
            f"`bntui show {found.id}` gives the command that repeats it."
        )
    return checkpoint
