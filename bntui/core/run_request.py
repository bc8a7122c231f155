"""What a run is to be: made once at the edge, by the command line or the screen, and handed on whole."""

from dataclasses import dataclass, field, replace

from bntui.core.config import Observation, RunConfig
from bntui.core.snapshot import Checkpoint

KEEP_SECONDS = 30.0
"""How much of a run is lost at most if it is killed, where an epoch takes longer."""


@dataclass(frozen=True, slots=True)
class New:
    """A run from its start."""

    left_open: frozenset[str] = frozenset()
    """The names of the settings that may be fitted to the machine."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A run of its own that begins at a checkpoint of another run."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Resume:
    """A run that was kept, from its last checkpoint on."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Follow:
    """A run of another process, or a kept one, that is looked at and not led."""

    run: str
    """Its id in the store."""


Origin = New | Branch | Resume | Follow
"""Where a run begins."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an experiment needs of one of its runs."""

    observation: Observation
    """What is to be measured at the ends of its epochs. It says nothing of live measurements."""
    note: str
    """The text that the store keeps beside the run."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run as it is asked for."""

    config: RunConfig
    """Of a run that begins at a checkpoint, the checkpoint's."""
    observation: Observation = field(default_factory=Observation)
    origin: Origin = field(default_factory=New)
    note: str = ""
    """What is to be kept beside a new run, in words."""
    paused: bool = False
    """Whether it waits once it is loaded."""
    keep: bool = True
    """Whether it goes to the store."""
    keep_weights: bool = False
    """Whether the weights that it ends with go there too."""
    keep_seconds: float = KEEP_SECONDS
    """Seconds of work after which a checkpoint is made within an epoch, where that costs little enough."""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where the run begins, if not from its start."""
        return self.origin.checkpoint if isinstance(self.origin, Branch | Resume) else None

    @property
    def left_open(self) -> frozenset[str]:
        """The names of the settings that may be fitted to the machine."""
        return self.origin.left_open if isinstance(self.origin, New) else frozenset()

    def another(
        self, config: RunConfig, origin: Origin, purpose: Purpose | None, *, paused: bool
    ) -> "RunRequest":
        """Return the request for another run that is kept and measured as this one.

        With a `purpose`, what that needs is measured at the ends of epochs, whatever this one asks for.
        """
        request = replace(self, config=config, origin=origin, paused=paused)
        if purpose is None:
            return request
        live, noise_scale = self.observation.live, self.observation.noise_scale
        observation = replace(purpose.observation, live=live, noise_scale=noise_scale)
        return replace(request, observation=observation, note=purpose.note)
